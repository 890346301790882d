import fs from 'node:fs'
import path from 'node:path'
import { DispatchError } from '#host/error.ts'
import { listNames, readUntrusted } from '#host/fs'
import { parseJson } from '#host/json.ts'
import type { Event } from '../log/event.ts'
import { type Log, parseLog } from '../log/log.ts'
import { SessionManifest } from '../manifest.ts'
import { resolveSessionPaths, type SessionPaths } from '../paths.ts'
import { computeStatus } from '../status/status.ts'
import type { SessionStatus } from '../status/status-types.ts'

/** How many bytes of a file are read. Dispatch writes no longer ones. */
export const MAX_BYTES = { log: 32 << 20, record: 4 << 20, output: 16 << 20, index: 64 << 20 } as const

/** The reason of a file that does not exist. */
export const GONE = 'is gone'

/** A session's folder, which may have been built to do harm: no link is followed, and reads are capped. */
export interface SessionFiles {
  id: string
  paths: SessionPaths
  /** `session.json`, if it is valid. */
  manifest: SessionManifest | undefined
  log: Log
  /** Why the log could not be read at all. */
  readError: string | undefined
  status: SessionStatus
}

export function openSessionFiles(folder: string): SessionFiles {
  const paths = resolveSessionPaths(path.resolve(folder))
  const manifest = SessionManifest.safeParse(parseJsonBytes(readCapped(paths.manifest, MAX_BYTES.record))).data
  const id = manifest?.id ?? path.basename(paths.folder)
  const logFile = readCapped(paths.events, MAX_BYTES.log)
  const log = parseLog(logFile.bytes ?? Buffer.alloc(0), id)
  return { id, paths, manifest, log, readError: logFile.reason, status: computeStatus(log.events) }
}

/** The bytes of a plain file, or why it has no bytes to read: `is gone`, `is a link to somewhere else`. */
export type ReadResult = { bytes: Buffer; reason: undefined } | { bytes: undefined; reason: string }

export function readCapped(file: string, maxBytes: number): ReadResult {
  try {
    const bytes = readUntrusted(file, maxBytes + 1)
    if (bytes === undefined) return { bytes, reason: describeFileType(file) }
    return bytes.length > maxBytes
      ? { bytes: undefined, reason: `is longer than ${maxBytes} bytes` }
      : { bytes, reason: undefined }
  } catch (error) {
    return { bytes: undefined, reason: `cannot be read (${error instanceof Error ? shortMessage(error) : error})` }
  }
}

/** Parse the bytes that were read; undefined without bytes, or if they are not JSON. */
export function parseJsonBytes({ bytes }: ReadResult): unknown {
  return bytes === undefined ? undefined : parseJson(bytes.toString('utf8'))
}

/** Select all events of one type, each with its index in the log. */
export function selectEvents<Type extends Event['type']>({ log }: SessionFiles, type: Type) {
  type Selected = Extract<Event, { type: Type }>
  return log.events.flatMap((event, index) => (event.type === type ? [{ ...(event as Selected), index }] : []))
}

/** The name of a file in a problem. */
export function toRelativePath({ paths }: SessionFiles, file: string): string {
  return path.relative(paths.folder, file)
}

/** Is this a folder itself, and not a link to one? False if it cannot be read. */
export function isFolder(file: string): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}

/** List the names in a folder; none if it cannot be read. A file that should be there is reported by its own name. */
export function listReadableNames(folder: string): string[] {
  try {
    return listNames(folder).slice(0, MAX_NAMES)
  } catch {
    return []
  }
}

// --- internal ---

const MAX_NAMES = 20_000

function describeFileType(file: string): string {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stats) return GONE
  if (stats.isSymbolicLink()) return 'is a link to somewhere else'
  if (stats.isFile()) return stats.nlink > 1 ? 'is a hard link: the file has another name too' : 'cannot be read'
  return stats.isDirectory() ? 'is a folder' : 'is not a plain file'
}

/** The message of a storage error begins with the path, which the problem names already. */
function shortMessage(error: Error): string {
  return error instanceof DispatchError ? error.message.replace(/^.*: /, '') : error.message
}
