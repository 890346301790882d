import { setTimeout as sleep } from 'node:timers/promises'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness, killProcessTree } from '#host/process'
import { SECOND_MS } from '#host/time.ts'
import { getLanderLease, type LandingQueue, listLandingQueues } from '#landing'

/**
 * End every process that lands in the background, with what it has started. What it was landing waits again. A command of a person
 * who waits for their landing goes on.
 */
export async function stopLanders(home: string): Promise<void> {
  await Promise.all(listLandingQueues(home).map(stopLander))
}

// --- internal ---

/** In which git removes its locks. */
const TERMINATION_MS = 3 * SECOND_MS
const KILL_MS = SECOND_MS
const POLL_MS = 50

async function stopLander(queue: LandingQueue): Promise<void> {
  const holder = readLeaseHolder(getLanderLease(queue.folder))
  const isAlive = async () => holder !== undefined && (await checkLiveness(holder)) === 'alive'
  if (holder === undefined || !(await isAlive())) return
  if (queue.listOpen().some(({ attendedBy }) => attendedBy?.pid === holder.pid)) return
  for (const [signal, patienceMs] of [
    ['SIGTERM', TERMINATION_MS],
    ['SIGKILL', KILL_MS],
  ] as const) {
    await killProcessTree(holder, '', signal)
    for (const endMs = performance.now() + patienceMs; performance.now() < endMs; await sleep(POLL_MS))
      if (!(await isAlive())) return
  }
}
