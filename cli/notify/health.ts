import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { readChannelHealth } from '#notify'
import { paint, print } from '../output/terminal.ts'

/** Why notifications are not arriving; empty while all is well. Its own failure does not stop the caller. */
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

/** The line below a list or a session while notifications are not arriving. */
export function printChannelWarning(config: Config): void {
  const warning = getChannelWarning(config)
  if (warning !== '')
    print(paint('yellow', `\nNotifications are not arriving: ${sanitize(warning)}. See: dispatch notify log`))
}
