import { DispatchError, exitCodes } from '#host/error.ts'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness, describePlace, readPlace } from '#host/process'
import type { Session } from '../manifest.ts'

/**
 * The machine or container to which a session belongs, because its runner was started there; undefined if it is this one, or
 * if its runner has ended by itself. A home may be shared by several machines.
 */
export async function findOtherHost({ paths }: Pick<Session, 'paths'>): Promise<string | undefined> {
  const holder = readLeaseHolder(paths.runnerLease)
  if (holder?.place === undefined || (await checkLiveness(holder)) !== 'elsewhere') return undefined
  return describePlace(holder.place, readPlace())
}

/** Throw exit 5 if the session belongs to another machine: nothing that runs there can be seen or ended from here. */
export async function refuseOtherHost(session: Session): Promise<void> {
  const host = await findOtherHost(session)
  if (host === undefined) return
  throw new DispatchError(`session ${session.id} belongs to ${host}`, {
    exitCode: exitCodes.conflict,
    remedy: explainOtherHost(session, host),
  })
}

/** What to do about a session of another machine. */
export function explainOtherHost({ id }: Pick<Session, 'id'>, host: string): string {
  return `Run the command there. If ${host} is gone for good, end the session here: dispatch stop ${id.slice(-4)} --host-gone`
}
