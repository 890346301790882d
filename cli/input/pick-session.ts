import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findSession, listSessions, type Session } from '#session'
/** The session a person names, or the newest one. */
export function pickSession(config: Config, named: string | undefined): Session {
  if (named !== undefined) return findSession(config.workspace, named)
  const [newest] = listSessions(config.workspace)
  if (!newest)
    throw new DispatchError(`there is no session in ${config.workspace} yet`, {
      exitCode: exitCodes.notFound,
      remedy: 'Begin one: dispatch "task".',
    })
  return newest
}
