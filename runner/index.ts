import type { Config } from '../host/index.ts'
import type { Session } from '../session/index.ts'

export { startSession, startSuccessor, tmuxSession } from './start.ts'

// What follows brings the whole of a runner with it, so it is loaded only by who calls it: a door that merely starts a
// session stays fast.

/** Run one session until it is closed. Throws exit 5 when another runner of it lives. */
export async function runSession(session: Session, config: Config): Promise<void> {
  return (await import('./runner.ts')).runSession(session, config)
}

/** Close a session whose runner is gone, in its place. */
export async function closeSession(session: Session, config: Config, by: string, why: string): Promise<void> {
  return (await import('./runner.ts')).closeSession(session, config, by, why)
}

/** Ask a living runner to close its session. */
export async function askToClose(session: Session, why: string): Promise<void> {
  return (await import('./runner.ts')).askToClose(session, why)
}
