import { toOneLine } from '#host/text.ts'
import { isSettled } from '#session/status'
import type { RunnerContext } from '../context.ts'
import type { HookEvent } from './hook-inbox.ts'
import { computeResumeTimeMs, parseUsageLimit, resumeMessage } from './usage-limit.ts'
/**
 * An orchestrator at its vendor's usage limit is parked: nobody needs to do anything, and it goes on when the limit is over.
 *
 *   usage-limit.reached -> (the time comes, or a person prompts) -> prompted -> nothing refused: usage-limit.lifted
 *        ^                                                       |
 *        '------- refused again (an event only if the time is another) -'
 */
export class UsageLimitPause {
  private readonly running: RunnerContext
  private prompted: { at: number; by: string } | undefined

  constructor(context: RunnerContext) {
    this.running = context
  }

  /** What the orchestrator's own hooks say. True when it tells of a limit, so that nobody is called for it. */
  processHookEvent(hookEvent: HookEvent): boolean {
    const { hook_event_name: event, prompt } = hookEvent
    if (event === 'StopFailure') return this.processRefusal(hookEvent)
    if (event === 'UserPromptSubmit')
      this.prompted = { at: Date.now(), by: prompt?.includes(resumeMessage) ? 'the clock' : 'you' }
    else if (modelOutputHooks.includes(event)) this.recordLifted(this.prompted?.by ?? 'the clock')
    return false
  }

  /** Since it was prompted the orchestrator has done something, or at least nothing was refused. */
  resume(): void {
    if (this.prompted) this.recordLifted(this.prompted.by)
  }

  check(): void {
    if (this.prompted && Date.now() - this.prompted.at > NO_REFUSAL_AFTER_MS) this.resume()
  }

  private processRefusal({ error = '', error_details, last_assistant_message }: HookEvent): boolean {
    this.prompted = undefined
    const words = toOneLine([last_assistant_message, error_details].filter(Boolean).join(' '), 200)
    const limit = parseUsageLimit(error, words, new Date())
    if (limit === undefined) return false
    const { status } = this.running
    const resetsAt = limit.until?.toISOString() ?? null
    const isNews = status.usageLimit === null || status.usageLimit.resetsAt !== resetsAt
    if (isNews && !isSettled(status))
      this.running.record({ type: 'usage-limit.reached', reason: words || error, resetsAt })
    return true
  }

  private recordLifted(source: string): void {
    this.prompted = undefined
    if (this.running.status.usageLimit) this.running.record({ type: 'usage-limit.lifted', source })
  }
}

/** So long after a prompt nothing has been refused: claude says a refusal within a second or two. In milliseconds. */
const NO_REFUSAL_AFTER_MS = 15_000

/** What only comes of a turn in which the model has spoken. */
const modelOutputHooks = ['Stop', 'SubagentStop', 'PostToolUseFailure', 'PermissionRequest', 'PermissionDenied']

/**
 * When to ask next whether the limit is over: at its end; and every half an hour when it has said none, every five minutes
 * when it has not ended by then.
 */
export class ResumeReminder {
  private limit: RunnerContext['status']['usageLimit'] = null
  private lastAttemptMs = 0
  private attempts = 0

  isDue({ status, session }: RunnerContext, now = Date.now()): boolean {
    const { usageLimit } = status
    if (usageLimit?.resetsAt !== this.limit?.resetsAt || (usageLimit === null) !== (this.limit === null))
      Object.assign(this, { lastAttemptMs: now, attempts: 0 })
    this.limit = usageLimit
    if (usageLimit === null || isSettled(status)) return false
    if (usageLimit.resetsAt === null) return now >= this.lastAttemptMs + REMINDER_INTERVAL_MS
    const end = computeResumeTimeMs(new Date(usageLimit.resetsAt), session.id)
    return now >= (this.attempts === 0 ? end : Math.max(end, this.lastAttemptMs + OVERDUE_RETRY_MS))
  }

  recordAttempt(now = Date.now()): void {
    this.lastAttemptMs = now
    this.attempts++
  }
}

const REMINDER_INTERVAL_MS = 30 * 60_000
const OVERDUE_RETRY_MS = 5 * 60_000
