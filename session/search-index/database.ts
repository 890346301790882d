import fs from 'node:fs'
import path from 'node:path'
import { makePrivateFolder, readStamp } from '#host/fs'
import {
  type Database,
  isDamage,
  isSqliteError,
  openDatabase,
  openDatabaseReadOnly,
  readSchemaVersion,
} from '#host/sqlite.ts'

/**
 * Open the index of a home to write it. One that is damaged or of an older version is deleted, and begins empty. One of a newer
 * version stays, because the newer dispatch that runs beside this one would make it again each time: then the index is in memory,
 * and empty.
 */
export async function openIndex(home: string): Promise<Database> {
  makePrivateFolder(home)
  try {
    const database = await prepareIndex(home)
    if (database !== undefined) return database
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  deleteIndex(home)
  const database = await prepareIndex(home)
  if (database === undefined) throw new Error('a new index has another version')
  return database
}

/** Open the index to read it; undefined if no index of this version exists. It never writes. */
export async function openIndexReadOnly(home: string): Promise<Database | undefined> {
  const file = getIndexFile(home)
  if (!fs.existsSync(file)) return undefined
  try {
    const database = await openDatabaseReadOnly(file)
    if (readSchemaVersion(database) === SCHEMA_VERSION) return database
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

/** Changes whenever the index is written or replaced. */
export function readIndexStamp(home: string): string {
  return ['', '-wal'].map(suffix => readStamp(`${getIndexFile(home)}${suffix}`)).join(' ')
}

// --- internal ---

/** A change of the tables, or of what is stored in them, needs another number. */
const SCHEMA_VERSION = 2

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

function getIndexFile(home: string): string {
  return path.join(home, 'index.db')
}

/** Undefined if the index is of an older version. */
async function prepareIndex(home: string): Promise<Database | undefined> {
  const file = getIndexFile(home)
  const database = await openDatabase(file, home)
  try {
    const version = readSchemaVersion(database)
    if (version > SCHEMA_VERSION) {
      database.close()
      return prepareTables(await openDatabase(':memory:', home))
    }
    if (version === SCHEMA_VERSION || version === 0) {
      fs.chmodSync(file, 0o600)
      return prepareTables(database)
    }
    database.close()
    return undefined
  } catch (error) {
    database.close()
    throw error
  }
}

function prepareTables(database: Database): Database {
  database.exec('PRAGMA synchronous = NORMAL')
  // Who only reads must not wait for another process that writes.
  if (readSchemaVersion(database) === 0) database.exec(`${schema}; PRAGMA user_version = ${SCHEMA_VERSION}`)
  return database
}
