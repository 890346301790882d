import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { DAY_MS } from '#host/time.ts'
import { listRemovableCaches } from './caches.ts'
import { listOldRecords } from './forge-records.ts'
import { listLeftovers } from './leftovers.ts'
import { listOldItems, listOldLogs, listOldNotifications } from './records.ts'
import type { Removable } from './removable.ts'
import { listRemovableSessions } from './sessions.ts'
import { listOldVersions } from './versions.ts'

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

/**
 * List what can be removed without losing anything. Nothing is changed. What cannot be looked at, such as a damaged queue, is in
 * `problems`, and the rest is listed. `onProgress` counts sessions.
 */
export async function listRemovable(
  config: Config,
  { sessionAgeMs, dependencyAgeMs }: TidyRule,
  onProgress?: (done: number, all: number) => void,
): Promise<{ removable: Removable[]; problems: string[] }> {
  const groups: (() => Removable[] | Promise<Removable[]>)[] = [
    () => listLeftovers(config),
    () => (sessionAgeMs === null ? [] : listRemovableSessions(config, sessionAgeMs, onProgress)),
    () => listRemovableCaches(config, dependencyAgeMs),
    () => listOldNotifications(config),
    () => listOldItems(config),
    () => listOldRecords(config),
    () => listOldLogs(config),
    () => listOldVersions(config),
  ]
  const removable: Removable[] = []
  const problems: string[] = []
  for (const list of groups) {
    try {
      removable.push(...(await list()))
    } catch (error) {
      const known = toStorageError(config.home, error)
      if (!(known instanceof DispatchError)) throw error
      problems.push(known.message)
    }
  }
  return { removable, problems }
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

/** Exit 10 where something could not be looked at or removed. */
export function requireRemoved(results: TidyResult[], [problem]: string[]): void {
  const failed = results.filter(({ action }) => action === 'failed')
  const [first] = failed
  if (first === undefined && problem === undefined) return
  if (first === undefined)
    throw new DispatchError(`not everything could be looked at: ${problem}`, {
      exitCode: exitCodes.storage,
      remedy: 'The rest was looked at. Correct this, then run the command again.',
    })
  throw new DispatchError(`${failed.length} of ${results.length} could not be removed: ${first.name}: ${first.error}`, {
    exitCode: exitCodes.storage,
    remedy: 'Look at the folder, then run the command again. The rest was removed.',
  })
}

// --- internal ---

const SCHEDULED_DEPENDENCY_DAYS = 30
