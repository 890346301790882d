import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { makePrivateFolder } from '#host/fs'
import { checkLiveness, type Liveness, ProcessIdentity } from '#host/process'
import { type Database, openDatabase, readSchemaVersion, runTransaction } from '#host/sqlite.ts'
import { addCopy } from './add-copy.ts'
import { chooseNext } from './choose-next.ts'
import { freeFollowers, listEndedBadly, type ReadEnd, withoutAfter } from './follow.ts'
import type { Start } from './limits.ts'
import {
  type Claim,
  type Claimant,
  type CopyOptions,
  type CopyReport,
  type Fence,
  type Item,
  type ItemState,
  type ItemWithTask,
  itemStates,
  type NewItem,
  type Outcome,
  type Priority,
  priorities,
  type Queue,
} from './queue.ts'
import { forgetItems, listForgettable } from './retention.ts'
import {
  allColumns,
  endedCondition,
  formatId,
  getHeldValues,
  getNextState,
  heldCondition,
  isFailedStart,
  listStarts,
  parseId,
  parseWork,
  type Row,
  RowWithTask,
  runsSince,
  SCHEMA_VERSION,
  schema,
  selectRows,
  toItem,
  toItemWithTask,
} from './rows.ts'

interface QueueOptions {
  readSessionEnd: ReadEnd
  /** The time, in ms. Tests set it. */
  now?: () => number
}

/** The queue of one machine, in `$DISPATCH_HOME/queue.db`. Several processes may have it open. */
export async function openQueue(home: string, { readSessionEnd, now = Date.now }: QueueOptions): Promise<Queue> {
  makePrivateFolder(home)
  const file = path.join(home, 'queue.db')
  const database = await openDatabase(file, home)
  const version = readSchemaVersion(database)
  if (version > SCHEMA_VERSION) {
    database.close()
    throw new DispatchError(`${file} was written by a newer dispatch`, {
      exitCode: exitCodes.dependency,
      remedy: 'Use that newer dispatch, or update this one.',
    })
  }
  database.exec('PRAGMA synchronous = FULL') // An acknowledged item must be on the disk.
  // Who only reads must not wait for another process that writes.
  if (version < SCHEMA_VERSION) database.exec(`${schema}; PRAGMA user_version = ${SCHEMA_VERSION}`)
  fs.chmodSync(file, 0o600)
  return new SqliteQueue(database, readSessionEnd, now)
}

// --- internal ---

class SqliteQueue implements Queue {
  private readonly database: Database
  private readonly readSessionEnd: ReadEnd
  private readonly now: () => number

  constructor(database: Database, readSessionEnd: ReadEnd, now: () => number) {
    this.database = database
    this.readSessionEnd = readSessionEnd
    this.now = now
  }

  async enqueue(items: NewItem[]): Promise<string[]> {
    return runTransaction(this.database, () => items.map(item => this.insert(item)))
  }

  async claim(claimant: Claimant): Promise<Claim[]> {
    const claims: Claim[] = []
    if (claimant.slots <= 0) return claims
    const options = { nowMs: this.now(), readSessionEnd: this.readSessionEnd }
    for await (const { number } of chooseNext(this.database, claimant, options)) {
      const claimed = this.claimRow(number, claimant.process)
      if (claimed === undefined) continue
      claims.push({ item: formatId(number), attempt: claimed.attempt, work: toItemWithTask(claimed) })
      if (claims.length === claimant.slots) break
    }
    return claims
  }

  async take(id: string, holder: ProcessIdentity): Promise<Claim | undefined> {
    const row = this.claimRow(parseId(id), holder, "state IN ('waiting', 'needs you')")
    return row && { item: id, attempt: row.attempt, work: toItemWithTask(row) }
  }

  async adopt(fence: Fence, holder: ProcessIdentity): Promise<'held' | 'lost'> {
    return this.changeHeld(fence, 'claimed_by = ?', JSON.stringify(holder)) === 1 ? 'held' : 'lost'
  }

  async start(fence: Fence, sessionId: string): Promise<'held' | 'lost'> {
    return this.changeHeld(fence, `${runsSince}, session_id = ?`, this.now(), sessionId) === 1 ? 'held' : 'lost'
  }

