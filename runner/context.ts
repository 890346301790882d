import type { Config } from '#host/config'
import type { Tmux } from '#host/tmux'
import type { Session } from '#session'
import type { EvidenceRecord } from '#session/evidence'
import type { Event, EventBody, LogWriter } from '#session/log'
import type { SessionStatus } from '#session/status'
import type { Dependencies } from './dependencies/dependencies.ts'
/** What every part of a runner works with: the session, where it stands, and the one way to say that something happened. */
export interface RunnerContext {
  session: Session
  readonly config: Config
  tmux: Tmux
  /** The fold of the events so far; never stored. */
  readonly status: SessionStatus
  /**
   * Append to the log, move the status on, tell whoever must be told. Throws when this runner no longer holds the session, and
   * (exit 13, once the human has been called) when somebody else has written into its log.
   */
  record(happening: EventBody): Event
  /** Where the log ends, and whether anybody but its runners has had a hand in it. */
  readonly log: Pick<LogWriter, 'lastSeq' | 'head' | 'requireIntact'>
  /** Endings this runner brought about itself, by worker: what the process table alone cannot tell. */
  endings: Map<string, { how: 'timed out' | 'stopped'; reason: string }>
  /** The dependencies of each commit, as they are being made or stand. */
  dependencies: Map<string, Promise<Dependencies>>
  /** What checks have shown since this runner began, by what an outcome rests on. */
  checkResults: Map<string, EvidenceRecord>
}

/** The answer to an agent's request: an exit code, and words it can act on. */
export interface CommandReply {
  exit: number
  text: string
}

export function refuse(text: string): CommandReply {
  return { exit: 2, text }
}

/** Call the human: from here on only a person brings the session on. The words are for the orchestrator. */
export function callHuman(context: RunnerContext, reason: string, exitCode?: number): CommandReply {
  const { phase, problem } = context.status
  if (phase !== 'needs you' || problem !== reason)
    context.record({ type: 'human.needed', reason, ...(exitCode === undefined ? {} : { exitCode }) })
  return refuse(`${reason}. The human has been called. End your turn now.`)
}
