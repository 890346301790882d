import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { acquireLease, type Lease, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { DAY_MS } from '#host/time.ts'
import type { BackupPaths } from './format.ts'

/**
 * Do something as the only one in a folder of backups, whichever home asks. Exit 5 while another one does. `instead` names the
 * folder for the lease where the disk knows no hard links, by which a lease is made.
 */
export async function writeAlone<Result>(
  paths: BackupPaths,
  instead: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return workAlone(paths, work, async own => {
    try {
      return await own()
    } catch (error) {
      if (!isErrno(error, ...NO_LINK_CODES)) throw error
      return take(instead)
    }
  })
}

/** The same to read. A folder that cannot be written, such as on a disk that is mounted read-only, is read without a lease. */
export async function readAlone<Result>(paths: BackupPaths, work: () => Promise<Result>): Promise<Result> {
  return workAlone(paths, work, async own => {
    try {
      return await own()
    } catch (error) {
      const isClosed = error instanceof DispatchError && error.exitCode === exitCodes.storage
      if (!isClosed && !isErrno(error, ...NO_LINK_CODES, 'EACCES', 'EROFS')) throw error
      return { release: () => undefined }
    }
  })
}

// --- internal ---

const NO_LINK_CODES = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

interface Held {
  release(): void
}

async function workAlone<Result>(
  paths: BackupPaths,
  work: () => Promise<Result>,
  acquire: (own: () => Promise<Held | undefined>) => Promise<Held | undefined>,
): Promise<Result> {
  const held = await acquire(() => take(paths.lease))
  if (!held)
    throw new DispatchError(`another backup or restore uses ${paths.folder}`, {
      exitCode: exitCodes.conflict,
      remedy: `Wait until it has ended. If none runs, on any machine, delete ${paths.lease}`,
    })
  try {
    return await work()
  } finally {
    held.release()
  }
}

/** On another machine a backup that has not ended in a day was cut off. */
async function take(folder: string): Promise<Held | undefined> {
  const self = await identify(process.pid)
  const lease: Lease | undefined = self && (await acquireLease(folder, self, { elsewhereExpiresMs: DAY_MS }))
  return lease && { release: () => releaseLease(folder, lease) }
}
