import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { DAY_MS } from '#host/time.ts'
import { listRemovableCaches } from './caches.ts'
import { listLeftovers } from './leftovers.ts'
import { listExpiredRecords } from './records.ts'
import type { Removable } from './removable.ts'
import { listRemovableSessions } from './sessions.ts'

/** How much is removed. Ages are in milliseconds since the last use. */
export interface TidyRule {
  /** Null: no session. */
  sessionAgeMs: number | null
  dependencyAgeMs: number
}

/** What became of one thing. `kept`: it is needed again since it was listed. */
export interface TidyResult extends Omit<Removable, 'remove'> {
  action: 'removed' | 'kept' | 'failed'
  /** Why it could not be removed. */
  error?: string
}

/** What the daemon removes once a day: caches that were not used for 30 days, and sessions only where the settings say so. */
export function getScheduledRule({ TIDY, KEEP_SESSIONS_DAYS }: Config): TidyRule {
  return {
    sessionAgeMs: TIDY === 'sessions' ? KEEP_SESSIONS_DAYS * DAY_MS : null,
    dependencyAgeMs: SCHEDULED_DEPENDENCY_DAYS * DAY_MS,
  }
}

/** List what can be removed without losing anything. Nothing is changed. `onProgress` counts sessions. */
export async function listRemovable(
  config: Config,
  { sessionAgeMs, dependencyAgeMs }: TidyRule,
  onProgress?: (done: number, all: number) => void,
): Promise<Removable[]> {
  const sessions = sessionAgeMs === null ? [] : await listRemovableSessions(config, sessionAgeMs, onProgress)
  return [
    ...(await listLeftovers(config)),
    ...sessions,
    ...(await listRemovableCaches(config, dependencyAgeMs)),
    ...(await listExpiredRecords(config)),
  ]
}

/** Remove what was listed, one after the other. What fails stops nothing else. */
export async function removeAll(
  removable: Removable[],
  onProgress?: (done: number, all: number) => void,
): Promise<TidyResult[]> {
  const results: TidyResult[] = []
  for (const { remove, ...each } of removable) {
    try {
      results.push({ ...each, action: (await remove()) ? 'removed' : 'kept' })
    } catch (error) {
      if (!(error instanceof Error)) throw error
      results.push({ ...each, action: 'failed', error: error.message })
    }
    onProgress?.(results.length, removable.length)
  }
  return results
}

/** Exit 10 where something could not be removed. */
export function requireRemoved(results: TidyResult[]): void {
  const failed = results.filter(({ action }) => action === 'failed')
  const [first] = failed
  if (first === undefined) return
  throw new DispatchError(`${failed.length} of ${results.length} could not be removed: ${first.name}: ${first.error}`, {
    exitCode: exitCodes.storage,
    remedy: 'Look at the folder, then run the command again. The rest was removed.',
  })
}

// --- internal ---

const SCHEDULED_DEPENDENCY_DAYS = 30
