import { DispatchError, exitCodes } from '#host/error.ts'

/** The error for work that no valid PASS is about. */
export function createUnprovedError(sessionId: string, warning: string): DispatchError {
  return new DispatchError(`session ${sessionId} has no valid PASS. ${warning}`, {
    exitCode: exitCodes.conflict,
    remedy: `Only a valid PASS is opened for review. As a draft that says so: dispatch pr ${sessionId.slice(-4)} --draft`,
  })
}
