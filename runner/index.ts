import type { Config } from '../host/index.ts'
import type { Session } from '../session/index.ts'

export { detectAgent, detectAgentMark, detectAnyAgent } from './approval.ts'
export {
  getApprovalFile,
  getMessageFile,
  type MessageContent,
  readContractForApproval,
  readMessageReply,
  storeMessage,
  withdrawMessage,
} from './human.ts'
export { getTmuxSessionName, launchSession, launchSuccessor } from './start.ts'

/** Run one session until it is closed; exit 5 when another runner of it lives. (The rest of a runner is loaded only here.) */
export async function runSession(session: Session, config: Config): Promise<void> {
  return (await import('./runner.ts')).runSession(session, config)
}

/** Close a session whose runner is gone, in its place. */
export async function closeSession(session: Session, config: Config, by: string, why: string): Promise<void> {
  return (await import('./runner.ts')).closeSession(session, config, by, why)
}

/** Ask a living runner to close its session. */
export async function requestClose(session: Session, why: string): Promise<void> {
  return (await import('./runner.ts')).requestClose(session, why)
}
