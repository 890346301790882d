import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listNames, makePrivateFolder, readIfPresent, readJson, writeAtomic } from '#host/fs'
import { UsageError } from '../command.ts'
import { type BackupPaths, Marker, requireFormat, resolveBackupPaths } from './format.ts'
import { trySetMode } from './object-store.ts'

/** The id of a home, by which a backup knows it again; undefined for one without. */
export function readHomeId(home: string): string | undefined {
  const id = readIfPresent(path.join(home, 'home-id'))?.trim()
  return id !== undefined && /^[0-9a-f]{16}$/.test(id) ? id : undefined
}

/** The same. It is made when it is first asked for. */
export function ensureHomeId(home: string): string {
  const known = readHomeId(home)
  if (known !== undefined) return known
  const id = randomBytes(8).toString('hex')
  writeAtomic(path.join(home, 'home-id'), `${id}\n`)
  return id
}

/** May other users look into a folder of backups? Some disks have no modes. */
export function isOpenToOthers({ folder }: BackupPaths): boolean {
  return (fs.statSync(folder).mode & 0o077) !== 0
}

/**
 * The folder for the backups of a home, as it may be written. Exit 2 for one in the home or around it, 5 for one that has other
 * content, or the backups of another home.
 */
export function prepareTarget(folder: string, { home }: Pick<Config, 'home'>): BackupPaths & { homeId: string } {
  requireName(folder)
  const target = resolveFolder(path.resolve(folder))
  if (isInside(target, home) || isInside(home, target))
    throw new DispatchError(`${target} is in the folder that is backed up, or around it`, {
      exitCode: exitCodes.usage,
      remedy: `A loss of ${home} would take the backup with it. Name a folder elsewhere, best on another disk.`,
    })
  const paths = resolveBackupPaths(target)
  const homeId = ensureHomeId(home)
  if (readMarker(paths) === undefined) {
    if (listNames(target).some(name => !name.startsWith('.tmp-')))
      throw refuse(`${target} is not empty, and \`dispatch backup\` did not make it`)
    makePrivateFolder(target)
    writeAtomic(
      paths.marker,
      `${JSON.stringify({ format: 1, homeId, createdAt: new Date().toISOString() } satisfies Marker)}\n`,
    )
  } else if (readMarker(paths)?.homeId !== homeId) throw refuse(`${target} has the backups of another home`)
  trySetMode(target, 0o700)
  for (const each of [paths.records, paths.objects]) makePrivateFolder(each)
  return { ...paths, homeId }
}

/** A folder that has backups, to read it. Exit 4 if it has no marker, 6 for another format. */
export function openTarget(folder: string): BackupPaths {
  requireName(folder)
  const paths = resolveBackupPaths(resolveFolder(path.resolve(folder)))
  if (readMarker(paths) !== undefined) return paths
  throw new DispatchError(`${paths.folder} has no backup: there is no ${path.basename(paths.marker)}`, {
    exitCode: exitCodes.notFound,
    remedy: 'Name a folder that `dispatch backup` has made.',
  })
}

// --- internal ---

/** A variable of a script that is empty would name the folder in which it runs. */
function requireName(folder: string): void {
  if (folder === '') throw new UsageError('the name of the folder is empty', 'Name a folder, best on another disk.')
}

function refuse(message: string): DispatchError {
  return new DispatchError(message, {
    exitCode: exitCodes.conflict,
    remedy: 'Nothing was written. Name a new or an empty folder.',
  })
}

function readMarker({ marker }: BackupPaths): Marker | undefined {
  const record = readJson(marker)
  if (record === null) return undefined
  const parsed = Marker.safeParse(record).data
  if (parsed === undefined)
    throw new DispatchError(`${marker} is damaged`, {
      exitCode: exitCodes.integrity,
      remedy: 'Name another folder for a new backup.',
    })
  requireFormat(marker, parsed.format)
  return parsed
}

/** Without links, as far as it exists: it may be about to be made. */
function resolveFolder(folder: string): string {
  try {
    return fs.realpathSync(folder)
  } catch {
    const parent = path.dirname(folder)
    return folder === parent ? folder : path.join(resolveFolder(parent), path.basename(folder))
  }
}

function isInside(file: string, folder: string): boolean {
  return `${file}/`.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}
