import path from 'node:path'
import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listNames, readIfPresent } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { parseJson } from '#host/json.ts'

/** The format that this dispatch writes. A folder with another one is refused. */
export const FORMAT_VERSION = 1

/** The file that makes a folder one of `dispatch backup`. */
export const Marker = z.object({ format: z.number(), homeId: z.string(), createdAt: z.string() })
export type Marker = z.infer<typeof Marker>

const FileEntry = z.object({
  kind: z.literal('file'),
  /** From the top of its unit, as `decodeNames` makes names; empty for a unit that is one file. */
  path: z.string(),
  mode: z.number(),
  mtimeMs: z.number(),
  size: z.number(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** What the file system said of it; empty where it was too young to be sure that another write would change this. */
  stamp: z.string(),
  /** It has hard links to the same content elsewhere in the home, and gets them again. */
  isShared: z.boolean().optional(),
})
const FolderEntry = z.object({ kind: z.literal('folder'), path: z.string(), mode: z.number(), mtimeMs: z.number() })
const LinkEntry = z.object({ kind: z.literal('link'), path: z.string(), target: z.string() })
export const Entry = z.discriminatedUnion('kind', [FileEntry, FolderEntry, LinkEntry])
export type FileEntry = z.infer<typeof FileEntry>
export type Entry = z.infer<typeof Entry>

/** Everything of a unit. A folder comes before what is in it. */
export const Listing = z.array(Entry)
export type Listing = z.infer<typeof Listing>

/** A part of a home that is restored as a whole or not at all: `workspace/<sid>`, or a name at the top of the home. */
export const Unit = z.object({ name: z.string(), listing: z.string(), files: z.number(), bytes: z.number() })
export type Unit = z.infer<typeof Unit>

/** One backup: what the home had at one time. It is written last, so what it names is there. */
export const BackupRecord = z.object({
  format: z.number(),
  homeId: z.string(),
  home: z.string(),
  createdAt: z.string(),
  hasSecrets: z.boolean(),
  units: z.array(Unit),
})
export type BackupRecord = z.infer<typeof BackupRecord>

/** The places in a folder of `dispatch backup`. */
export function resolveBackupPaths(folder: string) {
  return {
    folder,
    marker: path.join(folder, 'dispatch-backup.json'),
    records: path.join(folder, 'backups'),
    objects: path.join(folder, 'objects'),
    lease: path.join(folder, 'lease'),
  }
}
export type BackupPaths = ReturnType<typeof resolveBackupPaths>

/** The files of the backups in a folder, the newest first: `000012-2026-11-30T02-00-00.000Z.json`. */
export function listRecordNames({ records }: BackupPaths): string[] {
  return listNames(records)
    .filter(name => /^\d{6}-[\dTZ.-]+\.json$/.test(name))
    .reverse()
}

/** A record as it is written, with the hash of all before it. Pure. */
export function serializeRecord(record: BackupRecord): string {
  const text = JSON.stringify(record)
  return `${text}\n${sha256(text)}\n`
}

/** Read a record. Exit 13 if it is not what was written, 6 for one of a newer dispatch. */
export function readRecord({ records }: BackupPaths, name: string): BackupRecord {
  const file = path.join(records, name)
  const [text = '', hash] = (readIfPresent(file) ?? '').split('\n')
  const parsed = BackupRecord.safeParse(parseJson(text)).data
  if (sha256(text) !== hash || parsed === undefined)
    throw new DispatchError(`${file} is damaged: it is not what was written`, {
      exitCode: exitCodes.integrity,
      remedy: 'An earlier backup in the same folder may be whole: --at names one.',
    })
  requireFormat(file, parsed.format)
  return parsed
}

/** Exit 6 for a format that this dispatch does not write. */
export function requireFormat(file: string, format: number): void {
  if (format === FORMAT_VERSION) return
  throw new DispatchError(`${file} has format ${format}; this dispatch knows format ${FORMAT_VERSION}`, {
    exitCode: exitCodes.dependency,
    remedy: 'Use the dispatch that wrote it, or a newer one.',
  })
}
