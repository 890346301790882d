import { z } from 'zod'

const count = z.number().int().nonnegative()
const sha = z.string().regex(/^[0-9a-f]{40,64}$/)
const workerKind = z.enum(['code', 'rw'])
export const proof = z.enum(['check', 'guard', 'judged', 'scope'])
export const outcome = z.enum(['green', 'red', 'could not run', 'flaky'])
export const finding = z.enum(['PASS', 'FAIL', 'INCONCLUSIVE'])

export type WorkerKind = z.infer<typeof workerKind>
export type Proof = z.infer<typeof proof>
export type Outcome = z.infer<typeof outcome>
export type Finding = z.infer<typeof finding>

/** How a worker's run ended. Only `reported` means that its model came to an end by itself without an error. */
const ending = z.enum(['reported', 'failed', 'silent', 'timed out', 'died', 'stopped'])
export type Ending = z.infer<typeof ending>

const facts = {
  'session.opened': z.object({
    format: z.literal(1),
    task: z.object({ bytes: count, sha256: sha, title: z.string() }),
    repository: z.string().nullable(),
    uncommitted: count,
    models: z.object({ orchestrator: z.string(), code: z.string(), rw: z.string(), judge: z.string() }),
    rounds: count,
    judgedOnly: z.boolean(),
    /** What holds agents and checks; null: nothing, and why. In a log of an older dispatch it is not said. */
    sandbox: z.object({ kind: z.enum(['bubblewrap', 'seatbelt']).nullable(), why: z.string() }).optional(),
    /** Of the bytes of `session.json`. */
    sha256: sha.optional(),
  }),
  /** `inRow`: which successor it is of a row in which each died within ten minutes; in a log of an older dispatch none. */
  'runner.started': z.object({ pid: count, generation: count, inRow: count.optional() }),
  'base.prepared': z.object({ commit: sha, tree: sha }),
  /** The commands that make the project's dependencies, on a clean copy; `key` names what they were made from. */
  'setup.started': z.object({ key: z.string(), commands: z.array(z.string()) }),
  'setup.ended': z.object({
    key: z.string(),
    how: z.enum(['made', 'cached', 'failed']),
    why: z.string(),
    seconds: count,
  }),
  'orchestrator.started': z.object({ claudeSession: z.string() }),
  'start.failed': z.object({ why: z.string(), exit: count }),
  'contract.refused': z.object({ problems: z.array(z.string()) }),
  'contract.sealed': z.object({
    sha256: sha,
    clauses: z.array(z.object({ id: z.string(), sentence: z.string(), proof })),
    uncovered: z.array(z.string()),
  }),
  /** A later version of the contract; `dilutions` are what it asks less of, which a human has said yes to. */
  'contract.amended': z.object({
    version: count,
    sha256: sha,
    clauses: z.array(z.object({ id: z.string(), sentence: z.string(), proof })),
    uncovered: z.array(z.string()),
    changes: z.array(z.string()),
    dilutions: z.array(z.string()),
  }),
  'check.ran': z.object({
    side: z.enum(['base', 'head']),
    round: count,
    clause: z.string(),
    outcome,
    why: z.string(),
    milliseconds: count,
    record: z.string(),
    /** Of the record's bytes. */
    sha256: sha.optional(),
  }),
  'request.refused': z.object({ tool: z.string(), why: z.string() }),
  'write.refused': z.object({ who: z.string(), file: z.string() }),
  'worker.queued': z.object({
    worker: z.string(),
    kind: workerKind,
    model: z.string(),
    clauses: z.array(z.string()),
    files: z.array(z.string()),
    waitsFor: z.string().nullable(),
    /** The orchestrator's request, so that a successor of the runner does not carry it out twice. */
    request: z.string().optional(),
  }),
  'lock.granted': z.object({ worker: z.string(), token: count }),
  'lock.released': z.object({ worker: z.string(), token: count, why: z.string() }),
  'worker.started': z.object({ worker: z.string() }),
  'worker.ended': z.object({
    worker: z.string(),
    how: ending,
    why: z.string(),
    commit: sha.nullable(),
    files: count,
    costUsd: z.number().nullable(),
    seconds: count,
  }),
  'changes.set-aside': z.object({ worker: z.string(), files: z.array(z.string()) }),
  'question.asked': z.object({ question: z.string() }),
  /** A prompt came in, as claude's own hook tells: nobody has checked whose it was. */
  'question.answered': z.object({ by: z.string() }),
  /** A human's word has arrived in the orchestrator; the word itself lies in `human/`. */
  'human.said': z.object({
    word: z.string(),
    bytes: count,
    sha256: sha,
    how: z.enum(['began a turn', 'joined the running turn']),
  }),
  'human.refused': z.object({ word: z.string(), why: z.string() }),
  /** The contract with this hash lies in `human/` and waits for a human's yes. */
  'approval.asked': z.object({
    sha256: sha,
    /** The sealed contract in whose place it would come; none before the seal, and in a log of an older dispatch. */
    from: sha.optional(),
    /** In what an amendment asks for less, and why it does; a first contract has neither. */
    dilutions: z.array(z.string()).optional(),
    why: z.string().optional(),
  }),
  'contract.approved': z.object({ sha256: sha, by: z.string() }),
  'contract.declined': z.object({ sha256: sha, by: z.string() }),
  'turn.ended': z.object({ held: z.boolean() }),
  'judging.started': z.object({ round: count, commit: sha, tree: sha }),
  'verdict.given': z.object({
    round: count,
    verdict: finding,
    reason: z.string(),
    commit: sha,
    tree: sha,
    final: z.boolean(),
    independence: z.string(),
    request: z.string().optional(),
    clauses: z.array(z.object({ id: z.string(), verdict: finding })),
    /** Of the bytes of `verdict.json`. */
    sha256: sha.optional(),
  }),
  'verdict.voided': z.object({ why: z.string() }),
  /** With the exit code of the door that waits, where it is not that of a question. */
  'orchestrator.gave-up': z.object({ why: z.string(), exit: count.optional() }),
  'orchestrator.stuck': z.object({ idleSeconds: count }),
  /** A tool of an agent failed, or a subagent of one came to its end, as its hook said. */
  'tool.failed': z.object({ who: z.string(), tool: z.string(), why: z.string() }),
  'subagent.ended': z.object({ who: z.string(), kind: z.string() }),
  /** The vendor's usage limit; `until` is when it says that it ends. */
  'limit.reached': z.object({ why: z.string(), until: z.iso.datetime().nullable() }),
  'limit.lifted': z.object({ by: z.string() }),
  'budget.reached': z.object({ spentUsd: z.number(), budgetUsd: z.number() }),
  'deadline.passed': z.object({ deadline: z.iso.datetime() }),
  /** The notice of event number `of` is on disk, and will be delivered whatever becomes of us. */
  'notice.queued': z.object({ of: count, about: z.string() }),
  'session.closed': z.object({ by: z.string(), why: z.string() }),
} as const

