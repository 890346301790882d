import type { Config, Tmux } from '../host/index.ts'
import type { Event, EvidenceRecord, Happening, Scribe, Session, Status } from '../session/index.ts'
import type { Readiness } from './setup.ts'

/** What every part of a runner works with: the session, where it stands, and the one way to say that something happened. */
export interface Running {
  session: Session
  readonly config: Config
  tmux: Tmux
  /** The fold of the events so far; never stored. */
  readonly status: Status
  /**
   * Append to the log, move the status on, tell whoever must be told. Throws when this runner no longer holds the session, and
   * (exit 13, once the human has been called) when somebody else has written into its log.
   */
  record(happening: Happening): Event
  /** Where the log ends, and whether anybody but its runners has had a hand in it. */
  readonly log: Pick<Scribe, 'seq' | 'head' | 'vouch'>
  /** Endings this runner brought about itself, by worker: what the process table alone cannot tell. */
  ended: Map<string, { how: 'timed out' | 'stopped'; why: string }>
  /** The dependencies of each commit, as they are being made or stand. */
  setups: Map<string, Promise<Readiness>>
  /** What checks have shown since this runner began, by what an outcome rests on. */
  seen: Map<string, EvidenceRecord>
}

/** The answer to an agent's request: an exit code, and words it can act on. */
export interface Reply {
  exit: number
  text: string
}

export function refuse(text: string): Reply {
  return { exit: 2, text }
}

/** Call the human: from here on only a person brings the session on. The words are for the orchestrator. */
export function giveUp(running: Running, why: string, exit?: number): Reply {
  const { phase, trouble } = running.status
  if (phase !== 'needs you' || trouble !== why)
    running.record({ is: 'orchestrator.gave-up', why, ...(exit === undefined ? {} : { exit }) })
  return refuse(`${why}. The human has been called. End your turn now.`)
}
