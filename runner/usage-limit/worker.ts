import { hasModelAnswer } from '#host/claude'
import { readUntrusted } from '#host/fs'
import { isSettled, type WorkerStatus } from '#session/status'
import type { RunnerContext } from '../context.ts'
import { computeRetryTimeMs, guessErrorKind, parseInterruption, type UsageLimit } from './usage-limit.ts'

/** The stream of a worker that works again shows it this early. */
const STREAM_HEAD_BYTES = 256 * 1024

/** The vendor's limit in the result of a worker; undefined for any other error. */
export function findWorkerLimit(
  result: { is_error: boolean; result?: string | undefined; api_error_status?: number | null | undefined } | undefined,
): UsageLimit | undefined {
  if (!result?.is_error) return undefined
  const text = result.result ?? ''
  return parseInterruption(guessErrorKind(text, result.api_error_status), text, new Date())
}

/** Record that a worker waits for the end of the vendor's limit. The session is parked, unless it is already. */
export function parkWorker(
  context: RunnerContext,
  worker: string,
  limit: UsageLimit,
  run: { commit: string | null; costUsd: number | null },
): void {
  const reason = limit.reason.slice(0, 300)
  const resetsAt = limit.resetsAt?.toISOString() ?? null
  context.record({ type: 'worker.parked', worker, reason, resetsAt, ...run })
  const { usageLimit } = context.status
  // A limit of the orchestrator stays: by it the orchestrator is resumed.
  const isNew = usageLimit === null || (usageLimit.worker !== undefined && usageLimit.resetsAt !== resetsAt)
  if (isNew && !isSettled(context.status)) context.record({ type: 'usage-limit.reached', reason, resetsAt, worker })
}

/** May this worker start now? One that is parked waits for its time, and so does every other one of its model. */
export function isHeldByLimit({ status, session }: RunnerContext, worker: WorkerStatus, nowMs = Date.now()): boolean {
  return status.workers.some(({ model, parked, endedAt }) => {
    if (parked === undefined || endedAt !== undefined || model !== worker.model) return false
    const sinceMs = Date.parse(parked.since)
    if (sinceMs > nowMs) return false // The clock was set back. If the limit still holds, it is parked once more.
    return nowMs < computeRetryTimeMs(parked, sinceMs, session.id)
  })
}

/** Record that the limit is over once the model has answered a worker that was parked. */
export function watchLimit(context: RunnerContext, worker: WorkerStatus): void {
  if (context.status.usageLimit?.worker !== worker.name) return
  const stream = readUntrusted(context.session.paths.worker(worker.name).stream, STREAM_HEAD_BYTES)
  const hasAnswered = hasModelAnswer(stream?.toString('utf8') ?? '')
  if (hasAnswered) context.record({ type: 'usage-limit.lifted', source: 'the clock' })
}
