import { isErrno, liveness } from '../host/index.ts'
import { holder } from '../session/index.ts'
import { anyWaits, chainOf } from './deliver.ts'

/**
 * See delivery to its end in a home that is about to go: wait until nothing waits in the outbox, at most so long, then ask
 * the deliverer to end and see it gone.
 */
export async function settle(home: string, patience = 5000): Promise<void> {
  const over = Date.now() + patience
  while (anyWaits(home) && Date.now() < over) await moment()
  for (const late = Date.now() + attempt; Date.now() < late; await moment()) {
    const who = holder(chainOf(home))
    if (who === undefined || (await liveness(who)) !== 'alive') return
    end(who.pid)
  }
}

/** The longest that one attempt takes: a deliverer that is asked to end ends after the one that is under way. */
const attempt = 12_000

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

function moment(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 50))
}
