import { DispatchError, exitCodes } from './error.ts'
import { toStorageError } from './fs/storage-error.ts'

/** Is the disk the reason of an error: full, read-only or broken, as the system or git says? */
export function isStorageProblem(error: unknown): boolean {
  const cause = toStorageError(undefined, error)
  return cause instanceof DispatchError && cause.exitCode === exitCodes.storage
}
