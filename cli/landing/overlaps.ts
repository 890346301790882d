import type { Config } from '#host/config'
import { identify } from '#host/process'
import { DAY_MS } from '#host/time.ts'
import { storeMessage } from '#runner'
import { findSession } from '#session'
import { cutNames } from '#session/log'
import { listChangedPaths } from '#session/repository'
import { listOpenSessions } from '#session/search-index'
import type { SessionView } from '#session/status'

/** Their ids, for a person. Empty where they cannot be read: what has landed is told all the same. */
export async function listStaleSiblings(config: Config, id: string): Promise<string[]> {
  const stale = await findStaleSiblings(config, id).catch(() => [])
  return stale.map(({ session }) => session.id)
}

/**
 * Tell the agents of the stale siblings that a session has landed: each runner says so in its session as soon as that works. Those with a
 * final verdict have no agent left to tell, and are proved again when they land.
 */
export async function tellStaleSiblings(config: Config, id: string, branch: string): Promise<void> {
  const identity = await identify(process.pid)
  if (identity === undefined) return
  const deadline = new Date(Date.now() + DAY_MS).toISOString()
  for (const { session, status, files } of await findStaleSiblings(config, id)) {
    const mayGoOn = status.verdict?.isFinal !== true && status.closed === undefined && status.phase !== 'failed'
    if (!mayGoOn || status.overlaps.some(each => each.session === id)) continue
    const sender = { ...identity, name: 'dispatch' }
    storeMessage(session, {
      kind: 'overlap',
      session: id,
      branch,
      files: cutNames(files),
      deadline,
      sender,
    })
  }
}

// --- internal ---

const SIBLING_AGE_MS = 7 * DAY_MS
const MAX_SIBLING_COUNT = 100

/** A session that has not landed, and the files that it changes like one that has. */
interface StaleSibling extends Pick<SessionView, 'session' | 'status'> {
  files: string[]
}

/**
 * Other sessions of the same repository, at work or with a PASS, that change files of this one and have not landed: they are stale now,
 * and are proved again when they land. Those in which nothing has happened for a week are left out.
 */
async function findStaleSiblings(config: Config, id: string): Promise<StaleSibling[]> {
  const { paths, manifest } = findSession(config.workspace, id)
  const repository = manifest.repository?.path
  const views = await listOpenSessions(config, { orSince: new Date(Date.now() - SIBLING_AGE_MS).toISOString() })
  const own = new Set(await listWorkFiles(views.find(({ session }) => session.paths.folder === paths.folder)))
  const siblings = views.filter(
    ({ session, status, state }) =>
      session.id !== id &&
      session.id !== manifest.retryOf?.session &&
      session.manifest.repository?.path === repository &&
      status.landed.length === 0 &&
      (state === 'PASS' || status.closed === undefined),
  )
  const stale: StaleSibling[] = []
  for (const view of siblings.slice(0, MAX_SIBLING_COUNT)) {
    const files = (await listWorkFiles(view)).filter(file => own.has(file))
    if (files.length > 0) stale.push({ session: view.session, status: view.status, files })
  }
  return stale
}

/** What its workers have handed in so far. */
async function listWorkFiles(view: SessionView | undefined): Promise<string[]> {
  const commit = view?.status.verdict?.commit ?? view?.status.acceptedCommit
  const base = view?.status.base?.commit
  if (view === undefined || commit === undefined || base === undefined) return []
  return (await listChangedPaths(view.session.paths, base, commit)).map(({ path }) => path)
}
