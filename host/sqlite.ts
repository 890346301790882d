import type { DatabaseSync } from 'node:sqlite'
import { isErrno } from './error.ts'
import { detectFileSystem } from './fs/filesystem-type.ts'
import { SECOND_MS } from './time.ts'

export type Database = DatabaseSync

/**
 * Open a SQLite file, which is created if it is missing; `folder` is where it lies. A write waits up to 20 seconds for another
 * process. A write-ahead log is used where it is safe. Rejects with an error of SQLite, see `isSqliteError`.
 */
export async function openDatabase(file: string, folder: string): Promise<Database> {
  const sqlite = await loadSqlite()
  const mayUseWal = isWalSafe(sqlite) && !(await detectFileSystem(folder)).isNetwork
  const database = new sqlite.DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    database.exec(`PRAGMA journal_mode = ${mayUseWal ? 'WAL' : 'TRUNCATE'}; PRAGMA foreign_keys = ON`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Open a SQLite file that exists, to read it only. */
export async function openDatabaseReadOnly(file: string): Promise<Database> {
  const { DatabaseSync } = await loadSqlite()
  return new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
}

/** Copy a SQLite file as it is at one moment, while other processes write it. The copy is one file, which must not exist before. */
export async function copyDatabase(file: string, target: string): Promise<void> {
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    database.prepare('VACUUM INTO ?').run(target)
  } finally {
    database.close()
  }
}

/** Do something as a whole or not at all. Other processes write before or after it, never between. */
export function runTransaction<Result>(database: Database, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** The number of the tables in a database, which the program that writes it counts. 0 for a new one. */
export function readSchemaVersion(database: Database): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

export function isSqliteError(error: unknown): boolean {
  return isErrno(error, 'ERR_SQLITE_ERROR')
}

/** Is the file damaged, or no database, or are its tables other ones than those that are asked for? */
export function isDamage(error: unknown): boolean {
  return isSqliteError(error) && damageCodes.includes(getPrimaryCode(error))
}

// --- internal ---

/** On a busy machine a process may hold its lock for seconds. */
const BUSY_TIMEOUT_MS = 20 * SECOND_MS

/** The low byte of an extended code: https://www.sqlite.org/rescode.html */
const PRIMARY_CODE_MASK = 0xff
/** SQLITE_ERROR (a table is missing), SQLITE_CORRUPT, SQLITE_SCHEMA and SQLITE_NOTADB. */
const damageCodes = [1, 11, 17, 26]

/** Before this version, a write-ahead log that starts again could damage a database: https://www.sqlite.org/wal.html#walresetbug */
const FIRST_SAFE_WAL_VERSION = [3, 51, 3]

function getPrimaryCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & PRIMARY_CODE_MASK : 0
}

/** Loaded only where it is used. Node 22 warns that it is experimental, which says nothing to a user. */
async function loadSqlite(): Promise<typeof import('node:sqlite')> {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

function isWalSafe({ DatabaseSync }: typeof import('node:sqlite')): boolean {
  const memory = new DatabaseSync(':memory:')
  const version = String(memory.prepare('SELECT sqlite_version() AS version').get()?.['version']).split('.').map(Number)
  memory.close()
  for (const [at, least] of FIRST_SAFE_WAL_VERSION.entries())
    if (version[at] !== least) return (version[at] ?? 0) > least
  return true
}
