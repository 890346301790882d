import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { isErrno } from '#host/error.ts'
import { listNames } from '#host/fs'
import { copyDatabase, isSqliteError } from '#host/sqlite.ts'
import { DAY_MS } from '#host/time.ts'
import { isSessionId } from '#session'
import { copySession, copyUnit, type UnitCopy, type UnitSource } from './copy-unit.ts'
import type { BackupPaths, Listing } from './format.ts'
import { classifyHomeName, classifyOtherPath, classifySessionPath, DAMAGED_QUEUE } from './home-contents.ts'
import { listMadePaths } from './made-paths.ts'
import type { ObjectStore } from './object-store.ts'
import type { Skipped } from './scan.ts'

/** A unit that was copied, under the name that it has in the backup. */
export type NamedCopy = UnitCopy & { name: string }

const SESSIONS = 'workspace/'

export const isSessionUnit = ({ name }: { name: string }) => name.startsWith(SESSIONS)

/**
 * What of a home is to be copied. A session or a folder may be a link to another disk: what it leads to is copied. What leads nowhere
 * is in `lost`.
 */
export async function listUnits(
  config: Config,
  hasSecrets: boolean,
): Promise<{ sources: UnitSource[]; lost: Skipped[] }> {
  const made = await listMadePaths(config)
  const ids = listNames(config.workspace).filter(isSessionId) // Also of those that cannot be read.
  const sessions = ids.map((id): UnitSource => {
    const madeHere = made(id)
    const root = path.join(config.workspace, id)
    return { name: `${SESSIONS}${id}`, root, leaveOut: file => classifySessionPath(file, madeHere) }
  })
  const kinds = hasSecrets ? ['copy', 'secret'] : ['copy']
  const others = listNames(config.home)
    .filter(name => name !== 'workspace' && kinds.includes(classifyHomeName(name) ?? ''))
    .map(
      (name): UnitSource => ({
        ...{ name, root: path.join(config.home, name) },
        leaveOut: file => classifyOtherPath(name, file),
      }),
    )
  const lost: Skipped[] = []
  const sources = [...sessions, ...others].flatMap((source): UnitSource[] => {
    const root = followLink(source, lost)
    return root === undefined ? [] : [{ ...source, root }]
  })
  return { sources, lost }
}

/** Copy a unit. A queue that is damaged is copied as its files are, under names that no queue is read from. */
export async function copyOne(
  source: UnitSource,
  store: ObjectStore,
  earlier: Listing | undefined,
  { folder }: BackupPaths,
): Promise<NamedCopy[]> {
  const { name } = source
  if (isSessionUnit(source)) return [{ name, ...(await copySession(source, store, earlier)) }]
  if (name !== 'queue.db') return [{ name, ...copyUnit(source, store, earlier) }]
  const copy = path.join(folder, `.tmp-queue-${process.pid}`)
  try {
    fs.rmSync(copy, { force: true })
    await copyDatabase(source.root, copy)
    return [{ name, ...copyUnit({ ...source, root: copy }, store) }]
  } catch (error) {
    if (!isSqliteError(error)) throw error
    const reason = `it cannot be read (${(error as Error).message}); its files are in the backup as ${DAMAGED_QUEUE['']}`
    const files = Object.entries(DAMAGED_QUEUE).map(([ending, kept]) => ({
      ...{ name: kept, ...copyUnit({ ...source, name: kept, root: `${source.root}${ending}` }, store) },
    }))
    return [{ name, listing: [], skipped: [{ path: '', reason, isLost: true }], isAtRest: true }, ...files]
  } finally {
    fs.rmSync(copy, { force: true })
  }
}

/**
 * Why a copy is no unit of the backup; undefined if it is one. A session that is just being opened has no log yet, and what was
 * removed meanwhile has nothing. An older session is copied, whatever it lacks.
 */
export function explainNoUnit({ name, listing }: NamedCopy): Omit<Skipped, 'path'> | 'nothing' | undefined {
  if (listing[0]?.kind === 'link') return { reason: 'it became a link while it was copied', isLost: true }
  if (!isSessionUnit({ name })) return listing.length > 0 ? undefined : 'nothing'
  const files = listing.filter(entry => entry.kind === 'file')
  if (files.length === 0) return 'nothing'
  const isThere = (pattern: RegExp) => files.some(entry => pattern.test(entry.path))
  if (isThere(/^session\.json$/) && isThere(/^(events\.jsonl$|evidence\/)/)) return undefined
  const isYoung = listing.some(entry => entry.kind !== 'link' && Date.now() - entry.mtimeMs < DAY_MS)
  if (isThere(/^(events\.jsonl$|evidence\/)/) || !isYoung) return undefined
  return { reason: 'it has no log yet: it is just being opened, or its start was cut off', isLost: false }
}

// --- internal ---

/** The folder itself. Undefined if it is gone, which is told for a link. */
function followLink({ name, root }: UnitSource, lost: Skipped[]): string | undefined {
  try {
    return fs.realpathSync(root)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) throw error
    if (fs.lstatSync(root, { throwIfNoEntry: false })?.isSymbolicLink())
      lost.push({ path: name, reason: 'it is a link that leads nowhere, or to where you may not look', isLost: true })
    return undefined
  }
}
