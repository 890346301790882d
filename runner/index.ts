import type { Config } from '#host/config'
import type { Session } from '#session'
import type { LaunchRequest } from './launch.ts'

export { detectAgent, detectAgentMark, detectAnyAgent } from './contract/approval.ts'
export type { LaunchRequest } from './launch.ts'
export {
  getApprovalFile,
  getMessageFile,
  type MessageContent,
  readContractForApproval,
  readMessageReply,
  storeMessage,
  withdrawMessage,
} from './messages/store.ts'
export { isSessionOpen, stopSession } from './stop-session.ts'
export { getTmuxSessionName, launchSuccessor } from './terminal.ts'

/** Run one session until it is closed; exit 5 if it already has a runner. The runner's code is loaded only here. */
export async function runSession(session: Session, config: Config): Promise<void> {
  return (await import('./runner.ts')).runSession(session, config)
}

/** Create a session and open its terminal. */
export async function launchSession(config: Config, request: LaunchRequest): Promise<Session> {
  return (await import('./launch.ts')).launchSession(config, request)
}

/** Return when the session's orchestrator has started, or throw why it did not. */
export async function waitForStart(session: Session, config: Config): Promise<void> {
  return (await import('./launch.ts')).waitForStart(session, config)
}
