import type { TestCounts } from '../evidence/test-counts.ts'
import type { Event, Outcome, ProofKind, Verdict, WorkerEnding } from '../log/event.ts'

/**
 * How far a session is.
 *
 *   opening -> planning -> working <-> judging -> PASS | FAIL | INCONCLUSIVE
 *      |
 *      +-> failed (did not start)
 *
 * planning and working become `asking` (a question, or a contract that needs approval) or `needs you` (it cannot
 * continue alone). A prompt from a human leads back to planning, or to working once there is a sealed contract. An
 * amendment leads back to working. After a verdict, a new worker does; after a void verdict, a prompt does. Void and
 * closed are not phases: they override one.
 */
export type Phase = 'opening' | 'failed' | 'planning' | 'working' | 'judging' | 'asking' | 'needs you' | Verdict

/** What the events of a session add up to. Times are ISO 8601. */
export interface SessionStatus {
  phase: Phase
  phaseStartedAt: string
  openedAt: string
  lastSeq: number
  lastEventAt: string
  title: string
  repository: string | null
  maxRounds: number
  allowsJudgedOnly: boolean
  /** Why agents and checks run without a sandbox; empty if they have one. */
  noSandboxReason: string
  models: Event<'session.opened'>['models']
  base?: { commit: string; tree: string }
  /** The last commit of a worker. Commits on top of it belong to no worker. */
  acceptedCommit?: string
  /** The last installation of the project's dependencies. */
  dependencies?: { state: 'running' | 'made' | 'cached' | 'failed'; reason: string; seconds: number }
  contract?: {
    sha256: string
    version: number
    uncoveredSentences: string[]
    /** What it leaves out of the task, each with its reason. */
    excludedSentences: string[]
    dilutions: string[]
  }
  clauses: ClauseStatus[]
  workers: WorkerStatus[]
  writeLock: { worker: string; fencingToken: number } | null
  lastFencingToken: number
  round: number
  /** The round in which a human last spoke: rounds are counted from there. */
  roundOffset: number
  /** Was that an unchecked prompt? It counts once; the next reset needs a message that is surely the human's. */
  isResetUnverified: boolean
  verdict?: VerdictState
  /** What keeps the judge from judging, as found out at the start; empty if it answered. */
  judgeProblem?: string
  /** The last question that the judge was asked by the contract in force, and the hash of its file. */
  judgeQuestion?: { round: number; sha256: string } | undefined
  /** Set while the judge is to be asked again. */
  judgeWait: JudgeWait | null
  question: string | null
  /** The last contract that needed a human's approval; removed when a contract is sealed or amended. */
  approval?: ApprovalStatus | undefined
  /** Why it failed, or needs a human. */
  problem?: string | undefined
  startExitCode?: number
  /** The exit code of `wait` for the problem, if it is not the usual one. */
  problemExitCode?: number | undefined
  /** How many turns in a row the orchestrator tried to end without having asked for anything. */
  idleTurns: number
  /** How many contracts were rejected in a row. */
  contractRejections: number
  isStuck: boolean
  /** What a person should know of an agent, although nothing waits for them: it makes the same call again and again. */
  remarks: { agent: string; text: string }[]
  /** The vendor's usage limit, while it lasts. */
  usageLimit: { reason: string; resetsAt: string | null; worker?: string | undefined } | null
  /** What the orchestrator has cost, as its claude reports it. `runUsd` is the figure of that claude alone. */
  orchestratorCost?: { usd: number; runUsd: number; unpricedModel: string | undefined }
  /** The cost of all agents when the budget was last reached. */
  budget?: { spentUsd: number; budgetUsd: number }
  /** How long it has worked since a person last spoke, without the time in which it waited, was parked or had no runner. */
  workedMs: number
  /** Has it worked for longer than allowed? Then it starts nothing new until a person answers. */
  isTimeUp: boolean
  /** Has the deadline passed without a verdict? */
  isPastDeadline: boolean
  /** The last event whose notification is in the outbox. */
  lastNotifiedSeq: number
  /** The last restart after a runner died, and how many in a row it was. */
  lastRestart?: NewStart
  /** The code that its last runner runs, such as `0.1.0+1a2b3c4d5e6f`; undefined for that of an older dispatch. */
  runnerVersion?: string | undefined
  /** The last time that its claude was started again without a person, and how many in a row it was. */
  lastResume?: NewStart | undefined
  /** How often since the last progress: a contract, a worker, a verdict, or a word of a person. */
  resumesWithoutProgress: number
  /** Has a person taken it up again since its claude was last started? */
  isReopened: boolean
  closed?: { actor: string; reason: string } | undefined
  landing?: LandingStatus
  /** The pull request with the work, as dispatch left it. */
  pullRequest?: Omit<Event<'pull-request.opened'>, 'seq' | 'type' | 'isNew'>
  /** Sessions that have landed changes to files of this one while it worked. */
  overlaps: { session: string; branch: string; files: string[] }[]
  /** Where the work is, in the order in which it landed. */
  landed: { number: number; branch: string; commit: string; tree: string; time: string }[]
}

