import type { Database } from '#host/sqlite.ts'
import { MINUTE_MS } from '#host/time.ts'
import { describeMissing, findMissing, type ReadEnd } from './follow.ts'
import type { Claimant } from './queue.ts'
import { parseWork, type Row, selectRows } from './rows.ts'

/** The time, and what became of a session. */
interface ChooseOptions {
  nowMs: number
  readSessionEnd: ReadEnd
}

/**
 * What may start next: by priority, then in the order of the line. Its repository must have room, this machine must have what it
 * needs, and all must have passed on which it waits. Each row that is taken from here counts against the room of its repository.
 */
export async function* chooseNext(
  database: Database,
  { capabilities, roomByRepository, defaultRoom }: Pick<Claimant, 'capabilities' | 'roomByRepository' | 'defaultRoom'>,
  { nowMs, readSessionEnd }: ChooseOptions,
): AsyncGenerator<Row> {
  const room = { ...roomByRepository }
  for (const row of listDue(database, nowMs)) {
    const { repository, after, needs } = parseWork(row.work)
    const name = repository ?? ''
    const left = room[name] ?? defaultRoom
    if (left <= 0 || !needs.every(need => capabilities.includes(need))) continue
    if (!(await mayFollow(database, row, after, { nowMs, readSessionEnd }))) continue
    room[name] = left - 1
    yield row
  }
}

// --- internal ---

const PAGE_ROWS = 50

/** After an attempt that failed for a reason of the machine, an item rests for less than this. */
const MAX_REST_MS = 60 * MINUTE_MS
/** It rests, and the clock was set back since that began: then the rest would last as much longer. */
const restBeforeSetBack = 'attempt > 0 AND since > ? AND not_before - since <= ?'

/** What waits and may start by now, the first first, a page at a time: most claims need no second one. */
function* listDue(database: Database, nowMs: number): Generator<Row> {
  let page: Row[]
  let last: [number, number, number] = [-1, 0, 0]
  do {
    page = selectRows(
      database,
      `state = 'waiting' AND (not_before <= ? OR ${restBeforeSetBack}) AND (priority, rank, number) > (?, ?, ?)
       ORDER BY priority, rank, number LIMIT ${PAGE_ROWS}`,
      nowMs,
      nowMs,
      MAX_REST_MS,
      ...last,
    )
    yield* page
    const end = page.at(-1)
    if (end) last = [end.priority, end.rank, end.number]
  } while (page.length === PAGE_ROWS)
}

/** Has all ended with PASS on which it waits? If something ended otherwise, it needs a person. */
async function mayFollow(
  database: Database,
  { number }: Row,
  after: string[],
  { nowMs, readSessionEnd }: ChooseOptions,
): Promise<boolean> {
  const missing = await findMissing(database, after, readSessionEnd)
  if (missing === undefined) return true
  if (missing.end !== 'pending')
    database
      .prepare("UPDATE items SET state = 'needs you', reason = ?, since = ? WHERE number = ? AND state = 'waiting'")
      .run(describeMissing(missing.name, missing.end.ended), nowMs, number)
  return false
}
