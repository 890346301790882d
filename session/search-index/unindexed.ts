import { readStamp } from '#host/fs'
import type { Database } from '#host/sqlite.ts'
import { listSessionIds } from '../store.ts'
import { readIndexStamp } from './database.ts'

/**
 * The ids of the sessions that an index does not have. At ten thousand sessions that takes 20 ms and megabytes, so a process that
 * asks again and again gets the same answer until the workspace or the index has changed.
 */
export function listUnindexed(database: Database, { home, workspace }: { home: string; workspace: string }): string[] {
  const stamp = [workspace, readStamp(workspace), readIndexStamp(home)].join(' ')
  if (kept?.stamp === stamp) return kept.ids
  const startedMs = Date.now()
  const rest = new Set(listSessionIds(workspace))
  for (const row of database.prepare('SELECT id FROM sessions').iterate()) rest.delete(String(row['id']))
  const answer = { stamp, ids: [...rest] }
  kept = isSettled(stamp, startedMs) ? answer : undefined
  return answer.ids
}

// --- internal ---

let kept: { stamp: string; ids: string[] } | undefined

/** A second change so soon after the first may leave the same time. */
const MIN_AGE_NS = 1_000_000_000n

/** Is every time in these stamps so old that the next change gets another one? Pure. */
function isSettled(stamp: string, nowMs: number): boolean {
  const youngest = BigInt(nowMs) * 1_000_000n - MIN_AGE_NS
  return stamp.split(' ').every(part => !/^\d{16,}$/.test(part) || BigInt(part) < youngest)
}
