import { styleText } from 'node:util'
import { type Config, readConfig, readDefaultConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'

/**
 * The settings, for a command that only reads or ends something. Where they are invalid, it warns and uses the defaults.
 * A command that starts something uses `readConfig`, which fails.
 */
export function readConfigOrDefaults(): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const config = readDefaultConfig() // Throws the same error when DISPATCH_HOME itself is invalid.
    const [, ...problems] = error.message.split('\n  ')
    const warning = `dispatch: ${problems.join('\n  ')} (this command uses the defaults)`
    process.stderr.write(`${styleText('yellow', warning, { stream: process.stderr })}\n`)
    return config
  }
}
