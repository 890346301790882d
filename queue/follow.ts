import type { Database } from '#host/sqlite.ts'
import { isItemId, parseId, parseWork, type Row, selectRows } from './rows.ts'

/** Does a session on which items wait have its PASS? `pending` while that is open, `gone` if it was removed. */
export type ReadEnd = (sessionId: string) => Promise<'passed' | 'pending' | 'gone' | { ended: string }>

/** The first of these that has no PASS yet, and how it ended, if it did; undefined if all have passed. */
export async function findMissing(
  database: Database,
  names: string[],
  readSessionEnd: ReadEnd,
): Promise<{ name: string; end: 'pending' | { ended: string } } | undefined> {
  for (const name of names) {
    const end = await readEnd(database, name, readSessionEnd)
    if (end !== 'passed') return { name, end }
  }
  return undefined
}

/** Those of these that have ended without a PASS. */
export async function listEndedBadly(database: Database, names: string[], readSessionEnd: ReadEnd): Promise<string[]> {
  const ends = await Promise.all(names.map(name => readEnd(database, name, readSessionEnd)))
  return names.filter((_, at) => typeof ends[at] === 'object')
}

/** Why an item needs a person that comes after something that has ended without a PASS. Pure. */
export function describeMissing(name: string, ended: string): string {
  return `it comes after ${name}, which ended with ${ended}`
}

/** The items that never began, and need a person because one of these had ended. Now that it has passed, they wait. */
export function freeFollowers(database: Database, names: (string | null)[], nowMs: number): void {
  const stopped = selectRows(database, "state = 'needs you' AND attempt = 0")
  const free = database.prepare("UPDATE items SET state = 'waiting', reason = '', since = ? WHERE number = ?")
  const isFree = (reason: string) => names.some(name => name !== null && reason.startsWith(describeMissing(name, '')))
  for (const { number, reason } of stopped) if (isFree(reason)) free.run(nowMs, number)
}

/** The work of an item without some of those that it comes after, as it is stored. Pure. */
export function withoutAfter({ work }: Pick<Row, 'work'>, names: string[]): string {
  const parsed = parseWork(work)
  return JSON.stringify({ ...parsed, after: parsed.after.filter(name => !names.includes(name)) })
}

// --- internal ---

async function readEnd(
  database: Database,
  name: string,
  readSessionEnd: ReadEnd,
): Promise<'passed' | 'pending' | { ended: string }> {
  if (!isItemId(name)) {
    const end = await readSessionEnd(name)
    return end === 'gone' ? { ended: 'its removal' } : end
  }
  const [item] = selectRows(database, 'number = ?', parseId(name))
  if (item === undefined) return { ended: 'its removal from the queue' }
  if (item.state !== 'done') return item.state === 'cancelled' ? { ended: 'cancelled' } : 'pending'
  // It was done. That its session was removed since changes nothing.
  const end = item.session_id === null ? 'passed' : await readSessionEnd(item.session_id)
  return end === 'gone' ? 'passed' : end
}
