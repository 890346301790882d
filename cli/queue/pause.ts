import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readPause } from '#queue'
import { formatLocalTime } from '../output/terminal.ts'

/** Exit 5 while dispatch is paused. With `force` it returns true then, for the record; otherwise false. */
export function refusePause({ home }: Pick<Config, 'home'>, force: boolean): boolean {
  const pause = readPause(home, new Date())
  if (pause === undefined) return false
  if (force) return true
  const until = pause.until === null ? '' : ` until ${formatLocalTime(pause.until)}`
  throw new DispatchError(`dispatch is paused${until}${pause.reason === '' ? '' : `: ${pause.reason}`}`, {
    exitCode: exitCodes.conflict,
    remedy: 'End the pause: dispatch unpause. Start this one all the same: --force. Queue it: dispatch later "…"',
  })
}
