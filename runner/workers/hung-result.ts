import fs from 'node:fs'
import { buildWorkerMark } from '#agents'
import { hasEndedTurn, parseStreamLine } from '#host/claude'
import { readStamp, readUntrusted } from '#host/fs'
import { killBelow } from '#host/process'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import type { Session } from '#session'
import type { SessionStatus, WorkerStatus } from '#session/status'
import type { RunnerContext } from '../context.ts'
import type { HookEvent } from '../orchestrator/hook-inbox.ts'
import type { StreamResult } from './finish.ts'
import type { WorkerProcess } from './process-record.ts'
import { findWorkerTranscript } from './transcript.ts'

/** So long claude may take to end after its result: its last hooks have five seconds each. */
const GRACE_MS = MINUTE_MS
/** The result is the last line, and holds the report. */
const STREAM_TAIL_BYTES = 1024 * 1024

/**
 * Ends the claude of a worker that has given its result and does not end, so that the worker commits and reports. Before its
 * result nothing is ended: a worker may wait for a long build. Three signals must agree: the result is the last line of its
 * stream, its turn has ended, and the stream has been quiet for a minute in which the machine was awake.
 */
export class HungResults {
  private readonly graceMs: number
  /** By worker: the start of the run whose turn has ended, as its Stop hook says. */
  private readonly stoppedRuns = new Map<string, string | undefined>()
  private readonly streams = new Map<string, { stamp: string; sinceMs: number; result?: StreamResult | null }>()

  constructor(graceMs = GRACE_MS) {
    this.graceMs = graceMs
  }

  /** Note what a hook reports of a worker. */
  recordHook({ workers }: SessionStatus, { hook_event_name: name, origin }: HookEvent): void {
    if (name !== 'Stop' && name !== 'StopFailure') return
    const worker = workers.find(worker => worker.name === origin.worker)
    if (worker) this.stoppedRuns.set(worker.name, worker.startedAt)
  }

  /** Called at every tick while a worker runs. */
  async check(context: RunnerContext, worker: WorkerStatus, process: WorkerProcess): Promise<void> {
    const { session } = context
    const { stream, claudeRunning, claudeEnding } = session.paths.worker(worker.name)
    const seen = this.readStream(worker.name, stream, context.clock.read())
    const quietMs = context.clock.read() - seen.sinceMs
    if (quietMs < this.graceMs) return
    seen.result ??= readResult(stream) ?? null
    if (seen.result === null || !this.hasStopped(session, worker)) return
    try {
      fs.renameSync(claudeRunning, claudeEnding) // From here on `worker.sh` waits, so that no git of its own is ended.
    } catch {
      return // Claude has just ended by itself.
    }
    await killBelow(process, buildWorkerMark(session, worker.name))
    fs.rmSync(claudeEnding, { force: true })
    context.record({ type: 'worker.hung', worker: worker.name, seconds: Math.round(quietMs / SECOND_MS) })
  }

  private readStream(name: string, file: string, nowMs: number) {
    const stamp = readStamp(file)
    const known = this.streams.get(name)
    if (known?.stamp === stamp) return known
    const changed = { stamp, sinceMs: nowMs }
    this.streams.set(name, changed)
    return changed as typeof changed & { result?: StreamResult | null }
  }

  /** A hook can be lost, and then the transcript tells. */
  private hasStopped(session: Session, { name, startedAt }: WorkerStatus): boolean {
    if (this.stoppedRuns.has(name) && this.stoppedRuns.get(name) === startedAt) return true
    const transcript = findWorkerTranscript(session, name)
    const tail = transcript && readUntrusted(transcript, STREAM_TAIL_BYTES, -STREAM_TAIL_BYTES)
    return tail !== undefined && tail !== '' && hasEndedTurn(tail.toString('utf8'))
  }
}

// --- internal ---

/** The result of a run whose stream ends with it. */
function readResult(stream: string): StreamResult | undefined {
  const text = readUntrusted(stream, STREAM_TAIL_BYTES, -STREAM_TAIL_BYTES)?.toString('utf8') ?? ''
  const event = text.endsWith('\n') ? parseStreamLine(text.trimEnd().split('\n').at(-1) ?? '')[0] : undefined
  return event?.kind === 'result' ? event.result : undefined
}
