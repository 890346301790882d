import fs from 'node:fs'
import { parseStreamLine } from '#host/claude'
import { readUntrusted } from '#host/fs'
import { sanitize } from '#host/text.ts'
import type { Session } from '#session'
import type { WorkerStatus } from '#session/status'
import type { RunnerContext } from '../context.ts'

/** A worker is started this often with the same brief. */
const MAX_ATTEMPTS = 3
/** The last words of an attempt are in this much of the end of its stream. */
const STREAM_TAIL_BYTES = 256 * 1024
const MAX_WORDS_CHARS = 2000

/**
 * Record that the process of a worker was cut off, by a reboot or a kill, so that it starts again with the same brief. False after
 * the last attempt: then the worker has ended.
 */
export function interruptWorker(context: RunnerContext, worker: WorkerStatus, reason: string): boolean {
  const attempt = (worker.interruptions ?? 0) + 1
  if (worker.startedAt === undefined || attempt >= MAX_ATTEMPTS) return false
  context.record({ type: 'worker.interrupted', worker: worker.name, attempt, reason })
  return true
}

/** Keep the stream of the attempt before, and return what the next one is told of it. Undefined for a first attempt. */
export function keepInterruptedAttempt(
  { paths }: Session,
  { name, interruptions }: WorkerStatus,
): { number: number; lastWords: string } | undefined {
  if (interruptions === undefined) return undefined
  const { stream } = paths.worker(name)
  const kept = `${stream}.${interruptions}`
  if (fs.existsSync(stream) && !fs.existsSync(kept)) fs.renameSync(stream, kept)
  const tail = readUntrusted(kept, STREAM_TAIL_BYTES, -STREAM_TAIL_BYTES)?.toString('utf8') ?? ''
  const words = tail
    .split('\n')
    .flatMap(parseStreamLine)
    .findLast(line => line.kind === 'text')?.text
  return { number: interruptions, lastWords: sanitize(words ?? '').slice(-MAX_WORDS_CHARS) }
}
