import { toOneLine } from '#host/text.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { isSettled } from '#session/status'
import type { RunnerContext } from '../context.ts'
import { isOwnWords } from '../messages/own-words.ts'
import type { HookEvent } from '../orchestrator/hook-inbox.ts'
import { computeResumeTimeMs, computeRetryTimeMs, parseInterruption, parseUsageLimit } from './usage-limit.ts'

/** Claude reports a limit within two seconds of a prompt. Without a report for this long, nothing was refused. */
const NO_REFUSAL_AFTER_MS = 15 * SECOND_MS
/** What may pass, such as a model that cannot be reached, claude tries ten times itself, for about three minutes. */
const NO_FAILURE_AFTER_MS = 5 * MINUTE_MS

/** Events that only occur in a turn in which the model has answered. */
export const modelOutputHooks = ['Stop', 'SubagentStop', 'PostToolUseFailure', 'PermissionRequest', 'PermissionDenied']

/**
 * An orchestrator at the vendor's usage limit is parked: no person is needed, and it resumes when the limit is over.
 *
 *   usage-limit.reached -> (time is up, or a person prompts) -> prompted -> no refusal: usage-limit.lifted
 *        ^                                                        |
 *        '------- refused again (recorded if the reset time changed)
 */
export class UsageLimitParking {
  private readonly context: RunnerContext
  private prompt: { timeMs: number; source: string } | undefined

  constructor(context: RunnerContext) {
    this.context = context
  }

  /** Process an event of the orchestrator's own hooks. True if it reports a limit, which calls no person. */
  processHookEvent(hookEvent: HookEvent): boolean {
    const { hook_event_name: event, prompt } = hookEvent
    if (event === 'StopFailure') return this.processRefusal(hookEvent)
    if (event === 'UserPromptSubmit')
      this.prompt = { timeMs: Date.now(), source: isOwnWords(prompt) ? 'the clock' : 'you' }
    else if (modelOutputHooks.includes(event)) this.recordLifted(this.prompt?.source ?? 'the clock')
    return false
  }

  /** The model has answered for the first time, so no limit holds. */
  recordAnswer(): void {
    this.recordLifted(this.prompt?.source ?? 'the clock')
  }

  /** After a prompt the orchestrator has done something, so the limit is over. */
  resume(): void {
    if (this.prompt) this.recordLifted(this.prompt.source)
  }

  check(): void {
    const isRetried = this.context.status.usageLimit?.resetsAt === null
    const waitMs = isRetried ? NO_FAILURE_AFTER_MS : NO_REFUSAL_AFTER_MS
    if (this.prompt && Date.now() - this.prompt.timeMs > waitMs) this.resume()
  }

  private processRefusal({ error = '', error_details, last_assistant_message }: HookEvent): boolean {
    this.prompt = undefined
    const text = toOneLine([last_assistant_message, error_details].filter(Boolean).join(' '), 200)
    const { status } = this.context
    const parse = status.phase === 'opening' ? parseUsageLimit : parseInterruption
    const limit = parse(error, text, new Date())
    if (limit === undefined) return false
    const resetsAt = limit.resetsAt?.toISOString() ?? null
    const known = status.usageLimit?.worker === undefined ? status.usageLimit : null // A worker's limit resumes no turn.
    const isNew = known === null || known.resetsAt !== resetsAt
    if (isNew && !isSettled(status))
      this.context.record({ type: 'usage-limit.reached', reason: text || error, resetsAt })
    return true
  }

  private recordLifted(source: string): void {
    this.prompt = undefined
    const { usageLimit } = this.context.status
    if (usageLimit && usageLimit.worker === undefined) this.context.record({ type: 'usage-limit.lifted', source })
  }
}

/** Decides when to try to resume the orchestrator. A worker that met the limit is started again, so nothing is typed for it. */
export class ResumeTimer {
  private limit: RunnerContext['status']['usageLimit'] = null
  private dueMs = 0
  /** The same on a clock that cannot be set. */
  private dueUptimeMs = 0

  isDue({ status, session }: Pick<RunnerContext, 'status' | 'session'>, nowMs = Date.now()): boolean {
    const usageLimit = status.usageLimit?.worker === undefined ? status.usageLimit : null
    if (usageLimit?.resetsAt !== this.limit?.resetsAt && usageLimit)
      // The vendor names the minute only, so a limit may have ended when it is read.
      this.setDue(
        Math.min(
          computeRetryTimeMs(usageLimit, nowMs, session.id),
          usageLimit.resetsAt === null
            ? Number.POSITIVE_INFINITY
            : computeResumeTimeMs(new Date(usageLimit.resetsAt), session.id),
        ),
        nowMs,
      )
    this.limit = usageLimit
    // By the wall clock, which goes on while the machine sleeps, or after as long a time, if that clock was set back.
    const isDue = nowMs >= this.dueMs || performance.now() >= this.dueUptimeMs
    return usageLimit !== null && !isSettled(status) && isDue
  }

  recordAttempt({ session }: Pick<RunnerContext, 'session'>, nowMs = Date.now()): void {
    this.setDue(computeRetryTimeMs(this.limit ?? { resetsAt: null, reason: '' }, nowMs, session.id), nowMs)
  }

  private setDue(dueMs: number, nowMs: number): void {
    this.dueMs = dueMs
    this.dueUptimeMs = performance.now() + dueMs - nowMs
  }
}
