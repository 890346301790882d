import { DispatchError, exitCodes } from '#host/error.ts'
import { type Database, runTransaction } from '#host/sqlite.ts'
import type { CopyOptions, CopyReport } from './queue.ts'
import { allColumns, formatId, isItemId, parseId, parseWork, type Row, RowWithTask, SCHEMA_VERSION } from './rows.ts'

/** See `Queue.addCopy`. */
export function addCopy(database: Database, file: string, options: CopyOptions): CopyReport {
  database.prepare('ATTACH DATABASE ? AS copy').run(file)
  try {
    const version = Number(database.prepare('PRAGMA copy.user_version').get()?.['user_version'])
    if (version > SCHEMA_VERSION)
      throw new DispatchError('the queue of the backup was written by a newer dispatch', {
        exitCode: exitCodes.dependency,
        remedy: 'Restore with that newer dispatch, or update this one.',
      })
    return runTransaction(database, () => {
      const isEmpty = database.prepare('SELECT 1 FROM main.items LIMIT 1').get() === undefined
      keepNumbers(database)
      if (!isEmpty) return { isWhole: false, added: addUnfinished(database, options) }
      addAll(database)
      return { isWhole: true, added: [] }
    })
  } finally {
    database.exec('DETACH DATABASE copy')
  }
}

// --- internal ---

/** The queue becomes the copy: every item keeps its id. */
function addAll(database: Database): void {
  for (const table of ['items', 'starts']) {
    const own = listColumns(database, 'main', table)
    const names = listColumns(database, 'copy', table)
      .filter(name => own.includes(name))
      .join(', ')
    database.exec(`INSERT OR IGNORE INTO main.${table} (${names}) SELECT ${names} FROM copy.${table}`)
  }
  database.exec('UPDATE main.items SET claimed_by = NULL')
}

/** Items of another queue get new ids. What is known already is left out. */
function addUnfinished(database: Database, { origin, isOwn, findSession }: CopyOptions): string[] {
  if (isOwn && !hasOtherItems(database)) return []
  const known = database.prepare('SELECT number FROM main.items WHERE key = ? OR (number = ? AND enqueued_at = ?)')
  const insert = database.prepare(
    `INSERT INTO main.items (key, work, task, repository, priority, rank, not_before, enqueued_at, state, reason, since,
       attempt, failures, session_id, previous_session_id, claimed_by, renewed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0)`,
  )
  const ids = new Map<string, string>()
  const added: string[] = []
  for (const row of readRows(database, "state NOT IN ('done', 'cancelled')")) {
    const parsed = parseWork(row.work)
    const key = parsed.key ?? `restored-${origin}-${formatId(row.number)}`
    let number = known.get(key, row.number, row.enqueued_at)?.['number']
    if (number === undefined) {
      const { work, missing } = moveAfter(database, row, ids)
      const [state, sessionId] = findPlace(row, findSession)
      number = insert.run(
        ...[key, work, row.task, parsed.repository ?? '', row.priority, row.rank, row.not_before, row.enqueued_at],
        ...[missing === '' ? state : 'needs you', missing || row.reason, row.since],
        ...[row.attempt, row.failures, sessionId, row.previous_session_id],
      ).lastInsertRowid
      added.push(formatId(Number(number)))
    }
    ids.set(formatId(row.number), formatId(Number(number)))
  }
  return added
}

/** Has an id been given to something else here than in the copy? Then the copy is no earlier state of this queue. */
function hasOtherItems(database: Database): boolean {
  const other =
    'SELECT 1 FROM main.items JOIN copy.items AS c USING (number) WHERE main.items.enqueued_at <> c.enqueued_at'
  return database.prepare(`${other} LIMIT 1`).get() !== undefined
}

/** A start that was cut off has made its session, or waits again. */
function findPlace({ number, attempt, state, session_id }: Row, findSession: CopyOptions['findSession']) {
  if (state !== 'starting') return [state, session_id] as const
  const sessionId = findSession({ item: formatId(number), attempt })
  return [sessionId === undefined ? 'waiting' : 'running', sessionId ?? null] as const
}

/**
 * The work of an item with the new ids of what it comes after. What was done is left out, and of what ended otherwise the session is
 * named instead. Without one, `missing` says what a person has to know.
 */
function moveAfter(database: Database, row: Row, ids: Map<string, string>): { work: string; missing: string } {
  const work = parseWork(row.work)
  let missing = ''
  const after = work.after.flatMap(name => {
    if (!isItemId(name)) return [name]
    const known = ids.get(name)
    if (known !== undefined) return [known]
    const [ended] = readRows(database, 'number = ?', parseId(name))
    if (ended?.state === 'done') return []
    if (ended?.session_id != null) return [ended.session_id]
    missing = `it comes after ${name} of the queue that was restored, which did not end with PASS`
    return []
  })
  return { work: JSON.stringify({ ...work, after }), missing }
}

function readRows(database: Database, condition: string, ...values: number[]): RowWithTask[] {
  const rows = database
    .prepare(`SELECT ${allColumns} FROM copy.items WHERE ${condition} ORDER BY number`)
    .all(...values)
  return rows.map(row => RowWithTask.parse(row))
}

/** Sessions of the copy name its items, so no new item may get one of those ids. */
function keepNumbers(database: Database): void {
  const last = Math.max(readLastNumber(database, 'main'), readLastNumber(database, 'copy'))
  database.exec("DELETE FROM main.sqlite_sequence WHERE name = 'items'")
  database.prepare("INSERT INTO main.sqlite_sequence (name, seq) VALUES ('items', ?)").run(last)
}

function readLastNumber(database: Database, name: 'main' | 'copy'): number {
  return Number(database.prepare(`SELECT seq FROM ${name}.sqlite_sequence WHERE name = 'items'`).get()?.['seq'] ?? 0)
}

function listColumns(database: Database, name: 'main' | 'copy', table: string): string[] {
  return database
    .prepare(`PRAGMA ${name}.table_info(${table})`)
    .all()
    .map(row => String(row['name']))
}
