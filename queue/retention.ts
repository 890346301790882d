import { type Database, runTransaction } from '#host/sqlite.ts'
import { formatId, parseId, parseWork } from './rows.ts'

/** The ids of items that ended before this time, and on which nothing waits. */
export function listForgettable(database: Database, before: string): string[] {
  const open = database.prepare("SELECT work FROM items WHERE state NOT IN ('done', 'cancelled')").all()
  const needed = new Set(open.flatMap(row => parseWork(String(row['work'])).after))
  const ended = database
    .prepare("SELECT number FROM items WHERE state IN ('done', 'cancelled') AND since < ? ORDER BY number")
    .all(Date.parse(before))
  return ended.map(row => formatId(Number(row['number']))).filter(id => !needed.has(id))
}

/** Remove these, as far as they still can be forgotten, and old starts. Returns how many items are gone. */
export function forgetItems(database: Database, ids: string[], before: string): number {
  return runTransaction(database, () => {
    const forgotten = listForgettable(database, before).filter(id => ids.includes(id))
    const remove = database.prepare('DELETE FROM items WHERE number = ?')
    for (const id of forgotten) remove.run(parseId(id))
    database.prepare('DELETE FROM starts WHERE at < ?').run(Date.parse(before))
    return forgotten.length
  })
}
