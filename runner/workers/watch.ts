import fs from 'node:fs'
import { buildWorkerMark } from '#agents'
import { checkLiveness, killProcessTree } from '#host/process'
import type { RunnerContext } from '../context.ts'
import { watchLimit } from '../usage-limit/worker.ts'
import { finishWorker } from './finish.ts'
import type { HungResults } from './hung-result.ts'
import { readWorkerProcess } from './process-record.ts'
import { startQueuedWorkers } from './start.ts'

/** Finish the workers that have ended, kill those that have run too long, and start the next. */
export async function watchWorkers(context: RunnerContext, hungResults: HungResults): Promise<void> {
  const { session, config } = context
  for (const worker of context.status.workers) {
    if (worker.startedAt === undefined || worker.endedAt !== undefined) continue
    watchLimit(context, worker)
    const process = readWorkerProcess(session.paths, worker.name)
    const hasExited = fs.existsSync(session.paths.worker(worker.name).exit)
    if (hasExited || process === undefined || (await checkLiveness(process)) === 'dead')
      await finishWorker(context, worker)
    else if (context.clock.measure(worker.name, worker.startedAt) > config.WORKER_TIMEOUT_SEC * 1000) {
      const reason = `not done after ${config.WORKER_TIMEOUT_SEC} s`
      context.endings.set(worker.name, { ending: 'timed out', reason })
      await killProcessTree(process, buildWorkerMark(session, worker.name))
    } else await hungResults.check(context, worker, process)
  }
  await startQueuedWorkers(context)
}

/** End every worker now, because the session ends. */
export async function stopWorkers(context: RunnerContext, reason: string): Promise<void> {
  for (const worker of context.status.workers) {
    if (worker.endedAt !== undefined) continue
    context.endings.set(worker.name, { ending: 'stopped', reason })
    await finishWorker(context, worker)
  }
}
