import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { acquireLease, type Lease, type LeaseOptions, readLeaseHolder } from '#host/lease'
import { identify } from '#host/process'
import type { Session } from '../manifest.ts'
import { refuseOtherHost } from '../status/other-host.ts'

/** A session has a runner, or a command that is its runner for a while. Unlike other conflicts it passes by itself. */
export class SessionBusyError extends DispatchError {
  constructor({ id }: Pick<Session, 'id'>, pid: number | undefined) {
    super(`session ${id} already has a runner: process ${pid ?? 'unknown'}`, {
      exitCode: exitCodes.conflict,
      remedy: `To follow it: dispatch watch ${id.slice(-4)}. To end it: dispatch stop ${id.slice(-4)}`,
    })
    this.name = 'SessionBusyError'
  }
}

/**
 * Become the one process that may write to a session. Undefined while another one may; exit 4 where the session was removed: the lease
 * has gone with it, and is not made again in its place.
 */
export async function acquireRunnerLease(
  { id, paths }: Pick<Session, 'id' | 'paths'>,
  options: LeaseOptions = {},
): Promise<Lease | undefined> {
  const self = await identify(process.pid)
  try {
    return self && (await acquireLease(paths.runnerLease, self, { ...options, needsParent: true }))
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw new DispatchError(`session ${id} was removed`, { exitCode: exitCodes.notFound })
  }
}

/** The same, with exit 5 while another process has it, or where the session belongs to another machine. */
export async function requireRunnerLease(session: Session, options: LeaseOptions = {}): Promise<Lease> {
  const lease = await acquireRunnerLease(session, options)
  if (lease) return lease
  await refuseOtherHost(session)
  throw new SessionBusyError(session, readLeaseHolder(session.paths.runnerLease)?.pid)
}
