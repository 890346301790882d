import { ForgeError } from '#forge'
import { type DispatchError, exitCodes } from '#host/error.ts'
import { RemoteError } from '#host/git/upstream'
import { SessionBusyError } from '#session/lease'

/** Does it pass by itself, such as a network or a vendor that is away, a full disk, or a command that is at the session? Pure. */
export function isTemporary(error: DispatchError): boolean {
  if (error instanceof SessionBusyError) return true
  const isAway = error instanceof RemoteError || error instanceof ForgeError
  return temporaryExitCodes.includes(error.exitCode) || (isAway && error.exitCode === exitCodes.dependency)
}

/** Is it a program or a key of this machine, such as the one that signs commits? No later try changes that. Pure. */
export function isOfThisMachine(error: DispatchError): boolean {
  return error.exitCode === exitCodes.dependency && !isTemporary(error)
}

// --- internal ---

const temporaryExitCodes: number[] = [exitCodes.upstream, exitCodes.storage, exitCodes.deadline]
