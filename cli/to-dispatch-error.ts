import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'

/** An error for a person, whatever was thrown, where one of several things fails and the others go on. */
export function toDispatchError(thrown: unknown): DispatchError {
  const error = toStorageError(undefined, thrown)
  if (error instanceof DispatchError) return error
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new DispatchError(`internal error, please report it: ${text}`, { exitCode: exitCodes.internal })
}
