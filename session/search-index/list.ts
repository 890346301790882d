import type { Config } from '#host/config'
import { isDamage, isSqliteError } from '#host/sqlite.ts'
import { isStorageProblem } from '#host/storage-problem.ts'
import type { Session } from '../manifest.ts'
import { readView, type SessionView } from '../status/view.ts'
import { listDamagedSessions, listSessions } from '../store.ts'
import { deleteIndex, openIndex, openIndexReadOnly } from './database.ts'
import { isOpen, readWords } from './indexed-session.ts'
import {
  containsWords,
  describeError,
  isInState,
  type Progress,
  SessionIndex,
  type SessionPage,
  type SessionQuery,
} from './session-index.ts'
import { listUnindexed } from './unindexed.ts'

type Home = Pick<Config, 'home' | 'workspace'>

export interface ListedSessions extends SessionPage {
  /** Sessions that cannot be read, and why. */
  damaged: { id: string; reason: string }[]
  /** Why the index was not used, so that every session was read; undefined if it was. */
  problem?: string
}

/** The newest sessions that match, after the index was brought up to date. Without an index, by reading each session. */
export async function listSessionPage(home: Home, query: SessionQuery, onProgress?: Progress): Promise<ListedSessions> {
  const page = await withIndex(home, async index => {
    const unreadable = index.update(onProgress ? { onProgress } : {})
    const page = await index.query(query)
    return { ...page, damaged: [...listDamagedSessions(home.workspace, unreadable), ...index.leftOut] }
  })
  if (!('problem' in page)) return page
  const { problem } = page
  const { damaged, ...scanned } = await scanSessions(home.workspace, query)
  return { ...scanned, damaged: [...listDamagedSessions(home.workspace), ...damaged], problem }
}

interface OpenOptions {
  orSince?: string
  isThorough?: boolean
  onLeftOut?(id: string, reason: string): void
}

/**
 * The sessions that have not ended, and with `orSince` (ISO 8601) those in which something has happened since then.
 * `isThorough` also looks whether a session that has ended was written afterwards, which takes longer: a process that runs all
 * the time does that now and then. The work is not compared, which would cost git processes for each verdict: whether a PASS still holds
 * is for `readView` to say. A session that cannot be read is left out, and `onLeftOut` gets its id and why.
 */
export async function listOpenSessions(home: Home, options: OpenOptions = {}): Promise<SessionView[]> {
  const { orSince = END_OF_TIME, isThorough = false, onLeftOut } = options
  const open = await withIndex(home, async index => {
    index.update({ isThorough })
    return { views: await index.listOpen(orSince), leftOut: index.leftOut }
  })
  const { views, leftOut } = 'problem' in open ? await readViews(listSessions(home.workspace)) : open
  for (const { id, reason } of leftOut) onLeftOut?.(id, reason)
  return views.filter(({ status }) => isOpen(status) || status.lastEventAt >= orSince)
}

/** The newest sessions, for a process that writes nothing. Without an index, by reading them. */
export async function listNewestSessions(home: Home, limit: number): Promise<ListedSessions> {
  const { workspace } = home
  const database = await openIndexReadOnly(home.home)
  if (database === undefined)
    return { ...(await scanSessions(workspace, { limit })), problem: 'there is no index of the sessions' }
  const index = new SessionIndex(database, workspace, true)
  try {
    return { ...(await index.listNewest(limit, listUnindexed(database, home))), damaged: index.leftOut }
  } catch (error) {
    if (!isSqliteError(error)) throw error
    return { ...(await scanSessions(workspace, { limit })), problem: describeError(error) }
  } finally {
    index.close()
  }
}

// --- internal ---

/** After every time in ISO 8601. */
const END_OF_TIME = '~'

/** A damaged index is deleted and made again, once. What else is wrong with it is no reason not to list the sessions. */
async function withIndex<Result>(
  { home, workspace }: Home,
  work: (index: SessionIndex) => Promise<Result>,
): Promise<Result | { problem: string }> {
  for (let isRetry = false; ; isRetry = true) {
    try {
      const index = new SessionIndex(await openIndex(home), workspace, false)
      try {
        return await work(index)
      } finally {
        index.close()
      }
    } catch (error) {
      if (!isSqliteError(error) && !isStorageProblem(error)) throw error
      if (!isDamage(error) || isRetry) return { problem: describeError(error) }
      deleteIndex(home)
    }
  }
}

async function scanSessions(workspace: string, query: SessionQuery): Promise<Omit<ListedSessions, 'problem'>> {
  const { limit = Number.POSITIVE_INFINITY, states, since = '', search = '' } = query
  const sessions = listSessions(workspace).filter(({ manifest }) => manifest.openedAt >= since)
  const matching = sessions.filter(session => containsWords(readWords(session), search))
  const wanted = states === undefined ? matching.slice(0, limit) : matching
  const { views: all, leftOut: damaged } = await readViews(wanted)
  const views = states === undefined ? all : all.filter(({ state }) => isInState(state, states))
  const count = states === undefined ? matching.length : views.length
  return { views: views.slice(0, limit), moreCount: Math.max(0, count - limit), damaged }
}

/** Those that can be read and compared, and what is wrong with the others. */
async function readViews(sessions: Session[]): Promise<Pick<SessionIndex, 'leftOut'> & { views: SessionView[] }> {
  const leftOut: SessionIndex['leftOut'] = []
  const read = sessions.map(session =>
    readView(session).catch(error => void leftOut.push({ id: session.id, reason: describeError(error) })),
  )
  return { views: (await Promise.all(read)).flatMap(view => view ?? []), leftOut }
}