  async renew(fence: Fence): Promise<'held' | 'lost'> {
    return this.changeHeld(fence, 'renewed_at = ?', this.now()) === 1 ? 'held' : 'lost'
  }

  async settle(fence: Fence, outcome: Outcome, next: NewItem[] = []): Promise<'settled' | 'stale'> {
    return runTransaction(this.database, () => {
      const [row] = this.select(heldCondition, ...getHeldValues(fence))
      if (row === undefined) return 'stale'
      if (isFailedStart(row, outcome)) this.recordFailedStart(fence)
      const failures = row.failures + (outcome.kind === 'failed' ? 1 : 0)
      const state = getNextState(outcome, failures)
      const notBefore = 'notBefore' in outcome && outcome.notBefore ? Date.parse(outcome.notBefore) : row.not_before
      this.changeHeld(
        fence,
        'state = ?, reason = ?, since = ?, failures = ?, not_before = ?, claimed_by = NULL',
        ...[state, outcome.reason, this.now(), failures, notBefore],
      )
      if (outcome.kind === 'done') freeFollowers(this.database, [fence.item, row.session_id], this.now())
      for (const item of next) this.insert(item)
      return 'settled'
    })
  }

  async resume({ item, attempt }: Fence, sessionId: string): Promise<'held' | 'lost'> {
    const statement = this.database.prepare(`UPDATE items SET ${runsSince} WHERE ${endedCondition}`)
    return statement.run(this.now(), parseId(item), attempt, sessionId).changes === 1 ? 'held' : 'lost'
  }

  async release(fence: Fence, reason: string): Promise<'settled' | 'stale'> {
    return this.settle(fence, { kind: 'released', reason })
  }

  async listStarts(since: string): Promise<Start[]> {
    return listStarts(this.database, Date.parse(since))
  }

  async releaseAbandoned(
    findSession: (fence: Fence) => string | undefined,
    { isHostGone = false } = {},
  ): Promise<Fence[]> {
    const released: Fence[] = []
    const gone: Liveness[] = isHostGone ? ['dead', 'elsewhere'] : ['dead']
    for (const row of this.select("state = 'starting'")) {
      const holder = ProcessIdentity.safeParse(JSON.parse(row.claimed_by ?? 'null')).data
      if (holder !== undefined && !gone.includes(await checkLiveness(holder))) continue
      const fence = { item: formatId(row.number), attempt: row.attempt }
      const sessionId = findSession(fence)
      if (sessionId !== undefined) await this.start(fence, sessionId)
      else if ((await this.release(fence, 'the process that started it is gone')) === 'settled') released.push(fence)
    }
    return released
  }

  async forgetHolders(): Promise<void> {
    this.database.exec("UPDATE items SET claimed_by = NULL WHERE state = 'starting'")
  }

  async addCopy(file: string, options: CopyOptions): Promise<CopyReport> {
    return addCopy(this.database, file, options)
  }

  async listForgettable(before: string): Promise<string[]> {
    return listForgettable(this.database, before)
  }

  async forget(ids: string[], before: string): Promise<number> {
    return forgetItems(this.database, ids, before)
  }

  async decide(id: string, decision: 'again' | 'cancel'): Promise<'done' | 'already'> {
    const [row] = this.select("number = ? AND state = 'needs you'", parseId(id))
    if (row === undefined) return 'already'
    const isAgain = decision === 'again'
    const waived = isAgain ? await listEndedBadly(this.database, parseWork(row.work).after, this.readSessionEnd) : []
    const { changes } = this.database
      .prepare(
        `UPDATE items SET state = ?, reason = ?, since = ?, failures = ?, not_before = 0, work = ?
         WHERE number = ? AND state = 'needs you'`,
      )
      .run(
        ...[isAgain ? 'waiting' : 'cancelled', waived.length > 0 ? `it goes on without ${waived.join(', ')}` : ''],
        ...[this.now(), isAgain ? 0 : row.failures, withoutAfter(row, waived), row.number],
      )
    return changes === 1 ? 'done' : 'already'
  }

