import fs from 'node:fs'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { isErrno } from '#host/error.ts'
import { detectFileSystem, makePrivateFolder } from '#host/fs'

/** The index of the sessions of a home, open. */
export type IndexDatabase = DatabaseSync

/** The file of the index. Whatever is wrong with it, it may be deleted: it is made again from the sessions. */
export function getIndexFile(home: string): string {
  return path.join(home, 'index.db')
}

/** Open the index to write it. One that is damaged or of another version is deleted, and begins empty. */
export async function openIndex(home: string): Promise<IndexDatabase> {
  const sqlite = await loadSqlite()
  const file = getIndexFile(home)
  makePrivateFolder(home)
  const mayUseWal = isWalSafe(sqlite) && !(await detectFileSystem(home)).isNetwork
  try {
    return prepareDatabase(new sqlite.DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS }), file, mayUseWal)
  } catch (error) {
    if (!isDamage(error)) throw error
    deleteIndex(home)
    return prepareDatabase(new sqlite.DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS }), file, mayUseWal)
  }
}

/** Open the index to read it; undefined if no index of this version exists. It never writes. */
export async function openIndexReadOnly(home: string): Promise<IndexDatabase | undefined> {
  const file = getIndexFile(home)
  if (!fs.existsSync(file)) return undefined
  const { DatabaseSync } = await loadSqlite()
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    if (readVersion(database) === SCHEMA_VERSION) return database
    database.close()
  } catch (error) {
    if (!isSqliteError(error)) throw error
  }
  return undefined
}

/** Delete the index. A process that has it open goes on with the deleted file until it opens it again. */
export function deleteIndex(home: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) fs.rmSync(`${getIndexFile(home)}${suffix}`, { force: true })
}

/** Is this an error of SQLite that a new index ends, or that reading the files avoids? */
export function isSqliteError(error: unknown): boolean {
  return isErrno(error, 'ERR_SQLITE_ERROR')
}

/** Is the file of the index damaged, or no database at all? */
export function isDamage(error: unknown): boolean {
  if (!isSqliteError(error) || !(error instanceof Error) || !('errcode' in error)) return false
  return damageCodes.includes(Number(error.errcode) & PRIMARY_CODE_MASK)
}

// --- internal ---

/** A change of the tables, or of what is stored in them, needs another number. */
const SCHEMA_VERSION = 1

const BUSY_TIMEOUT_MS = 5000

/** SQLITE_ERROR (a table is missing), SQLITE_CORRUPT, SQLITE_SCHEMA and SQLITE_NOTADB; the low byte of an extended code. */
const damageCodes = [1, 11, 17, 26]
const PRIMARY_CODE_MASK = 0xff

/** Before this version, a write-ahead log that starts again could damage a database: sqlite.org/wal.html#walresetbug. */
const FIRST_SAFE_WAL_VERSION = [3, 51, 3]

const schema = `
  CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    opened_at TEXT NOT NULL,
    state TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    last_event_at TEXT NOT NULL,
    stamps TEXT NOT NULL,
    log_bytes INTEGER NOT NULL,
    log_sha256 TEXT NOT NULL,
    session TEXT NOT NULL,
    words TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS newest_first ON sessions (opened_at DESC, id);
  CREATE INDEX IF NOT EXISTS open_ones ON sessions (is_open) WHERE is_open = 1;
`

/** Loaded only where the index is used. Node 22 warns that it is experimental, which says nothing to a user. */
async function loadSqlite(): Promise<typeof import('node:sqlite')> {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

function prepareDatabase(database: IndexDatabase, file: string, mayUseWal: boolean): IndexDatabase {
  try {
    const version = readVersion(database)
    if (version !== SCHEMA_VERSION && version !== 0) throw Object.assign(new Error('another version'), versionError)
    database.exec(`PRAGMA journal_mode = ${mayUseWal ? 'WAL' : 'TRUNCATE'}; PRAGMA synchronous = NORMAL; ${schema}`)
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    fs.chmodSync(file, 0o600)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const versionError = { code: 'ERR_SQLITE_ERROR', errcode: 17 }

function readVersion(database: IndexDatabase): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

function isWalSafe({ DatabaseSync }: typeof import('node:sqlite')): boolean {
  const memory = new DatabaseSync(':memory:')
  const version = String(memory.prepare('SELECT sqlite_version() AS version').get()?.['version']).split('.').map(Number)
  memory.close()
  for (const [at, least] of FIRST_SAFE_WAL_VERSION.entries())
    if (version[at] !== least) return (version[at] ?? 0) > least
  return true
}
