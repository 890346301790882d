import type { Config } from '#host/config'
import type { Session } from '#session'
import type { LandingStatus } from '#session/landing'
import type { LandingRequest } from './landing/land-session.ts'
import type { LaunchRequest } from './launch.ts'
import type { StartResult } from './wait-for-start.ts'

export { detectAgent, detectAgentMark, detectAnyAgent } from './contract/detect-agent.ts'
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
export { holdEndedSession, isSessionOpen, stopSession } from './stop-session.ts'
export { getTmuxSessionName, launchSuccessor } from './terminal.ts'
export type { StartResult } from './wait-for-start.ts'

/** Run one session until it is closed; exit 5 if it already has a runner. The runner's code is loaded only here. */
export async function runSession(session: Session, config: Config): Promise<void> {
  return (await import('./runner.ts')).runSession(session, config)
}

/** Ask the judge again about a session without a runner: exit 5 where it may not be asked. */
export async function askJudgeAgain(session: Session, config: Config, actor: string): Promise<void> {
  return (await import('./runner.ts')).askJudgeAgain(session, config, actor)
}

/** Record that a person takes a closed session up again. The next runner goes on with it. */
export async function reopenSession(session: Session, config: Config, actor: string): Promise<void> {
  return (await import('./runner.ts')).reopenSession(session, config, actor)
}

/** Bring the judged work of a closed session onto a branch. Exit 5 without a valid PASS, or while a runner is alive. */
export async function landSession(session: Session, config: Config, request: LandingRequest): Promise<LandingStatus> {
  const [{ withRunner }, landing] = await Promise.all([import('./runner.ts'), import('./landing/land-session.ts')])
  return withRunner(session, config, context => landing.landSession(context, request))
}

/** Create a session and open its terminal. */
export async function launchSession(config: Config, request: LaunchRequest): Promise<Session> {
  return (await import('./launch.ts')).launchSession(config, request)
}

/** Return when the session's orchestrator has started or is parked, or throw why it did not start. */
export async function waitForStart(session: Session, config: Config, interrupt?: AbortSignal): Promise<StartResult> {
  return (await import('./wait-for-start.ts')).waitForStart(session, config, interrupt)
}