type Facts = typeof facts

/** Something that happened, in the past tense. The name says what, the rest is small facts; content lives in files. */
export type Happening = { [Name in keyof Facts]: { is: Name } & z.infer<Facts[Name]> }[keyof Facts]

/** A happening as it stands in `events.jsonl`: numbered from 1, with the wall clock in ISO 8601. */
export type Event = Happening & { seq: number; at: string }

/** A whole line of the log: its number, the hash of the line before it, and its event unless that is a newer or a foreign one. */
export interface Line {
  seq: number
  /** Undefined in a line of an older dispatch; empty where something else stands. */
  prev: string | undefined
  event: Event | undefined
}

const Head = z.looseObject({ seq: count, at: z.string(), is: z.string(), prev: z.string().optional().catch('') })

/** A line of the log, or undefined for a torn or a foreign one. */
export function parseLine(text: string): Line | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const head = Head.safeParse(value).data
  if (head === undefined) return undefined
  const { seq, at, is, prev } = head
  const body = Object.hasOwn(facts, is) ? facts[is as keyof Facts].safeParse(value) : undefined
  return { seq, prev, event: body?.success ? ({ seq, at, is, ...body.data } as Event) : undefined }
}

/** The event in a line of the log, or undefined for a torn, foreign or newer one. */
export function parseEvent(line: string): Event | undefined {
  return parseLine(line)?.event
}
