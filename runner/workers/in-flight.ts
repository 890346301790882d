import { type AnswerUsage, estimateUsd, parseUsage } from '#host/claude/lines'
import { Tail } from '#host/tail.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import type { Session } from '#session'
import type { EventBody } from '#session/log'
import { addUpCost, type WorkerStatus } from '#session/status'
import type { RunnerContext } from '../context.ts'
import { findWorkerTranscript } from './transcript.ts'

const READ_INTERVAL_MS = 5 * SECOND_MS
const RECORD_INTERVAL_MS = MINUTE_MS

/**
 * Estimates what running workers have cost so far, because claude reports dollars only at its end. Only what was appended to a
 * transcript is read. An estimate is recorded at most once a minute for each worker, but at once when it spends the budget.
 */
export class InFlightCost {
  private readAtMs = Number.NEGATIVE_INFINITY
  private readonly runs = new Map<string, { meter: UsageMeter; recordedAtMs: number }>()

  check(context: RunnerContext): void {
    const nowMs = context.clock.read()
    if (nowMs - this.readAtMs < READ_INTERVAL_MS) return
    this.readAtMs = nowMs
    for (const worker of context.status.workers) {
      if (worker.startedAt === undefined || worker.endedAt !== undefined) continue
      const run = this.findRun(context.session, worker)
      const cost = run?.meter.read(worker.name)
      if (run === undefined || cost === undefined || cost.usd === worker.inFlightUsd) continue
      if (nowMs - run.recordedAtMs < RECORD_INTERVAL_MS && !spendsBudget(context, worker, cost.usd)) continue
      context.record(cost)
      run.recordedAtMs = nowMs
    }
  }

  private findRun(session: Session, { name, startedAt }: WorkerStatus) {
    const key = `${name} ${startedAt}`
    const known = this.runs.get(key)
    if (known) return known
    const transcript = findWorkerTranscript(session, name)
    if (transcript === undefined) return undefined
    const run = { meter: new UsageMeter(transcript), recordedAtMs: Number.NEGATIVE_INFINITY }
    this.runs.set(key, run)
    return run
  }
}

/** Record what the run of a worker that ended without a report of its cost is estimated to have cost. */
export function recordUnreportedCost(context: RunnerContext, worker: WorkerStatus): void {
  const transcript = findWorkerTranscript(context.session, worker.name)
  const cost = transcript && new UsageMeter(transcript).read(worker.name)
  if (cost && cost.usd !== worker.inFlightUsd) context.record(cost)
}

// --- internal ---

/** Adds up the answers in a transcript, each once. */
class UsageMeter {
  private readonly tail: Tail
  private readonly answers = new Map<string, AnswerUsage>()

  constructor(transcript: string) {
    this.tail = new Tail(transcript)
  }

  /** Undefined as long as there is no answer. */
  read(worker: string): Extract<EventBody, { type: 'cost.estimated' }> | undefined {
    for (const line of this.tail.readNewLines()) {
      const usage = parseUsage(line)
      if (usage) this.answers.set(usage.id, usage)
    }
    const answers = [...this.answers.values()]
    if (answers.length === 0) return undefined
    const add = (count: (usage: AnswerUsage) => number) => answers.reduce((sum, usage) => sum + count(usage), 0)
    return {
      type: 'cost.estimated',
      worker,
      usd: Math.round(add(estimateUsd) * 1e6) / 1e6,
      inputTokens: add(usage => usage.input + usage.cacheRead + usage.cacheWrite + usage.longCacheWrite),
      outputTokens: add(usage => usage.output),
    }
  }
}

function spendsBudget({ config, status }: RunnerContext, { inFlightUsd = 0 }: WorkerStatus, usd: number): boolean {
  const { BUDGET_USD: budgetUsd } = config
  return (
    budgetUsd > 0 && status.budget?.budgetUsd !== budgetUsd && addUpCost(status).usd - inFlightUsd + usd >= budgetUsd
  )
}
