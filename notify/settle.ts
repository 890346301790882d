import { identify, isErrno } from '../host/index.ts'
import { claim, holder } from '../session/index.ts'
import { anyWaits, chainOf } from './deliver.ts'

/**
 * See delivery to its end in a home that is about to go: wait until nothing waits in the outbox, at most so long, then ask
 * the deliverer to end. The right to deliver is ours from then on and as long as this process lives, so that one which is
 * only starting finds it taken.
 */
export async function settle(home: string, patience = 5000): Promise<void> {
  const over = Date.now() + patience
  while (anyWaits(home) && Date.now() < over) await moment()
  const who = await identify(process.pid)
  if (who === undefined) return
  for (const late = Date.now() + attempt; Date.now() < late; await moment()) {
    if (await claim(chainOf(home), who)) return
    const other = holder(chainOf(home))?.pid
    if (other === process.pid) return // It was settled before.
    end(other)
  }
}

/** The longest that one attempt takes: a deliverer that is asked to end ends after the one that is under way. */
const attempt = 12_000

function end(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

function moment(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 50))
}
