import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { isSqliteError } from '#host/sqlite.ts'
import { openQueue, type Queue, type ReadEnd } from '#queue'
import { findSession } from '#session'
import { isSettled, readView } from '#session/status'

/** Do something with the queue of a home. Exit 10 if it cannot be read or written. */
export async function withQueue<Result>(config: Config, work: (queue: Queue) => Promise<Result>): Promise<Result> {
  let queue: Queue | undefined
  try {
    queue = await openQueue(config.home, { readSessionEnd: id => readSessionEnd(config, id) })
    return await work(queue)
  } catch (error) {
    if (!isSqliteError(error)) throw error
    throw new DispatchError(`the queue in ${config.home}/queue.db: ${(error as Error).message}`, {
      exitCode: exitCodes.storage,
      remedy:
        'Nothing was changed. If the disk is full, make room; if the file is damaged, move it away, together with queue.db-wal and queue.db-shm.',
    })
  } finally {
    queue?.close()
  }
}

// --- internal ---

/** Has the session ended with a PASS that holds? */
async function readSessionEnd(config: Config, id: string): ReturnType<ReadEnd> {
  try {
    const { status, state } = await readView(findSession(config.workspace, id))
    if (status.verdict?.verdict === 'PASS' && status.verdict.isFinal && state === 'PASS') return 'passed'
    return isSettled(status) && status.phase !== 'asking' && status.phase !== 'needs you' ? { ended: state } : 'pending'
  } catch (error) {
    if (error instanceof DispatchError && error.exitCode === exitCodes.notFound) return 'gone'
    return 'pending' // It cannot be read or compared now. What waits for it waits on, and the rest of the queue does not.
  }
}
