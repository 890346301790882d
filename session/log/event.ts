import { z } from 'zod'
import { TestCounts } from '../evidence/test-counts.ts'

const countSchema = z.number().int().nonnegative()
const hashSchema = z.string().regex(/^[0-9a-f]{40,64}$/)
const workerKindSchema = z.enum(['code', 'rw'])
export const proofKindSchema = z.enum(['check', 'guard', 'judged', 'scope'])
export const outcomeSchema = z.enum(['green', 'red', 'nothing ran', 'could not run', 'flaky'])
export const verdictSchema = z.enum(['PASS', 'FAIL', 'INCONCLUSIVE'])

export type WorkerKind = z.infer<typeof workerKindSchema>
export type ProofKind = z.infer<typeof proofKindSchema>
export type Outcome = z.infer<typeof outcomeSchema>
export type Verdict = z.infer<typeof verdictSchema>

/** How a worker's run ended. Only `reported` means that its model finished by itself, without an error. */
const workerEndingSchema = z.enum(['reported', 'failed', 'silent', 'timed out', 'died', 'stopped'])
export type WorkerEnding = z.infer<typeof workerEndingSchema>

export const modelsSchema = z.object({ orchestrator: z.string(), code: z.string(), rw: z.string(), judge: z.string() })

/** The sandbox of agents and checks. `kind` is null without one, and `reason` says why. With one it says whether it was asked for. */
export const sandboxSchema = z.object({ kind: z.enum(['bubblewrap', 'seatbelt']).nullable(), reason: z.string() })

/** What the events of a sealed and of an amended contract have in common. */
const contractFields = {
  sha256: hashSchema,
  clauses: z.array(z.object({ id: z.string(), sentence: z.string(), proof: proofKindSchema })),
  uncoveredSentences: z.array(z.string()),
  /** What the contract leaves out, each with its reason. Missing in a log of an older dispatch. */
  excludedSentences: z.array(z.string()).optional(),
}

