import path from 'node:path'
import { type Database, runTransaction } from '#host/sqlite.ts'
import { resolveSessionPaths } from '../paths.ts'
import { completeView, type SessionView } from '../status/view.ts'
import { listSessionIds } from '../store.ts'
import { type IndexedSession, readIndexed, readStamps } from './indexed-session.ts'

/** Which sessions to list. What is left out does not matter. */
export interface SessionQuery {
  /** States as a person reads them, such as `PASS` or `interrupted`, in any case. */
  states?: string[]
  /** Opened at this time or later, ISO 8601. */
  since?: string
  /** Words that the id, the task, the contract or the verdict contain, each of them, in any case. */
  search?: string
  limit?: number
}

/** A page of sessions, newest first, and how many of the others may match. */
export interface SessionPage {
  views: SessionView[]
  moreCount: number
}

/** How much of the update is done. Called after each session that was read. */
export type Progress = (done: number, all: number) => void

/**
 * The sessions of a workspace, by an index. Whatever the index holds, what is returned is true: a session that has changed since
 * is read again, and for one that has not ended, the processes are looked at.
 */
export class SessionIndex {
  private readonly database: Database
  private readonly workspace: string
  private readonly isReadOnly: boolean
  /** The sessions that this has left out, because what is so now could not be found out, and why. */
  readonly leftOut: { id: string; reason: string }[] = []

  constructor(database: Database, workspace: string, isReadOnly: boolean) {
    this.database = database
    this.workspace = workspace
    this.isReadOnly = isReadOnly
  }

  close(): void {
    this.database.close()
  }

  /**
   * Bring the index up to date: new sessions, removed ones, and those that have not ended. One that has ended is read again only
   * with `isThorough`, because nothing writes it any more but `dispatch judge`. Returns the ids that cannot be read.
   */
  update(options: { isThorough?: boolean; onProgress?: Progress } = {}): string[] {
    const stored = this.listStored()
    const ids = listSessionIds(this.workspace)
    const present = new Set(ids)
    const removed = [...stored.keys()].filter(id => !present.has(id))
    const doubtful = ids.filter(id => options.isThorough || stored.get(id)?.isOpen !== 0)
    const stale = doubtful.filter(id => stored.get(id)?.stamps !== readStamps(this.workspace, id))
    const unreadable: string[] = []
    for (let start = 0; start < Math.max(stale.length, removed.length); start += BATCH_SIZE)
      runTransaction(this.database, () => {
        for (const id of removed.slice(start, start + BATCH_SIZE)) this.delete(id)
        for (const [at, id] of stale.slice(start, start + BATCH_SIZE).entries()) {
          if (!this.readAgain(id)) unreadable.push(id)
          options.onProgress?.(start + at + 1, stale.length)
        }
      })
    return unreadable
  }

  async query(query: SessionQuery): Promise<SessionPage> {
    const { limit = Number.POSITIVE_INFINITY, states } = query
    const views: SessionView[] = []
    const ids = this.listMatches(query)
    let examinedCount = 0
    while (views.length < limit && examinedCount < ids.length) {
      // A batch at once, because comparing a judged tree waits for git.
      const batch = ids.slice(examinedCount, examinedCount + Math.min(limit - views.length, VIEW_BATCH_SIZE))
      examinedCount += batch.length
      const read = await Promise.all(batch.map(id => this.readView(id)))
      views.push(...read.flatMap(view => (view && (!states || isInState(view.state, states)) ? [view] : [])))
    }
    return { views, moreCount: ids.length - examinedCount }
  }

  /** The newest sessions, with these that a reader's index does not have yet. */
  async listNewest(limit: number, unindexed: string[]): Promise<SessionPage> {
    const newest = unindexed.toSorted().slice(-limit)
    const [{ views, moreCount }, read] = await Promise.all([
      this.listNewestIndexed(limit),
      Promise.all(newest.map(id => this.readView(id))),
    ])
    const all = [...views, ...read.flatMap(view => view ?? [])].sort(compareByAge)
    return {
      views: all.slice(0, limit),
      moreCount: moreCount + unindexed.length - newest.length + Math.max(0, all.length - limit),
    }
  }

