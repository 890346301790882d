import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { Finding } from '#forge/feedback'
import { toOneLine } from '#host/text.ts'
import type { Session } from '#session'
import { landingAuthors } from '#session/landing'
import {
  createDamagedError,
  type ForgeKey,
  forgePlaceShape,
  getRecordFile,
  listAllRecordFiles,
  listRecordFiles,
  readRecordFile,
  retryUntilFree,
  withRecord,
  writeRecordFile,
} from '../forge-record.ts'

const states = ['open', 'retrying', 'answering', 'needs you', 'ended'] as const

/** A new attempt at what came back. */
const Attempt = z.object({
  /** Names its item, and marks the words of people in its task. */
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
export type Attempt = z.infer<typeof Attempt>

/**
 * What this home knows of a pull request that it has opened. Each change is written before what follows from it is done, so that a
 * process that dies leaves nothing that no other one knows of.
 *
 *   open -> retrying -> answering -> open
 *     |                     |
 *     +-----> needs you <---+        each of them -> ended
 */
export const PullRequestRecord = z.object({
  ...forgePlaceShape,
  isPlainHttp: z.boolean(),
  checkout: z.string(),
  base: z.string(),
  branch: z.string(),
  author: z.enum(landingAuthors),
  /** The sessions whose work was pushed, the oldest first. The branch has that of the last one. */
  sessions: z.array(z.string()).min(1),
  /** What was asked of the first of them, and the commits that each has pushed: a session may be removed. */
  first: z.object({ task: z.string(), title: z.string() }).optional(),
  pushed: z.record(z.string(), z.array(z.string())).default({}),
  /** It is a draft that dispatch has made. One that a person has made stays one. */
  isDraft: z.boolean().default(false),
  state: z.enum(states),
  reason: z.string(),
  /** It needs a person because of what is on its branch, and not because of the work. */
  isBlocked: z.boolean(),
  since: z.string(),
  /** Why the last looks have brought nothing, how many they are, and where it was then; null after one that worked. */
  failure: z
    .object({ reason: z.string(), count: z.number().int(), state: z.enum(states) })
    .nullable()
    .default(null),
  /** How many new attempts dispatch has made by itself since a person last said that it is to go on. */
  retries: z.number().int(),
  /** The last new attempt. */
  attempt: Attempt.nullable(),
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
  throw createDamagedError(file, 'run `dispatch pr` of its session again.')
}

/** The key of the item of an attempt. */
export function getAttemptKey(id: Attempt['id']): string {
  return `pull-request/${id}`
}

/** All records that can be read, also those that were put aside. */
export function listPullRequestRecords(home: string): PullRequestRecord[] {
  return listAllRecordFiles(home, 'pull-requests').flatMap(file => parse(file) ?? [])
}

/** Those that have not ended. */
export function listOpenRecords(home: string): PullRequestRecord[] {
  const records = listRecordFiles(home, 'pull-requests').flatMap(file => parse(file) ?? [])
  return records.filter(({ state }) => state !== 'ended')
}

/** The record of the pull request that has the work of a session, or had it before a newer one. */
export function findRecordOf(home: string, sessionId: string): PullRequestRecord | undefined {
  const found = listPullRequestRecords(home).filter(({ sessions }) => sessions.includes(sessionId))
  return found.find(({ state }) => state !== 'ended') ?? found.at(-1)
}

/** The record of the pull request to which a session belongs: also that of a new attempt whose work was not pushed yet. */
export function findRecordFor(
  home: string,
  { id, manifest: { queueItem } }: Pick<Session, 'id' | 'manifest'>,
): PullRequestRecord | undefined {
  const isAttempt = ({ state, attempt }: PullRequestRecord) =>
    state !== 'ended' && attempt?.item != null && attempt.item === queueItem?.item && attempt.outcome?.commit == null
  return findRecordOf(home, id) ?? listPullRequestRecords(home).find(isAttempt)
}

/** The sessions that may have a part in what a record says: those whose work was pushed, and that of the last new attempt. Pure. */
export function listSessionsOf({ sessions, attempt }: Pick<PullRequestRecord, 'sessions' | 'attempt'>): string[] {
  return [...sessions, ...(attempt?.outcome?.session == null ? [] : [attempt.outcome.session])]
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
  writeRecordFile(home, 'pull-requests', changed)
  return changed
}

/** After so many looks in a row that have brought nothing, a person is needed. */
export const MAX_FAILURES = 10

/** Note a look that has brought nothing, for a reason that does not pass by itself. After the last one of a row a person is needed. */
export function countFailure(
  home: string,
  record: PullRequestRecord,
  { reason: text, isBlocked }: Pick<PullRequestRecord, 'reason' | 'isBlocked'>,
): PullRequestRecord {
  const { state, failure } = record
  if (state === 'needs you' || state === 'ended') return record
  const reason = toOneLine(text, MAX_REASON_CHARS)
  const changes = { failure: { reason, count: (failure?.count ?? 0) + 1, state } }
  if (changes.failure.count < MAX_FAILURES) return writePullRequestRecord(home, record, changes)
  return writePullRequestRecord(home, record, { ...changes, state: 'needs you', reason, isBlocked })
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

/** What is noted of the pull request that has the work of a session. */
type PullRequestFacts = Pick<
  PullRequestRecord,
  'isPlainHttp' | 'url' | 'checkout' | 'base' | 'branch' | 'author' | 'isDraft' | 'first'
> &
  ForgeKey & { session: string; commits: string[] }

/** Do something with the record of a pull request, as soon as no other process, such as the daemon, is at it. Exit 5 where one stays there. */
export async function withPullRequest<Result>(
  home: string,
  key: ForgeKey & { url: string },
  work: () => Result,
): Promise<Result> {
  const { result } = await retryUntilFree(key, () => withRecord(home, 'pull-requests', key, async () => work()))
  return result
}

/**
 * Note that a pull request has the work of a session: for a first time, or in the place of an earlier session. For a process that has
 * its record to itself.
 */
export function rememberPullRequest(home: string, facts: PullRequestFacts): PullRequestRecord {
  const { session, commits, first, ...place } = facts
  const known = readPullRequestRecord(home, facts)
  const sessions = [...(known?.sessions ?? []).filter(id => id !== session), session]
  const pushed = { ...known?.pushed, [session]: commits }
  if (known !== undefined) {
    const state = known.state === 'ended' ? 'open' : known.state
    const changes = { ...place, sessions, pushed, state }
    const isSame = JSON.stringify({ ...known, ...changes }) === JSON.stringify(known)
    return isSame ? known : writePullRequestRecord(home, known, changes)
  }
  return writePullRequestRecord(home, {
    ...place,
    ...{ sessions, pushed, ...(first && { first }) },
    ...{
      state: 'open',
      reason: '',
      isBlocked: false,
      since: new Date().toISOString(),
      failure: null,
      retries: 0,
      attempt: null,
      settled: {},
      settledWords: {},
      ignored: [],
    },
    secret: randomBytes(8).toString('hex'),
  })
}

// --- internal ---

const MAX_REASON_CHARS = 300

/** Null where there is no such file, undefined for a damaged one. */
function parse(file: string): PullRequestRecord | null | undefined {
  const content = readRecordFile(file)
  if (content === null) return null
  // An earlier dispatch called the attempt a round.
  const isEarlier = typeof content === 'object' && 'round' in content
  return PullRequestRecord.safeParse(isEarlier ? { attempt: content.round, ...content } : content).data
}
