import { setTimeout as sleep } from 'node:timers/promises'
import { isErrno } from '#host/error.ts'
import { acquireLease, readLeaseHolder } from '#host/lease'
import { identify } from '#host/process'
import { SECOND_MS } from '#host/time.ts'
import { getDelivererLeaseFolder, hasWaiting } from './deliverer.ts'

/** A deliverer ends after the attempt that is running, which takes at most 10 s. */
const MAX_ATTEMPT_MS = 12 * SECOND_MS
const POLL_MS = 50

/**
 * Finish delivery in a home that is about to be deleted: wait until the outbox is empty, for at most `timeoutMs`, then end the
 * deliverer. This process keeps the deliverer's lease while it lives, so that no other deliverer can start.
 */
export async function drainOutbox(home: string, timeoutMs = 5 * SECOND_MS): Promise<void> {
  for (const endMs = Date.now() + timeoutMs; hasWaiting(home) && Date.now() < endMs; ) await sleep(POLL_MS)
  const identity = await identify(process.pid)
  if (identity === undefined) return
  for (const endMs = Date.now() + MAX_ATTEMPT_MS; Date.now() < endMs; await sleep(POLL_MS)) {
    if (await acquireLease(getDelivererLeaseFolder(home), identity)) return
    const holder = readLeaseHolder(getDelivererLeaseFolder(home))?.pid
    if (holder === process.pid) return // It was drained before.
    if (holder !== undefined) terminate(holder)
  }
}

// --- internal ---

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}
