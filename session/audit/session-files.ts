import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DispatchError } from '#host/error.ts'
import { listNames, readUntrusted } from '#host/fs'
import type { Event } from '../log/event.ts'
import { type Log, parseLog } from '../log/log.ts'
import { SessionManifest } from '../manifest.ts'
import { resolveSessionPaths, type SessionPaths } from '../paths.ts'
import { computeStatus } from '../status/status.ts'
import type { SessionStatus } from '../status/status-types.ts'
/** How much of a file is looked at, in bytes. What is longer is none of ours. */
export const MAX_BYTES = { log: 32 << 20, record: 4 << 20, output: 16 << 20, index: 64 << 20 } as const

/** A session's folder as it lies there, perhaps laid out by somebody who means harm: read through no link, and only so far. */
export interface SessionFiles {
  id: string
  paths: SessionPaths
  /** `session.json`, where it reads. */
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
  const found = readCapped(paths.events, MAX_BYTES.log)
  const log = parseLog(found.bytes ?? Buffer.alloc(0), id)
  return { id, paths, manifest, log, readError: found.reason, status: computeStatus(log.events) }
}

/** The bytes of a plain file, or in words why there are none: `is gone`, `is a link`. */
export type ReadResult = { bytes: Buffer; reason: undefined } | { bytes: undefined; reason: string }

export function readCapped(file: string, maxBytes: number): ReadResult {
  try {
    const bytes = readUntrusted(file, maxBytes + 1)
    if (bytes === undefined) return { bytes, reason: describeFileType(file) }
    return bytes.length > maxBytes
      ? { bytes: undefined, reason: `is longer than ${maxBytes} bytes` }
      : { bytes, reason: undefined }
  } catch (error) {
    return { bytes: undefined, reason: `cannot be read (${error instanceof Error ? plainMessage(error) : error})` }
  }
}

/** The value in what was read; undefined where it is no JSON. */
export function parseJsonBytes({ bytes }: ReadResult): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? 'null')
  } catch {
    return undefined
  }
}

export function hashBytes(bytes: Buffer): string {
  return hash('sha256', bytes)
}

/** All events of one kind, each with its place in the log. */
export function selectEvents<Name extends Event['type']>({ log }: SessionFiles, is: Name) {
  type One = Extract<Event, { type: Name }>
  return log.events.flatMap((event, at) => (event.type === is ? [{ ...(event as One), place: at }] : []))
}

/** The file's name as a remark has it. */
export function toRelativePath({ paths }: SessionFiles, file: string): string {
  return path.relative(paths.folder, file)
}

/** A folder itself, and no link to one; one that cannot be looked at is none. */
export function isFolder(place: string): boolean {
  try {
    return fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}

/** The names in a folder, so far as anybody may see them: the files that are missed are named one by one. */
export function listReadableNames(folder: string): string[] {
  try {
    return listNames(folder).slice(0, 20_000)
  } catch {
    return []
  }
}

/** What stands at a path in words; `is gone` for nothing. */
function describeFileType(file: string): string {
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!found) return 'is gone'
  if (found.isSymbolicLink()) return 'is a link to somewhere else'
  if (found.isFile()) return found.nlink > 1 ? 'is a hard link: another name leads to the same file' : 'cannot be read'
  return found.isDirectory() ? 'is a folder' : 'is no plain file'
}

function plainMessage(error: Error): string {
  return error instanceof DispatchError ? error.message.replace(/^.*: /, '') : error.message
}