/** How far the work is on its way to a branch. */
export interface LandingStatus {
  /** How often it was tried. */
  number: number
  branch: string
  /**
   * `ready`: checked, and perhaps pushed, if the process was killed in between. `unproved`: the forge has merged it, and what is on the
   * branch is not green. `merged`: the same, and it could not be decided whether that is green. `present`: the branch has the same
   * changes, for example because a person has merged them. `blocked`: a gate is not green on the branch without the work either.
   */
  state: Event<'landing.checked'>['result'] | Event<'landing.refused'>['cause'] | 'landed' | 'unproved' | 'merged'
  reason: string
  time: string
  /** What was or would be pushed, and the hash of its record; undefined for a conflict. */
  commit?: string
  tree?: string
  target?: string
  sha256?: string
}

export interface ClauseStatus {
  id: string
  sentence: string
  proof: ProofKind
  baseOutcome?: Outcome
  headOutcome?: Outcome
  /** How many tests the check ran on each side; missing if it is not a test run. */
  baseTests?: TestCounts
  headTests?: TestCounts
  verdict?: Verdict
  /** In how many rounds it was not met; missing for none. */
  failures?: number
}

/** A worker, as it was queued, and what came of it. `blockedBy` is null once it need not wait. */
export interface WorkerStatus extends Omit<Event<'worker.queued'>, 'seq' | 'type' | 'time' | 'worker'> {
  name: string
  queuedAt: string
  startedAt?: string | undefined
  /** Set while the vendor's limit keeps it from working. */
  parked?: { since: string; resetsAt: string | null; reason: string } | undefined
  /** How many of its attempts were cut off. */
  interruptions?: number
  endedAt?: string
  ending?: WorkerEnding
  reason?: string
  changedFiles?: number
  /** What its runs that have ended cost; null if nothing is known. */
  costUsd?: number | null
  /** The part of it that dispatch has estimated, because claude did not report it. */
  estimatedUsd?: number | undefined
  /** What its run has cost so far, as dispatch estimates it. */
  inFlightUsd?: number | undefined
}

/** A round without a verdict: the judge is asked again at `nextAt`, and at `until` for the last time. */
export interface JudgeWait {
  round: number
  /** Why there is no answer yet; empty when a person had it asked again and nothing has come back yet. */
  reason: string
  /** How often the judge has been asked since then. */
  attempts: number
  nextAt: string
  until: string
}

/** A process that died was started again: when (ISO 8601), and how many times in a row, each within ten minutes. */
export interface NewStart {
  time: string
  inARow: number
}

/** The last verdict, as its event has it. */
export interface VerdictState extends Omit<Event<'verdict.given'>, 'seq' | 'type' | 'clauses' | 'sha256'> {
  /** What changed after the verdict; undefined while it is valid. */
  voidReason?: string
}

export interface ApprovalStatus {
  sha256: string
  state: 'asked' | 'given' | 'declined'
  /** The sealed contract that it would replace. */
  previousSha256?: string
  dilutions: string[]
  reason: string
}
