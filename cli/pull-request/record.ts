import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { z } from 'zod'
import { Finding } from '#forge/feedback'
import { DispatchError, exitCodes } from '#host/error.ts'
import { makePrivateFolder, readJson, writeAtomic } from '#host/fs'
import { landingAuthors } from '#session/landing'
import { type ForgeKey, getRecordFile, listRecordFiles } from '../forge-record.ts'

/** A new attempt at what came back. */
const Round = z.object({
  /** Names its item, and fences the words of people in its task. */
  id: z.string(),
  findings: z.array(Finding),
  /** Where it begins: the commit of the pull request, or of the newest branch where they do not merge. */
  startCommit: z.string(),
  item: z.string().nullable(),
  /** How it has ended: its session, and the commit that was pushed; or why nothing was. */
  outcome: z
    .object({
      session: z.string().nullable(),
      commit: z.string().nullable(),
      reason: z.string(),
      /** Since when its item was as it was then. A session that is resumed later is not told by this outcome. */
      itemSince: z.string().default(''),
    })
    .nullable(),
})
export type Round = z.infer<typeof Round>

/**
 * What this home knows of a pull request that it has opened. Each change is written before what follows from it is done, so that a
 * process that dies leaves nothing that no other one knows of.
 *
 *   open -> retrying -> answering -> open
 *     |                     |
 *     +-----> needs you <---+        each of them -> ended
 */
export const PullRequestRecord = z.object({
  host: z.string(),
  owner: z.string(),
  name: z.string(),
  number: z.number().int(),
  isPlainHttp: z.boolean(),
  url: z.string(),
  checkout: z.string(),
  base: z.string(),
  branch: z.string(),
  author: z.enum(landingAuthors),
  /** The sessions whose work was pushed, the oldest first. The branch has that of the last one. */
  sessions: z.array(z.string()).min(1),
  state: z.enum(['open', 'retrying', 'answering', 'needs you', 'ended']),
  reason: z.string(),
  /** It needs a person because of what is on its branch, and not because of the work. */
  isBlocked: z.boolean(),
  since: z.string(),
  /** How many new attempts dispatch has made by itself since a person last said that it is to go on. */
  retries: z.number().int(),
  /** The last new attempt. */
  round: Round.nullable(),
  /** The words that were settled, by kind and number, with the hash of their text. */
  settled: z.record(z.string(), z.string()),
  /** The words of people that earlier attempts have settled, by their finding: each later attempt has them in its task, so that they stay true. */
  settledWords: z.record(z.string(), Finding.shape.words).default({}),
  /** Whose words were not read. */
  ignored: z.array(z.object({ author: z.string(), association: z.string(), count: z.number() })),
  /** Makes the marks of answers such that no other person can write one. */
  secret: z.string(),
})
export type PullRequestRecord = z.infer<typeof PullRequestRecord>

/** The record of a pull request; undefined without one. Exit 10 for a damaged one. */
export function readPullRequestRecord(home: string, key: ForgeKey): PullRequestRecord | undefined {
  const file = getRecordFile(home, 'pull-requests', key)
  const record = parse(file)
  if (record !== undefined) return record ?? undefined
  throw new DispatchError(`${file} is damaged`, {
    exitCode: exitCodes.storage,
    remedy: 'Move it away, then run `dispatch pr` of its session again.',
  })
}

/** The key of the item of an attempt. */
export function getRoundKey(id: Round['id']): string {
  return `pull-request/${id}`
}

/** All records that can be read. */
export function listPullRequestRecords(home: string): PullRequestRecord[] {
  return listRecordFiles(home, 'pull-requests').flatMap(file => parse(file) ?? [])
}

/** The record of the pull request that has the work of a session, or had it before a newer one. */
export function findRecordOf(home: string, sessionId: string): PullRequestRecord | undefined {
  const found = listPullRequestRecords(home).filter(({ sessions }) => sessions.includes(sessionId))
  return found.find(({ state }) => state !== 'ended') ?? found.at(-1)
}

/** Write what was changed of a record, and return it. It is on the disk when this returns. */
export function writePullRequestRecord(
  home: string,
  record: PullRequestRecord,
  changes: Partial<PullRequestRecord> = {},
): PullRequestRecord {
  const hasMoved = changes.state !== undefined && changes.state !== record.state
  const moved = hasMoved && { since: new Date().toISOString(), isBlocked: false }
  const changed = { ...record, ...moved, ...changes }
  const file = getRecordFile(home, 'pull-requests', record)
  makePrivateFolder(path.dirname(file))
  writeAtomic(file, `${JSON.stringify(changed, null, 2)}\n`)
  return changed
}

/** What a record says once these findings are settled: their words do not count again, and stay a part of what is asked for. Pure. */
export function settleFindings(
  { settled, settledWords }: Pick<PullRequestRecord, 'settled' | 'settledWords'>,
  findings: Finding[],
): Pick<PullRequestRecord, 'settled' | 'settledWords'> {
  const spoken = findings.filter(({ words }) => words.length > 0)
  return {
    settled: Object.assign({}, settled, ...findings.map(({ settles }) => settles)),
    settledWords: { ...settledWords, ...Object.fromEntries(spoken.map(({ key, words }) => [key, words])) },
  }
}

/** Note that a pull request has the work of a session: for a first time, or in the place of an earlier session. */
export function rememberPullRequest(
  home: string,
  facts: Pick<PullRequestRecord, 'isPlainHttp' | 'url' | 'checkout' | 'base' | 'branch' | 'author'> &
    ForgeKey & { session: string },
): PullRequestRecord {
  const { session, ...place } = facts
  const known = readPullRequestRecord(home, facts)
  const sessions = [...(known?.sessions ?? []).filter(id => id !== session), session]
  if (known !== undefined) {
    const isSame = known.sessions.at(-1) === session && known.base === place.base && known.state !== 'ended'
    const state = known.state === 'ended' ? 'open' : known.state
    return isSame ? known : writePullRequestRecord(home, known, { ...place, sessions, state })
  }
  return writePullRequestRecord(home, {
    ...place,
    sessions,
    ...{
      state: 'open',
      reason: '',
      isBlocked: false,
      since: new Date().toISOString(),
      retries: 0,
      round: null,
      settled: {},
      settledWords: {},
      ignored: [],
    },
    secret: randomBytes(8).toString('hex'),
  })
}

// --- internal ---

/** Null where there is no such file, undefined for a damaged one. */
function parse(file: string): PullRequestRecord | null | undefined {
  const content = readJson(file)
  return content === null ? null : PullRequestRecord.safeParse(content).data
}
