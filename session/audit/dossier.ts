import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, namesIn, readUntrusted } from '../../host/index.ts'
import type { Event } from '../event.ts'
import { type Log, logOf } from '../log.ts'
import { type Paths, pathsOf } from '../paths.ts'
import { Opening } from '../session.ts'
import { type Status, statusOf } from '../status.ts'

/** How much of a file is looked at, in bytes. What is longer is none of ours. */
export const caps = { log: 32 << 20, record: 4 << 20, output: 16 << 20, index: 64 << 20 } as const

/** A session's folder as it lies there, perhaps laid out by somebody who means harm: read through no link, and only so far. */
export interface Dossier {
  id: string
  paths: Paths
  /** `session.json`, where it reads. */
  opening: Opening | undefined
  log: Log
  /** Why the log could not be read at all. */
  unreadable: string | undefined
  status: Status
}

export function openDossier(folder: string): Dossier {
  const paths = pathsOf(path.resolve(folder))
  const opening = Opening.safeParse(jsonIn(look(paths.session, caps.record))).data
  const id = opening?.id ?? path.basename(paths.folder)
  const found = look(paths.events, caps.log)
  const log = logOf(found.bytes ?? Buffer.alloc(0), id)
  return { id, paths, opening, log, unreadable: found.why, status: statusOf(log.events) }
}

/** The bytes of a plain file, or in words why there are none: `is gone`, `is a link`. */
export type Seen = { bytes: Buffer; why: undefined } | { bytes: undefined; why: string }

export function look(file: string, cap: number): Seen {
  try {
    const bytes = readUntrusted(file, cap + 1)
    if (bytes === undefined) return { bytes, why: strangeness(file) }
    return bytes.length > cap ? { bytes: undefined, why: `is longer than ${cap} bytes` } : { bytes, why: undefined }
  } catch (error) {
    return { bytes: undefined, why: `cannot be read (${error instanceof Error ? plain(error) : error})` }
  }
}

/** The value in what was read; undefined where it is no JSON. */
export function jsonIn({ bytes }: Seen): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? 'null')
  } catch {
    return undefined
  }
}

export function hashOf(bytes: Buffer): string {
  return hash('sha256', bytes)
}

/** All events of one kind, each with its place in the log. */
export function eventsOf<Name extends Event['is']>({ log }: Dossier, is: Name) {
  type One = Extract<Event, { is: Name }>
  return log.events.flatMap((event, at) => (event.is === is ? [{ ...(event as One), place: at }] : []))
}

/** The file's name as a remark has it. */
export function named({ paths }: Dossier, file: string): string {
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
export function namesOf(folder: string): string[] {
  try {
    return namesIn(folder).slice(0, 20_000)
  } catch {
    return []
  }
}

/** What stands at a path in words; `is gone` for nothing. */
function strangeness(file: string): string {
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!found) return 'is gone'
  if (found.isSymbolicLink()) return 'is a link to somewhere else'
  if (found.isFile()) return found.nlink > 1 ? 'is a hard link: another name leads to the same file' : 'cannot be read'
  return found.isDirectory() ? 'is a folder' : 'is no plain file'
}

function plain(error: Error): string {
  return error instanceof DispatchError ? error.message.replace(/^.*: /, '') : error.message
}
