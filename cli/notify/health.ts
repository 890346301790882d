import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { readChannelHealth } from '#notify'
import { paint, print } from '../output/terminal.ts'
/** Why notices do not reach a person, in words; empty when all is well. Never the reason why something else fails. */
export function getChannelWarning(config: Config): string {
  try {
    return readChannelHealth(config.home, config)
      .flatMap(({ problem }) => problem ?? [])
      .join('; ')
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return error.message
  }
}

/** The one line below a list or a session, when a person would otherwise wait in vain. */
export function printChannelWarning(config: Config): void {
  const why = getChannelWarning(config)
  if (why !== '') print(paint('yellow', `\nNotices do not arrive: ${sanitize(why)}. See: dispatch notify log`))
}
