import type { Config } from '#host/config'
import type { Session } from '#session'

export { detectAgent, detectAgentMark, detectAnyAgent } from './contract/approval.ts'
export {
  getApprovalFile,
  getMessageFile,
  type MessageContent,
  readContractForApproval,
  readMessageReply,
  storeMessage,
  withdrawMessage,
} from './messages/store.ts'
export { requestClose } from './stop-request.ts'
export { getTmuxSessionName, launchSession, launchSuccessor } from './terminal.ts'

/** Run one session until it is closed; exit 5 when another runner of it lives. (The rest of a runner is loaded only here.) */
export async function runSession(session: Session, config: Config): Promise<void> {
  return (await import('./runner.ts')).runSession(session, config)
}

/** Close a session whose runner is gone, in its place. */
export async function closeSession(session: Session, config: Config, by: string, why: string): Promise<void> {
  return (await import('./runner.ts')).closeSession(session, config, by, why)
}
