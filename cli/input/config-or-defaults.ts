import { styleText } from 'node:util'
import { type Config, readConfig, readDefaultConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'

/**
 * The settings for a command that only looks, or ends something: it goes on with the defaults where they do not read, and
 * says in which line they do not. What starts something insists on them (`readConfig`).
 */
export function readConfigOrDefaults(): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const config = readDefaultConfig() // Throws anew where DISPATCH_HOME itself is no place.
    const [, ...problems] = error.message.split('\n  ')
    const said = `dispatch: ${problems.join('\n  ')} (here the defaults will do)`
    process.stderr.write(`${styleText('yellow', said, { stream: process.stderr })}\n`)
    return config
  }
}
