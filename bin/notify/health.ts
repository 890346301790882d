import { type Config, DispatchError, printable } from '../../host/index.ts'
import { healthOf } from '../../notify/index.ts'
import { paint, print } from '../terminal.ts'

/** Why notices do not reach a person, in words; empty when all is well. Never the reason why something else fails. */
export function silenceOf(config: Config): string {
  try {
    return healthOf(config.home, config)
      .flatMap(({ sick }) => sick ?? [])
      .join('; ')
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return error.message
  }
}

/** The one line below a list or a session, when a person would otherwise wait in vain. */
export function printSilence(config: Config): void {
  const why = silenceOf(config)
  if (why !== '') print(paint('yellow', `\nNotices do not arrive: ${printable(why)}. See: dispatch notify log`))
}
