import type { Config } from '#host/config'
import { isDamage, isSqliteError } from '#host/sqlite.ts'
import { isStorageProblem } from '#host/storage-problem.ts'
import { readView, type SessionView } from '../status/view.ts'
import { listDamagedSessions, listSessions } from '../store.ts'
import { deleteIndex, openIndex, openIndexReadOnly } from './database.ts'
import { isOpen, readWords } from './indexed-session.ts'
import {
  containsWords,
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
    return { ...(await index.query(query)), damaged: listDamagedSessions(home.workspace, unreadable) }
  })
  if (!('problem' in page)) return page
  const { problem } = page
  return { ...(await scanSessions(home.workspace, query)), damaged: listDamagedSessions(home.workspace), problem }
}

/**
 * The sessions that have not ended, and with `orSince` (ISO 8601) those in which something has happened since then.
 * `isThorough` also looks whether a session that has ended was written afterwards, which takes longer: a process that runs all
 * the time does that now and then.
 */
export async function listOpenSessions(
  home: Home,
  { orSince = END_OF_TIME, isThorough = false } = {},
): Promise<SessionView[]> {
  const open = await withIndex(home, async index => {
    index.update({ isThorough })
    return { views: await index.listOpen(orSince) }
  })
  if (!('problem' in open)) return open.views
  const views = await Promise.all(listSessions(home.workspace).map(readView))
  return views.filter(({ status }) => isOpen(status) || status.lastEventAt >= orSince)
}

/** The newest sessions, for a process that writes nothing. Without an index, by reading them. */
export async function listNewestSessions(home: Home, limit: number): Promise<ListedSessions> {
  const { workspace } = home
  const database = await openIndexReadOnly(home.home)
  if (database === undefined)
    return { ...(await scanSessions(workspace, { limit })), damaged: [], problem: 'there is no index of the sessions' }
  const index = new SessionIndex(database, workspace, true)
  try {
    return { ...(await index.listNewest(limit, listUnindexed(database, home))), damaged: [] }
  } catch (error) {
    if (!isSqliteError(error)) throw error
    return { ...(await scanSessions(workspace, { limit })), damaged: [], problem: describe(error) }
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
      if (!isDamage(error) || isRetry) return { problem: describe(error) }
      deleteIndex(home)
    }
  }
}

async function scanSessions(workspace: string, query: SessionQuery): Promise<SessionPage> {
  const { limit = Number.POSITIVE_INFINITY, states, since = '', search = '' } = query
  const sessions = listSessions(workspace).filter(({ manifest }) => manifest.openedAt >= since)
  const matching = sessions.filter(session => containsWords(readWords(session), search))
  if (states === undefined) {
    const views = await Promise.all(matching.slice(0, limit).map(readView))
    return { views, moreCount: Math.max(0, matching.length - limit) }
  }
  const views = (await Promise.all(matching.map(readView))).filter(({ state }) => isInState(state, states))
  return { views: views.slice(0, limit), moreCount: Math.max(0, views.length - limit) }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
