import { DispatchError, exitCodes } from '../error.ts'

/**
 * A full disk, a missing permission, a read-only file system or too many open files as exit 10 for a person; any other error
 * unchanged. Without a file it is an error that nothing expected: then only what is never a bug counts, and it names its file.
 */
export function toStorageError(file: string | undefined, error: unknown): unknown {
  const { code = '', path: named, message } = (error instanceof Error ? error : {}) as Partial<NodeJS.ErrnoException>
  const machineRemedy = Object.hasOwn(machineRemedies, code) ? machineRemedies[code] : undefined
  if (!Object.hasOwn(storageMessages, code) || (file === undefined && machineRemedy === undefined)) return error
  return new DispatchError(`${file ?? named ?? message}: ${storageMessages[code]} (${code})`, {
    exitCode: exitCodes.storage,
    remedy: machineRemedy ?? `Check its owner, and whether user ${process.getuid?.() ?? '?'} may read and write there.`,
  })
}

// --- internal ---

const storageMessages: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'access is denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  EIO: 'the disk reports an error',
  EMFILE: 'too many files are open in this process',
  ENFILE: 'too many files are open on this machine',
  ENOTDIR: 'something in its path is not a folder',
  EEXIST: 'something else exists at this path',
  ELOOP: 'a link in its path links to itself',
}

const FREE_SPACE = 'Free some space, then run the command again.'
const CLOSE_FILES = 'Close programs, or raise the limit (`ulimit -n`), then run the command again.'

/** What a person does about errors that are never a bug of dispatch. */
const machineRemedies: Record<string, string> = {
  ENOSPC: FREE_SPACE,
  EDQUOT: FREE_SPACE,
  EROFS: 'Make it writable again, then run the command again.',
  EIO: 'Look at the log of the kernel: the disk may be broken. Then run the command again.',
  EMFILE: CLOSE_FILES,
  ENFILE: CLOSE_FILES,
}
