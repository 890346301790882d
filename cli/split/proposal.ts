import { z } from 'zod'
import { removeHidden } from '#forge/sub-issues'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readJson } from '#host/fs'
import { parseJson } from '#host/json.ts'
import { sanitize } from '#host/text.ts'
import {
  createDamagedError,
  forgePlaceShape,
  formatForgeKey,
  getRecordFile,
  withRecord,
  writeRecordFile,
} from '../forge-record.ts'
import type { IssueKey } from '../issues/record.ts'

const MAX_ISSUES_COUNT = 8
const MAX_TITLE_CHARS = 120
const MAX_TEXT_CHARS = 6000
const MAX_SENTENCE_CHARS = 500

const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\r\n]*$/, 'one line')

/** An issue that is proposed. `after`: the numbers of earlier ones, counted from 1. */
export const ProposedIssue = z.strictObject({
  title: line(MAX_TITLE_CHARS),
  text: z.string().trim().min(1).max(MAX_TEXT_CHARS),
  acceptance: z.array(line(MAX_SENTENCE_CHARS)).min(1).max(10),
  after: z.array(z.int().positive()).max(MAX_ISSUES_COUNT),
})
export type ProposedIssue = z.infer<typeof ProposedIssue>

/** How an issue could be split, as an agent must answer. What comes after another one stands below it, so there is no circle. */
export const Proposal = z
  .strictObject({ issues: z.array(ProposedIssue).min(2).max(MAX_ISSUES_COUNT) })
  .check(context => {
    for (const [at, { after }] of context.value.issues.entries())
      if (after.some(number => number > at) || new Set(after).size < after.length)
        context.issues.push({
          code: 'custom',
          message: 'may only name earlier entries, each once',
          input: after,
          path: ['issues', at, 'after'],
        })
  })
export type Proposal = z.infer<typeof Proposal>

/** What this home knows of a proposal, and what has come of it on GitHub. It is written before and after each thing that is made. */
export const SplitRecord = z.object({
  ...forgePlaceShape,
  title: z.string(),
  state: z.enum(['proposed', 'accepting', 'accepted']),
  /** By it what was made is found again. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  proposedAt: z.iso.datetime(),
  /** The hash of the words that it is about. */
  wordsSha256: z.string(),
  model: z.string(),
  costUsd: z.number(),
  issues: z.array(ProposedIssue),
  /** The issues that were made, in the order of `issues`. */
  made: z.array(z.object({ number: z.int(), id: z.int(), url: z.string() })),
})
export type SplitRecord = z.infer<typeof SplitRecord>

/**
 * Read an answer of an agent, or what a person has made of it: JSON, also in one code fence. What no reader would see is taken out.
 * Returns what is wrong with it otherwise.
 */
export function parseProposal(text: string): Proposal | { problem: string } {
  const plain = /^\s*```(?:json)?\n([\s\S]*)\n```\s*$/.exec(text)?.[1] ?? text
  const parsed = Proposal.safeParse(parseJson(plain))
  if (parsed.success) return { issues: parsed.data.issues.map(clean) }
  const [issue] = parsed.error.issues
  return { problem: `${issue?.path.join('.') || 'the answer'}: ${issue?.message ?? 'it is no JSON'}` }
}

/** The record of a split; undefined without one. Exit 10 for a damaged one. */
export function readSplit(home: string, key: IssueKey): SplitRecord | undefined {
  const content = readJson(getFile(home, key))
  if (content === null) return undefined
  const record = SplitRecord.safeParse(content).data
  if (record !== undefined) return record
  const remedy = `look at the sub-issues on GitHub and run: dispatch split ${key.number}`
  throw createDamagedError(getFile(home, key), remedy)
}

/** Write what was changed of a record, and return it. It is on the disk when this returns. */
export function writeSplit(home: string, record: SplitRecord, changes: Partial<SplitRecord> = {}): SplitRecord {
  const changed = { ...record, ...changes }
  writeRecordFile(home, 'issues/splits', changed)
  return changed
}

/** Do something with a split while no other command of this home does. Exit 5 if one does. A claim of the issue has another lease. */
export async function withSplit<Result>(home: string, key: IssueKey, work: () => Promise<Result>): Promise<Result> {
  const done = await withRecord(home, 'issues/splits', key, work)
  if (done !== undefined) return done.result
  throw new DispatchError(`another command of this machine works on the proposal for ${formatForgeKey(key)}`, {
    exitCode: exitCodes.conflict,
    remedy: 'Wait for it, then run the same command again.',
  })
}

/** Exit 5: the proposal that is kept is not the one that this command has begun with. */
export function createChangedError(key: IssueKey): DispatchError {
  return new DispatchError(`another command has changed the proposal for ${formatForgeKey(key)} meanwhile`, {
    exitCode: exitCodes.conflict,
    remedy: `Nothing was changed. To see what is kept, and be asked: dispatch split ${key.number} --accept`,
  })
}

/** Exit 5: a proposal of which issues are on GitHub already is what they are. */
export function createHalfMadeError(record: SplitRecord): DispatchError {
  return new DispatchError(`the proposal for ${formatForgeKey(record)} is half made on GitHub, so it stays as it is`, {
    exitCode: exitCodes.conflict,
    remedy: `Finish it first, without --edit: dispatch split ${record.number} --accept`,
  })
}

// --- internal ---

function getFile(home: string, key: IssueKey): string {
  return getRecordFile(home, 'issues/splits', key)
}

/** What a person reads on the screen is all that goes to GitHub. */
function clean({ title, text, acceptance, after }: ProposedIssue): ProposedIssue {
  const show = (words: string) => sanitize(removeHidden(words)).trim() || '…'
  return { title: show(title), text: show(text), acceptance: acceptance.map(show), after }
}
