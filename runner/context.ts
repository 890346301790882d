import type { AwakeClock } from '#host/awake-clock.ts'
import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import type { Tmux } from '#host/tmux'
import type { Session } from '#session'
import type { EvidenceRecord } from '#session/evidence'
import type { Event, EventBody, LogWriter } from '#session/log'
import type { SessionStatus, WorkerStatus } from '#session/status'
import type { Dependencies } from './dependencies/dependencies.ts'

/** What every part of a runner works with: the session, its status, and the only way to record an event. */
export interface RunnerContext {
  session: Session
  readonly config: Config
  tmux: Tmux
  /** Measures time in which the machine was awake. */
  readonly clock: AwakeClock
  /** Computed from the events so far; never stored. */
  readonly status: SessionStatus
  /**
   * Append an event to the log, update the status and queue its notification. Throws if this runner no longer has the lease
   * (exit 5) or if another process has written to the log (exit 13, after calling the human).
   */
  record(event: EventBody): Event
  /** Another process changed the log: record it after the last line that this runner knows, where the chain breaks, and call a person. */
  reportTampering(damage: string): void
  /** Report an error that may go away. A person is called when it keeps coming. */
  recordFailure(error: unknown): void
  /** Does this runner still have the lease? */
  isOwner(): boolean
  /** Give up the lease: this runner writes nothing more. */
  release(): void
  /** Where the log ends, and whether only this session's runners have written to it. */
  readonly log: Pick<LogWriter, 'lastSeq' | 'head' | 'damage' | 'requireIntact'>
  /** Workers that this runner ended itself, which the process table does not show. */
  endings: Map<string, { ending: 'timed out' | 'stopped'; reason: string }>
  /** The dependencies by commit, installed or being installed. */
  dependencies: Map<string, Promise<Dependencies>>
  /** The results of checks since this runner started, by everything that a result depends on. */
  checkResults: Map<string, EvidenceRecord>
}

/** The reply to an agent's request: an exit code, and a text that the agent can act on. */
export interface CommandReply {
  exitCode: number
  text: string
}

/** The text of a reply's file: the exit code in the first line. */
export function formatReply({ exitCode, text }: CommandReply): string {
  return `${exitCode}\n${text.trimEnd()}\n`
}

export function accept(text: string): CommandReply {
  return { exitCode: exitCodes.ok, text }
}

export function refuse(text: string, exitCode: number = exitCodes.usage): CommandReply {
  return { exitCode, text }
}

/** Call the human: from now on only a person can let the session go on. The reply is for the orchestrator. */
export function callHuman(context: RunnerContext, reason: string, exitCode?: number): CommandReply {
  const { phase, problem } = context.status
  if (phase !== 'needs you' || problem !== reason)
    context.record({ type: 'human.needed', reason, ...(exitCode === undefined ? {} : { exitCode }) })
  return refuse(`${reason}. The human has been called. End your turn now.`)
}

/** The workers that wait or work. */
export function listActiveWorkers({ workers }: SessionStatus): WorkerStatus[] {
  return workers.filter(worker => worker.endedAt === undefined)
}
