import type { Config } from '#host/config'
import { DAY_MS } from '#host/time.ts'
import { findSession } from '#session'
import { listChangedPaths } from '#session/repository'
import { listOpenSessions } from '#session/search-index'
import type { SessionView } from '#session/status'

/**
 * Other sessions of the same repository, at work or with a PASS, that change files of this one and have not landed: they are stale now,
 * and are proved again when they land. Those in which nothing has happened for a week are left out.
 */
export async function findStaleSiblings(config: Config, id: string): Promise<string[]> {
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
  const stale: string[] = []
  for (const view of siblings.slice(0, MAX_SIBLING_COUNT))
    if ((await listWorkFiles(view)).some(file => own.has(file))) stale.push(view.session.id)
  return stale
}

// --- internal ---

const SIBLING_AGE_MS = 7 * DAY_MS
const MAX_SIBLING_COUNT = 100

/** What its workers have handed in so far. */
async function listWorkFiles(view: SessionView | undefined): Promise<string[]> {
  const commit = view?.status.verdict?.commit ?? view?.status.acceptedCommit
  const base = view?.status.base?.commit
  if (view === undefined || commit === undefined || base === undefined) return []
  return (await listChangedPaths(view.session.paths, base, commit)).map(({ path }) => path)
}
