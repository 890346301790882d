import type { Config } from '#host/config'
import { type Entry, getLandingFolder, LandingQueue } from '#landing'
import { findSession, type Session } from '#session'
import { requirePass } from '#session/landing'
import { listChangedPaths } from '#session/repository'
import { readView } from '#session/status'
import { findCheckoutToLand, findTargetBranch } from './land-one.ts'

/** What is to land, as a person or the daemon asks for it. */
export type LandingWish = Pick<Entry, 'method' | 'author' | 'attendedBy' | 'sendsBack'> & {
  into: string | undefined
  repo: string | undefined
  /** Sessions that must have landed before, by their ids or a part of them. */
  after: string[]
}

/** What a session would be in the queue of its repository. Exit 5 without a valid PASS, 2 where the branch is not known. */
export async function buildEntry(
  config: Config,
  session: Session,
  wish: LandingWish,
): Promise<{ queue: LandingQueue; entry: Entry }> {
  const { into, repo, after, ...rest } = wish
  const checkout = await findCheckoutToLand(config, session, repo)
  const { base, commit } = await requirePass(session, (await readView(session)).status)
  await findTargetBranch(session, checkout, into)
  const files = (await listChangedPaths(session.paths, base, commit)).map(({ path }) => path)
  const now = new Date().toISOString()
  const entry: Entry = {
    format: 1,
    session: session.id,
    checkout,
    into: into ?? null,
    ...rest,
    after: after.map(id => findSession(config.workspace, id).id),
    files: files.slice(0, MAX_FILES),
    size: files.length,
    addedAt: now,
    retries: 0,
    retryItem: null,
    failures: 0,
    notBefore: null,
    reason: '',
    since: now,
    outcome: null,
    error: null,
  }
  return { queue: new LandingQueue(await getLandingFolder(config.home, checkout)), entry }
}

/** Put entries in at the same moment, each a millisecond after the one before, so that the order stays. `keepsOrder`: also by size. */
export function addEntries(queue: LandingQueue, entries: Entry[], keepsOrder: boolean): void {
  const startMs = Date.now()
  const largest = Math.max(...entries.map(({ size }) => size))
  for (const [index, entry] of entries.entries()) {
    const addedAt = new Date(startMs + index).toISOString()
    queue.add({ ...entry, addedAt, ...(keepsOrder && { size: largest }) })
  }
}

// --- internal ---

/** Overlaps are compared with these. */
const MAX_FILES = 2000
