import { isErrno } from '#host/error.ts'
import { identify } from '#host/process'
import { acquireLease, readLeaseHolder } from '#session/lease'
import { getDelivererLeaseFolder, hasWaiting } from './deliverer.ts'
/**
 * See delivery to its end in a home that is about to go: wait until nothing waits in the outbox, at most so long, then ask
 * the deliverer to end. The right to deliver is ours from then on and as long as this process lives, so that one which is
 * only starting finds it taken.
 */
export async function drainOutbox(home: string, timeoutMs = 5000): Promise<void> {
  const over = Date.now() + timeoutMs
  while (hasWaiting(home) && Date.now() < over) await pause()
  const who = await identify(process.pid)
  if (who === undefined) return
  for (const late = Date.now() + MAX_ATTEMPT_MS; Date.now() < late; await pause()) {
    if (await acquireLease(getDelivererLeaseFolder(home), who)) return
    const other = readLeaseHolder(getDelivererLeaseFolder(home))?.pid
    if (other === process.pid) return // It was settled before.
    terminate(other)
  }
}

/** The longest that one attempt takes: a deliverer that is asked to end ends after the one that is under way. */
const MAX_ATTEMPT_MS = 12_000

function terminate(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 50))
}