  async cancel(id: string, reason: string): Promise<boolean> {
    const { changes } = this.database
      .prepare(
        `UPDATE items SET state = 'cancelled', reason = ?, since = ?, claimed_by = NULL, attempt = attempt + 1
         WHERE number = ? AND state NOT IN ('done', 'cancelled')`,
      )
      .run(reason, this.now(), parseId(id))
    return changes === 1
  }

  async move(id: string, { priority, first }: { priority?: Priority; first?: boolean }): Promise<boolean> {
    return runTransaction(this.database, () => {
      const [row] = this.select("number = ? AND state = 'waiting'", parseId(id))
      if (row === undefined) return false
      const wanted = priority === undefined ? row.priority : priorities.indexOf(priority)
      const lowest = this.database.prepare('SELECT min(rank) AS rank FROM items WHERE priority = ?').get(wanted)
      this.database
        .prepare('UPDATE items SET priority = ?, rank = coalesce(?, rank) WHERE number = ?')
        .run(wanted, first ? Number(lowest?.['rank'] ?? 0) - 1 : null, row.number)
      return true
    })
  }

  async list(states: readonly ItemState[] = itemStates): Promise<Item[]> {
    const marks = states.map(() => '?').join(', ')
    return this.select(`state IN (${marks}) ORDER BY priority, rank, number`, ...states).map(toItem)
  }

  async find(idOrKey: string): Promise<ItemWithTask | undefined> {
    const find = this.database.prepare(`SELECT ${allColumns} FROM items WHERE number = ? OR key = ?`)
    const row = find.get(parseId(idOrKey), idOrKey)
    return row && toItemWithTask(RowWithTask.parse(row))
  }

  close(): void {
    this.database.close()
  }

  /** Returns the id, of the item that was there before if the key is known. */
  private insert(item: NewItem): string {
    const { task, ...work } = item
    const { key = null, priority, repository, notBefore } = work
    const now = this.now()
    const { changes, lastInsertRowid } = this.database
      .prepare(
        `INSERT INTO items (key, work, task, repository, priority, rank, not_before, enqueued_at, state, reason, since,
           attempt, failures, renewed_at)
         VALUES (?, ?, ?, ?, ?, 0, ?, ?, 'waiting', '', ?, 0, 0, 0) ON CONFLICT (key) DO NOTHING`,
      )
      .run(
        ...[key, JSON.stringify(work), task, repository ?? '', priorities.indexOf(priority)],
        ...[notBefore === null ? 0 : Date.parse(notBefore), now, now],
      )
    if (changes === 1) return formatId(Number(lastInsertRowid))
    return formatId(Number(this.database.prepare('SELECT number FROM items WHERE key = ?').get(key)?.['number']))
  }

  /** Of two claimants one gets it. */
  private claimRow(number: number, holder: ProcessIdentity, condition = "state = 'waiting'"): RowWithTask | undefined {
    const row = runTransaction(this.database, () => this.tryClaim(number, holder, condition))
    return row && RowWithTask.parse(row)
  }

  private tryClaim(number: number, holder: ProcessIdentity, condition: string) {
    const row = this.database
      .prepare(
        `UPDATE items SET state = 'starting', attempt = attempt + 1, claimed_by = ?, renewed_at = ?, since = ?,
           previous_session_id = coalesce(session_id, previous_session_id), session_id = NULL
         WHERE number = ? AND ${condition} RETURNING ${allColumns}`,
      )
      .get(JSON.stringify(holder), this.now(), this.now(), number)
    const insertStart = 'INSERT INTO starts (number, attempt, at, is_failed) VALUES (?, ?, ?, 0)'
    if (row) this.database.prepare(insertStart).run(number, Number(row['attempt']), this.now())
    return row
  }

  private recordFailedStart({ item, attempt }: Fence): void {
    this.database
      .prepare('UPDATE starts SET is_failed = 1 WHERE number = ? AND attempt = ?')
      .run(parseId(item), attempt)
  }

  private changeHeld(fence: Fence, changes: string, ...values: (string | number | null)[]): number {
    const statement = this.database.prepare(`UPDATE items SET ${changes} WHERE ${heldCondition}`)
    return Number(statement.run(...values, ...getHeldValues(fence)).changes)
  }

  private select(condition: string, ...values: (string | number)[]): Row[] {
    return selectRows(this.database, condition, ...values)
  }
}
