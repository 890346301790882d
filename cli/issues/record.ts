import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { readJson } from '#host/fs'
import { ProcessIdentity } from '#host/process'
import { priorities } from '#queue'
import {
  createDamagedError,
  type ForgeKey,
  forgePlaceShape,
  formatForgeKey,
  getRecordFile,
  listAllRecordFiles,
  listRecordFiles,
  readRecordFile,
  withRecord,
  writeRecordFile,
} from '../forge-record.ts'

/** An issue on GitHub. */
export type IssueKey = ForgeKey

/**
 * What this home knows of an issue that it works on. It is written before anything is made on GitHub, so that a process that dies leaves
 * nothing that no other one knows of.
 *
 *   claiming -> claimed -> given back | lost | ended
 *
 * `lost`: another machine has it. `ended`: its session has ended long ago, or was removed. From `given back` on it is only a memory; what
 * it has left on GitHub can still be given back.
 */
export const IssueRecord = z.object({
  ...forgePlaceShape,
  isPlainHttp: z.boolean(),
  title: z.string(),
  state: z.enum(['claiming', 'claimed', 'given back', 'lost', 'ended']),
  reason: z.string(),
  /** Which claim it is, and the machine as its mark names it. */
  claim: z.string(),
  machine: z.string(),
  claimedAt: z.iso.datetime(),
  /** Where its branch was when it was claimed; null if not known, or if it had commits of others. With other commits it is not deleted. */
  branchTip: z.string().nullable(),
  commentId: z.number().nullable(),
  /** Why it started, and the moment that counts. */
  trigger: z.object({ kind: z.enum(['command', 'label', 'milestone']), by: z.string(), at: z.iso.datetime() }),
  checkout: z.string(),
  /** The task as it was at that moment, and how it is put into the queue. */
  task: z.string(),
  work: z.object({
    repository: z.string().nullable(),
    options: z.array(z.string()),
    priority: z.enum(priorities),
    tags: z.array(z.string()).optional(),
    needs: z.array(z.string()),
    notBefore: z.string().nullable(),
    after: z.array(z.string()),
  }),
  /** The command that starts its session itself. While it lives, it is not put into the queue. */
  starter: ProcessIdentity.nullable(),
  item: z.string().nullable(),
  /** The newest session that works on it. */
  session: z.string().nullable(),
  /** The hash of what its comment says. */
  commentHash: z.string(),
})

export type IssueRecord = z.infer<typeof IssueRecord>

/** The folder of the records of a home. */
export function getFolder(home: string): string {
  return path.join(home, 'issues')
}

/** The branch by which an issue is claimed. */
export function getClaimBranch({ number }: Pick<IssueKey, 'number'>): string {
  return `dispatch/issue-${number}`
}

/** `ada/notes#42`, for people. */
export const formatIssue = formatForgeKey

/** Is the issue claimed by this home, or on its way there? */
export function isHeld({ state }: Pick<IssueRecord, 'state'>): boolean {
  return state === 'claiming' || state === 'claimed'
}

/** The record of an issue; undefined without one. Exit 10 for a damaged one. */
export function readRecord(home: string, key: IssueKey): IssueRecord | undefined {
  const file = getRecordFile(home, 'issues', key)
  const record = parse(file)
  if (record !== undefined) return record ?? undefined
  throw createDamagedError(file, 'look at the issue: its comment and its branch say whether it is claimed.')
}

/** All records that can be read, also those that were put aside. */
export function listRecords(home: string): IssueRecord[] {
  return listAllRecordFiles(home, 'issues').flatMap(file => parse(file) ?? [])
}

/**
 * The records in use that can be read, by reading each once, and the names of the others: `unreadable`, which another version of dispatch has
 * written, and `damaged`, which are no JSON and were renamed, so that they hold up nothing.
 */
export function readRecords(home: string): { records: IssueRecord[]; damaged: string[]; unreadable: string[] } {
  const read = { records: [] as IssueRecord[], damaged: [] as string[], unreadable: [] as string[] }
  for (const file of listRecordFiles(home, 'issues')) {
    const content = readJson(file)
    const record = parseContent(content)
    if (record) read.records.push(record)
    else if (content === undefined) {
      fs.renameSync(file, `${file}.damaged`)
      read.damaged.push(`${path.basename(file)}.damaged`)
    } else if (record === undefined) read.unreadable.push(path.basename(file))
  }
  return read
}

/** Write what was changed of a record, and return it. It is on the disk when this returns. */
export function writeRecord(home: string, record: IssueRecord, changes: Partial<IssueRecord> = {}): IssueRecord {
  const changed = { ...record, ...changes }
  writeRecordFile(home, 'issues', changed)
  return changed
}

/** Do something with an issue while no other process of this home does. Undefined if one does. */
export function withIssue<Result>(home: string, key: IssueKey, work: () => Promise<Result>) {
  return withRecord(home, 'issues', key, work)
}

// --- internal ---

/** Null where there is no such file, undefined for a damaged one, and for one of another dispatch that this one does not know. */
function parse(file: string): IssueRecord | null | undefined {
  return parseContent(readRecordFile(file))
}

function parseContent(content: unknown): IssueRecord | null | undefined {
  if (content === null) return null
  const { gate, told, ...rest } = OldNames.safeParse(content).data ?? {}
  return IssueRecord.safeParse({ trigger: gate, commentHash: told, ...rest }).data
}

/** What `trigger` and `commentHash` were called before. */
const OldNames = z.looseObject({ gate: z.unknown().optional(), told: z.unknown().optional() })
