import { type Config, DispatchError, exits } from '../host/index.ts'
import { findSession, listSessions, type Session } from '../session/index.ts'

/** The session a person names, or the newest one. */
export function chosen(config: Config, named: string | undefined): Session {
  if (named !== undefined) return findSession(config.workspace, named)
  const [newest] = listSessions(config.workspace)
  if (!newest)
    throw new DispatchError(`there is no session in ${config.workspace} yet`, {
      exit: exits.notFound,
      remedy: 'Begin one: dispatch "task".',
    })
  return newest
}
