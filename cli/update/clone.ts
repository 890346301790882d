import fs from 'node:fs'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { describeFreeSpace, MIN_SPACE_BYTES, measureFolder, measureFreeSpace, toStorageError } from '#host/fs'
import { listOwnWork } from '#host/git/remote'
import { getVersionsFolder } from '#host/installed-code'
import { acquireLease, type LeaseOptions, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { sanitize } from '#host/text.ts'
import { HOUR_MS } from '#host/time.ts'

/** Exit 5 if the clone has changes that no remote has: they would not be in the new version, and would seem lost. */
export async function requireCleanClone(clone: string, published: string[]): Promise<void> {
  const own = await listOwnWork(clone, published)
  if (own.length === 0) return
  const named = own.slice(0, MAX_NAMED_COUNT).map(each => `  ${sanitize(each)}`)
  const more = own.length > MAX_NAMED_COUNT ? [`  and ${own.length - MAX_NAMED_COUNT} more`] : []
  const message = [`${clone} has changes that are on no remote:`, ...named, ...more].join('\n')
  throw new DispatchError(message, {
    exitCode: exitCodes.conflict,
    remedy:
      'Nothing was changed. An update would leave them out. Push them, or take them back, then run the command again.',
  })
}

/** Do something as the only update of a clone. Exit 5 while another one runs, 10 where no version can be put beside the clone. */
export async function updateAlone<Result>({ cloneFolder }: Config, work: () => Promise<Result>): Promise<Result> {
  makeVersionsFolder(getVersionsFolder(cloneFolder))
  const folder = getLeaseFolder(cloneFolder)
  const self = await identify(process.pid)
  const lease = self && (await acquireLease(folder, self, updateLeaseOptions))
  if (!lease)
    throw new DispatchError(`another \`dispatch update\` changes ${cloneFolder}`, {
      exitCode: exitCodes.conflict,
      remedy: 'Wait until it has ended.',
    })
  try {
    return await work()
  } finally {
    releaseLease(folder, lease)
  }
}

/** The lease that an update of a clone holds. */
export function getLeaseFolder(cloneFolder: string): string {
  return `${getVersionsFolder(cloneFolder)}/.lease`
}

/** An update on another machine has ended by then, or was given up. */
export const updateLeaseOptions: LeaseOptions = { elsewhereExpiresMs: HOUR_MS }

/** Exit 10 unless another version as large as this one fits beside the clone, and 1 GB is left. */
export function requireRoom({ installFolder, cloneFolder }: Config): void {
  const folder = getVersionsFolder(cloneFolder)
  const free = measureFreeSpace(folder)
  const needed = measureFolder(installFolder) + MIN_SPACE_BYTES
  if (free >= needed) return
  throw new DispatchError(
    `${describeFreeSpace(folder, free)}, and an update needs ${Math.ceil(needed / 1e8) / 10} GB`,
    {
      exitCode: exitCodes.storage,
      remedy: 'Nothing was changed. Free some space, then run the command again: dispatch tidy',
    },
  )
}

// --- internal ---

const MAX_NAMED_COUNT = 5

/** What is in it is run, so one of another user is not used. Others may read it, as they may read the clone. */
function makeVersionsFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o755 })
  } catch (error) {
    throw toStorageError(folder, error)
  }
  const stats = fs.lstatSync(folder)
  if (stats.isDirectory() && stats.uid === process.geteuid?.()) return
  throw new DispatchError(`${folder} is not a folder that belongs to you`, {
    exitCode: exitCodes.conflict,
    remedy: 'Nothing was changed. Versions are kept there. Move it away, then run the command again.',
  })
}
