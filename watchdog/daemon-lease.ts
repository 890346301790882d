import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { acquireLease, holdsLease, type Lease, readLeaseHolder, releaseLease } from '#host/lease'
import { checkLiveness, describePlace, identify, readPlace } from '#host/process'

/** The lease of the process that is the daemon of a home. */
export function getLeaseFolder(home: string): string {
  return path.join(home, 'daemon')
}

/** Is this process still the daemon? Not where a person has said that its machine is gone. */
export function holdsDaemonLease(home: string, lease: Lease): boolean {
  return holdsLease(getLeaseFolder(home), lease)
}

/** End as the daemon in an orderly way: none is started in its place. */
export function releaseDaemonLease(home: string, lease: Lease): void {
  releaseLease(getLeaseFolder(home), lease)
}

/** The pid of the daemon that lives; undefined without one. */
export async function findDaemon(home: string): Promise<number | undefined> {
  const holder = readLeaseHolder(getLeaseFolder(home))
  return holder !== undefined && (await checkLiveness(holder)) === 'alive' ? holder.pid : undefined
}

/** Did a daemon of this home die without having ended in an orderly way? */
export async function isDaemonLost(home: string): Promise<boolean> {
  const holder = readLeaseHolder(getLeaseFolder(home))
  return holder !== undefined && (await checkLiveness(holder)) === 'dead'
}

/** The machine or container on which the daemon of this home was started; undefined if that is here, or it has no daemon. */
export async function findDaemonHost(home: string): Promise<string | undefined> {
  const holder = readLeaseHolder(getLeaseFolder(home))
  if (holder?.place === undefined || (await checkLiveness(holder)) !== 'elsewhere') return undefined
  return describePlace(holder.place, readPlace())
}

/** What to do about a daemon of another machine. */
export function explainDaemonHost(host: string): string {
  return `If ${host} is gone for good: dispatch daemon --restart --host-gone`
}

/** Throw exit 5 if the daemon of this home belongs to another machine: whether it runs cannot be seen from here. */
export async function refuseOtherHost(home: string): Promise<void> {
  const host = await findDaemonHost(home)
  if (host === undefined) return
  throw new DispatchError(`the daemon of this home runs on ${host}`, {
    exitCode: exitCodes.conflict,
    remedy: `It starts what waits there. ${explainDaemonHost(host)}`,
  })
}

/** Take the right to be the daemon from a machine that is gone, on a person's word. One that runs there after all sees it, and ends. */
export async function releaseGoneDaemon(home: string): Promise<void> {
  const self = await identify(process.pid)
  if (self === undefined || (await findDaemonHost(home)) === undefined) return
  const lease = await acquireLease(getLeaseFolder(home), self, { elsewhereExpiresMs: Number.NEGATIVE_INFINITY })
  if (lease) releaseLease(getLeaseFolder(home), lease)
}
