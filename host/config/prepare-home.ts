import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { createFolders } from '../fs/files.ts'
import { quoteForShell } from '../shell-quote.ts'
import type { Config } from './config.ts'

/**
 * Create the home, and close it to other users. Exit 2 names the variable that leads to where this is not possible, or to a folder of
 * another user; exit 10 where the disk is full, or takes no writes any more.
 */
export function prepareHome({ home }: Pick<Config, 'home'>, environment = process.env): void {
  const name = environment['DISPATCH_HOME'] ? 'DISPATCH_HOME' : 'HOME'
  const user = process.geteuid?.() ?? '?'
  try {
    createFolders(home)
    fs.accessSync(home, fs.constants.W_OK | fs.constants.X_OK)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    // A folder that is there was writable once. One that cannot be made on a read-only disk is the wrong one.
    const isDisk = isErrno(error, 'ENOSPC', 'EDQUOT') || (isErrno(error, 'EROFS', 'EIO') && fs.existsSync(home))
    throw new DispatchError(`${name} leads to ${home}, and user ${user} cannot write there (${error.code})`, {
      exitCode: isDisk ? exitCodes.storage : exitCodes.usage,
      remedy: isDisk
        ? 'Nothing was changed. Once the disk takes writes again, run the same command.'
        : 'Set DISPATCH_HOME to a folder that you may write.',
    })
  }
  const { uid, mode } = fs.statSync(home)
  if (user !== '?' && uid !== user)
    throw new DispatchError(`${name} leads to ${home}, which belongs to user ${uid}, and you are user ${user}`, {
      exitCode: exitCodes.usage,
      remedy: `That user could change what dispatch runs. Set DISPATCH_HOME to a folder of your own, or run: chown -R ${user} ${quoteForShell(home)}`,
    })
  if ((mode & OTHERS) !== 0) closeToOthers(home)
}

// --- internal ---

const OTHERS = 0o077
const OTHERS_WRITE = 0o022

/** The code in the cache is run. What others could write until now may not be dispatch's own, so it goes. */
function closeToOthers(home: string): void {
  const { mode } = fs.statSync(home)
  try {
    fs.chmodSync(home, mode & ~OTHERS & 0o777)
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EROFS')) throw error // A file system without permissions.
  }
  const isClosed = (fs.statSync(home).mode & OTHERS) === 0
  if (isClosed && (mode & OTHERS_WRITE) !== 0) fs.rmSync(path.join(home, 'cache'), { recursive: true, force: true })
}
