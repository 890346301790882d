import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findSession, listSessions, type Session } from '#session'

/** The session with this id or part of an id; without one, the newest. Exit 4 when it does not exist. */
export function pickSession(config: Config, idOrPart: string | undefined): Session {
  if (idOrPart !== undefined) return findSession(config.workspace, idOrPart)
  const [newest] = listSessions(config.workspace)
  if (newest) return newest
  throw new DispatchError(`${config.workspace} has no session yet`, {
    exitCode: exitCodes.notFound,
    remedy: 'Start one: dispatch "task"',
  })
}
