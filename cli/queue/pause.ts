import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readPause } from '#queue'
import { formatLocalTime } from '../output/terminal.ts'

/** What you can do about a pause where a session starts. */
const START_REMEDY =
  'End the pause: dispatch unpause. Start this one all the same: --force. Queue it: dispatch later "…"'

/**
 * Exit 5 while dispatch is paused, with what a person can do there. With `force` it returns true then, for the record; otherwise
 * false.
 */
export function refusePause({ home }: Pick<Config, 'home'>, force: boolean, remedy = START_REMEDY): boolean {
  const pause = readPause(home, new Date())
  if (pause === undefined) return false
  if (force) return true
  const until = pause.until === null ? '' : ` until ${formatLocalTime(pause.until)}`
  throw new DispatchError(`dispatch is paused${until}${pause.reason === '' ? '' : `: ${pause.reason}`}`, {
    exitCode: exitCodes.conflict,
    remedy,
  })
}