/** What an event of each type holds, besides its number, its time and its type. */
export const eventSchemas = {
  'session.opened': z.object({
    format: z.literal(1),
    task: z.object({ bytes: countSchema, sha256: hashSchema, title: z.string() }),
    repository: z.string().nullable(),
    uncommittedFiles: countSchema,
    models: modelsSchema,
    maxRounds: countSchema,
    allowsJudgedOnly: z.boolean(),
    /** Missing in a log of an older dispatch. */
    sandbox: sandboxSchema.optional(),
    /** The hash of `session.json`. */
    sha256: hashSchema.optional(),
  }),
  /**
   * `consecutiveRestarts`: how many so far, each within ten minutes. `version`: the code that it runs, such as
   * `0.1.0+1a2b3c4d5e6f`. Both are missing in a log of an older dispatch.
   */
  'runner.started': z.object({
    pid: countSchema,
    generation: countSchema,
    consecutiveRestarts: countSchema.optional(),
    version: z.string().optional(),
  }),
  'base.prepared': z.object({ commit: hashSchema, tree: hashSchema }),
  /** The project's dependencies are installed on a clean copy. `cacheKey` is the hash of what they are made from. */
  'dependencies.started': z.object({ cacheKey: z.string(), commands: z.array(z.string()) }),
  'dependencies.ended': z.object({
    cacheKey: z.string(),
    result: z.enum(['made', 'cached', 'failed']),
    reason: z.string(),
    seconds: countSchema,
  }),
  'orchestrator.started': z.object({ claudeSessionId: z.string() }),
  'start.failed': z.object({ reason: z.string(), exitCode: countSchema }),
  'contract.rejected': z.object({ problems: z.array(z.string()) }),
  'contract.sealed': z.object(contractFields),
  /** A later version of the contract. `dilutions` describe what it weakens; a human has approved them. */
  'contract.amended': z.object({
    ...contractFields,
    version: countSchema,
    changes: z.array(z.string()),
    dilutions: z.array(z.string()),
  }),
  'check.ran': z.object({
    side: z.enum(['base', 'head']),
    round: countSchema,
    clauseId: z.string(),
    outcome: outcomeSchema,
    reason: z.string(),
    /** How many tests it ran; missing if it is not a test run. */
    tests: TestCounts.optional(),
    milliseconds: countSchema,
    recordId: z.string(),
    /** The hash of the record's file. */
    sha256: hashSchema.optional(),
  }),
  'request.rejected': z.object({ tool: z.string(), reason: z.string() }),
  'write.blocked': z.object({ agent: z.string(), file: z.string() }),
  'worker.queued': z.object({
    worker: z.string(),
    kind: workerKindSchema,
    model: z.string(),
    clauses: z.array(z.string()),
    files: z.array(z.string()),
    blockedBy: z.string().nullable(),
    /** The orchestrator's request, so that the next runner does not carry it out twice. */
    requestId: z.string().optional(),
  }),
  'lock.granted': z.object({ worker: z.string(), fencingToken: countSchema }),
  'lock.released': z.object({ worker: z.string(), fencingToken: countSchema, reason: z.string() }),
  'worker.started': z.object({ worker: z.string() }),
  'worker.ended': z.object({
    worker: z.string(),
    ending: workerEndingSchema,
    reason: z.string(),
    commit: hashSchema.nullable(),
    changedFiles: countSchema,
    costUsd: z.number().nullable(),
    seconds: countSchema,
  }),
  /** What the run of a worker has cost so far, by the tokens in its transcript. Claude reports dollars only at its end. */
  'cost.estimated': z.object({
    worker: z.string(),
    usd: z.number().nonnegative(),
    inputTokens: countSchema,
    outputTokens: countSchema,
  }),
  /** Its claude had given its result and did not end. Dispatch has ended it, and the worker goes on to commit. */
  'worker.hung': z.object({ worker: z.string(), seconds: countSchema }),
  /** The vendor's limit stopped it. It starts again with the same brief when the limit is over. */
  'worker.parked': z.object({
    worker: z.string(),
    reason: z.string(),
    resetsAt: z.iso.datetime().nullable(),
    commit: hashSchema.nullable(),
    costUsd: z.number().nullable(),
  }),
  /**
   * Its process was cut off before it could report: `attempt` (from 1). It starts again with the same brief, and what it had
   * changed is kept apart.
   */
  'worker.interrupted': z.object({ worker: z.string(), attempt: countSchema, reason: z.string() }),
  /** With `attempt`, that attempt of the worker had made them before it was cut off; otherwise no worker had. */
  'changes.quarantined': z.object({ worker: z.string(), files: z.array(z.string()), attempt: countSchema.optional() }),
  'question.asked': z.object({ question: z.string() }),
  /** Claude's own hook reported a prompt. Who typed it is not checked. */
  'question.answered': z.object({ source: z.string() }),
  /** A human's message reached the orchestrator. Its text is in `messages/`. */
  'message.delivered': z.object({
    messageId: z.string(),
    bytes: countSchema,
    sha256: hashSchema,
    delivery: z.enum(['began a turn', 'joined the running turn']),
  }),
  'message.rejected': z.object({ messageId: z.string(), reason: z.string() }),
  /** The contract with this hash is in `messages/` and needs a human's approval. */
  'approval.requested': z.object({
    sha256: hashSchema,
    /** The sealed contract that it would replace. Missing before the seal, and in a log of an older dispatch. */
    previousSha256: hashSchema.optional(),
    /** What an amendment weakens, and why. A first contract has neither. */
    dilutions: z.array(z.string()).optional(),
    reason: z.string().optional(),
  }),
  'contract.approved': z.object({ sha256: hashSchema, actor: z.string() }),
  'contract.declined': z.object({ sha256: hashSchema, actor: z.string() }),
  /**
   * The agent (`orchestrator` or a worker) has made the same call with the same result many times in a row. Recorded once, and
   * again with `isOver` when it does something else. `target` is the command, the file or the tool.
   */
  'command.repeated': z.object({
    agent: z.string(),
    target: z.string(),
    times: countSchema,
    isOver: z.boolean().optional(),
  }),
  'turn.ended': z.object({ isBlocked: z.boolean() }),
  'judging.started': z.object({ round: countSchema, commit: hashSchema, tree: hashSchema }),
  /** One word was asked of the judge. `problem` is what keeps it from judging; empty if it answered. */
  'judge.checked': z.object({ model: z.string(), problem: z.string(), remark: z.string().optional() }),
  /** The judge is asked in this round. `sha256` is the hash of the kept question, with which it can be asked again. */
  'judge.asked': z.object({ round: countSchema, sha256: hashSchema }),
  /** The judge gave no answer, for a reason that may pass. It is asked again at `nextAt`, and at `until` for the last time. */
  'judging.parked': z.object({
    round: countSchema,
    kind: z.string(),
    reason: z.string(),
    /** How often it was asked, each time for up to `JUDGE_TIMEOUT_SEC`. */
    attempts: countSchema,
    nextAt: z.iso.datetime(),
    until: z.iso.datetime(),
  }),
  /** A person had the judge asked again, for the kept tree of this round. */
  'judging.requested': z.object({ round: countSchema, actor: z.string(), until: z.iso.datetime() }),
  'verdict.given': z.object({
    round: countSchema,
    verdict: verdictSchema,
    reason: z.string(),
    commit: hashSchema,
    tree: hashSchema,
    isFinal: z.boolean(),
    independence: z.string(),
    /** The judge gave no answer, so it can be asked again for the same tree. */
    isUnanswered: z.boolean().optional(),
    requestId: z.string().optional(),
    clauses: z.array(z.object({ id: z.string(), verdict: verdictSchema })),
    /** The hash of `verdict.json`. */
    sha256: hashSchema.optional(),
  }),
  'verdict.voided': z.object({ reason: z.string() }),
  /** `outputs/` is the judged tree again, so a void verdict holds. */
  'verdict.restored': z.object({ commit: hashSchema }),
  /**
   * The commit that would land on a branch, and what was found out about it. `ready`: it may be pushed. `sha256` is the hash of
   * `evidence/landing-<number>.json`.
   */
  'landing.checked': z.object({
    number: countSchema,
    branch: z.string(),
    commit: hashSchema,
    tree: hashSchema,
    target: hashSchema,
    /** `blocked`: a gate is not green on the branch without the work either. */
    result: z.enum(['ready', 'red', 'blocked', 'stale', 'undecided']),
    reason: z.string(),
    sha256: hashSchema,
    /** It was on the branch before it was checked: the forge has made it from a pull request. */
    isOnBranch: z.boolean().optional(),
    /** Nothing was to be pushed, so it changes nothing of where the work stands. */
    isDryRun: z.boolean().optional(),
  }),
  /** Nothing landed: the work does not merge, the branch has all of it already, or the remote refused it. */
  'landing.refused': z.object({
    branch: z.string(),
    target: hashSchema,
    cause: z.enum(['conflict', 'present', 'refused']),
    reason: z.string(),
    files: z.array(z.string()),
    isDryRun: z.boolean().optional(),
  }),
  /** Another session has landed changes to these files of this one, whose work is proved again when it lands. */
  'landing.overlapped': z.object({ session: z.string(), branch: z.string(), files: z.array(z.string()) }),
  /** This commit is on the branch. */
  'landing.pushed': z.object({ number: countSchema, branch: z.string(), commit: hashSchema, tree: hashSchema }),
  /**
   * The commit that is about to be pushed for a pull request: the work as one commit of the user. `verdict` is null for work that no
   * verdict is valid for.
   */
  'pull-request.prepared': z.object({
    remote: z.string(),
    branch: z.string(),
    commit: hashSchema,
    tree: hashSchema,
    verdict: verdictSchema.nullable(),
  }),
  /** The pull request with this commit is on the forge, new or brought up to date. */
  'pull-request.opened': z.object({
    number: countSchema,
    url: z.string(),
    branch: z.string(),
    base: z.string(),
    commit: hashSchema,
    tree: hashSchema,
    /** Has dispatch made a draft of it? */
    isDraft: z.boolean(),
    isNew: z.boolean(),
    /** The issues that it closes when it is merged. */
    closes: z.array(z.string()).optional(),
  }),
  /** The session cannot continue without a human. `exitCode`: for the command that waits, if not that of a question. */
  'human.needed': z.object({ reason: z.string(), exitCode: countSchema.optional() }),
  'orchestrator.stuck': z.object({ idleSeconds: countSchema }),
  /** Reported by an agent's hooks: a tool failed, or a subagent ended. */
  'tool.failed': z.object({ agent: z.string(), tool: z.string(), reason: z.string() }),
  'subagent.ended': z.object({ agent: z.string(), kind: z.string() }),
  /** The vendor's usage limit. `resetsAt` is when the vendor says that it ends; `worker` met it, or else the orchestrator. */
  'usage-limit.reached': z.object({
    reason: z.string(),
    resetsAt: z.iso.datetime().nullable(),
    worker: z.string().optional(),
  }),
  'usage-limit.lifted': z.object({ source: z.string() }),
  /**
   * Its claude was started again: by itself for the `consecutiveResumes`th time in a row, or by a person's message where that is
   * missing. Without its transcript it begins a new conversation.
   */
  'orchestrator.resumed': z.object({
    claudeSessionId: z.string(),
    reason: z.string().optional(),
    consecutiveResumes: countSchema.optional(),
    isNewConversation: z.boolean().optional(),
  }),
  'session.slept': z.object({ afterSeconds: z.number() }),
  'machine.slept': z.object({ seconds: z.number() }),
  /** What the orchestrator has cost: in all, and as its claude counts since it was started or resumed. */
  'cost.reported': z.object({
    usd: z.number(),
    runUsd: z.number(),
    /** A model whose price claude does not know. */
    unpricedModel: z.string().optional(),
  }),
  /** Less than 1 GB is free on the disk of the home. */
  'disk.low': z.object({ freeBytes: z.number() }),
  'budget.reached': z.object({ spentUsd: z.number(), budgetUsd: z.number() }),
  /** It has worked for longer than allowed, without the time in which it waited. It starts nothing new until a person answers. */
  'time-limit.reached': z.object({ workedSeconds: countSchema, limitSeconds: countSchema }),
  'deadline.passed': z.object({ deadline: z.iso.datetime() }),
  /** The notification of event `eventSeq` is in the outbox: it will be delivered even if the runner dies. */
  'notification.queued': z.object({ eventSeq: countSchema, eventType: z.string() }),
  'session.closed': z.object({ actor: z.string(), reason: z.string() }),
  /** A person goes on with a session that was closed before it had a final verdict. */
  'session.reopened': z.object({ actor: z.string() }),
} as const

type EventSchemas = typeof eventSchemas
export type EventType = keyof EventSchemas

/** Something that happened, named in the past tense. The fields are small facts; content is in files. */
export type EventBody = { [Type in EventType]: { type: Type } & z.infer<EventSchemas[Type]> }[EventType]

/** An event in `events.jsonl`, of one type or of any: numbered from 1, with the time in ISO 8601. */
export type Event<Type extends EventType = EventType> = {
  [Each in Type]: { seq: number; time: string; type: Each } & z.infer<EventSchemas[Each]>
}[Type]

/** A function for every type of event. */
export type EventTable<Result, Args extends unknown[] = []> = {
  [Type in EventType]: (event: Event<Type>, ...args: Args) => Result
}