  /** It reads no more rows than it returns, whatever their number. */
  private async listNewestIndexed(limit: number): Promise<SessionPage> {
    const page = this.database.prepare('SELECT id FROM sessions ORDER BY opened_at DESC, id LIMIT ? OFFSET ?')
    const count = Number(this.database.prepare('SELECT COUNT(*) AS count FROM sessions').get()?.['count'])
    const views: SessionView[] = []
    let examinedCount = 0
    while (views.length < limit) {
      const rows = page.all(Math.min(limit - views.length, VIEW_BATCH_SIZE), examinedCount)
      if (rows.length === 0) break
      examinedCount += rows.length
      const read = await Promise.all(rows.map(row => this.readView(String(row['id']))))
      views.push(...read.flatMap(view => view ?? []))
    }
    return { views, moreCount: Math.max(0, count - examinedCount) }
  }

  /** The sessions that have not ended, newest first, with those in which something has happened since then. Their work is not compared. */
  async listOpen(orSince: string): Promise<SessionView[]> {
    const rows = this.database
      .prepare('SELECT id FROM sessions WHERE is_open = 1 OR last_event_at >= ? ORDER BY opened_at DESC, id')
      .all(orSince)
    const views = await Promise.all(rows.map(row => this.readView(String(row['id']), { comparesWork: false })))
    return views.flatMap(view => view ?? [])
  }

  private listStored(): Map<string, { isOpen: number; stamps: string }> {
    const rows = this.database.prepare('SELECT id, is_open, stamps FROM sessions').all()
    return new Map(
      rows.map(row => [String(row['id']), { isOpen: Number(row['is_open']), stamps: String(row['stamps']) }]),
    )
  }

  /** The ids, newest first. A state that depends on processes is not decided here. */
  private listMatches({ states, since = '', search = '' }: SessionQuery): string[] {
    const words = splitWords(search)
    const conditions = [
      'opened_at >= ?',
      ...words.map(() => 'instr(words, ?) > 0'),
      ...(states ? [`(is_open = 1${states.map(() => ' OR lower(state) = ?').join('')})`] : []),
    ]
    const values = [since, ...words, ...(states ?? []).map(state => state.toLowerCase())]
    return this.database
      .prepare(`SELECT id FROM sessions WHERE ${conditions.join(' AND ')} ORDER BY opened_at DESC, id`)
      .all(...values)
      .map(row => String(row['id']))
  }

  private async readView(id: string, options = { comparesWork: true }): Promise<SessionView | undefined> {
    const row = this.database.prepare('SELECT stamps, session FROM sessions WHERE id = ?').get(id)
    const isFresh = row !== undefined && row['stamps'] === readStamps(this.workspace, id)
    const indexed = isFresh ? (JSON.parse(String(row['session'])) as IndexedSession) : this.readAgain(id)
    if (indexed === undefined) return undefined
    const { status, unreadableLines, ...session } = indexed
    const paths = resolveSessionPaths(path.join(this.workspace, id))
    try {
      return await completeView({ ...session, paths }, status, unreadableLines, options)
    } catch (error) {
      this.leftOut.push({ id, reason: describeError(error) }) // It keeps no other one from being listed.
      return undefined
    }
  }

  /** Read a session by its files, and store what they say. Undefined if it is gone or cannot be read. */
  private readAgain(id: string): IndexedSession | undefined {
    const read = readIndexed(this.workspace, id)
    if (this.isReadOnly) return read?.indexed
    if (read === undefined) {
      this.delete(id)
      return undefined
    }
    const { indexed, isOpen, state, stamps, logBytes, logSha256, words } = read
    this.database
      .prepare('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        ...[id, indexed.manifest.openedAt, state, isOpen ? 1 : 0, indexed.status.lastEventAt],
        ...[stamps, logBytes, logSha256, JSON.stringify(indexed), words],
      )
    return indexed
  }

  private delete(id: string): void {
    this.database.prepare('DELETE FROM sessions WHERE id = ?').run(id)
  }
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Does a text, as `readWords` returns it, contain each word of a search? Pure. */
export function containsWords(text: string, search: string): boolean {
  return splitWords(search).every(word => text.includes(word))
}

/** The newest first. Pure. */
export function compareByAge(a: SessionView, b: SessionView): number {
  return a.session.manifest.openedAt < b.session.manifest.openedAt ? 1 : -1
}

/** `PASS` is also the state of a verdict that has become void: `PASS (void)`. Pure. */
export function isInState(state: string, states: string[]): boolean {
  const plain = state.toLowerCase().replace(/ \(void\)$/, '')
  return states.some(wanted => [plain, state.toLowerCase()].includes(wanted.toLowerCase()))
}

// --- internal ---

/** So many sessions are stored in one transaction. Other processes wait for no longer than that takes. */
const BATCH_SIZE = 100
const VIEW_BATCH_SIZE = 32

function splitWords(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean)
}
