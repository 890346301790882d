import type { Config } from '#host/config'
import { SECOND_MS } from '#host/time.ts'
import { isSettled } from '#session/status'
import { mayPass } from '#validator'
import type { RunnerContext } from '../context.ts'
import { greetJudge } from './judge-process.ts'
import { computePauseMs } from './park.ts'

/** The time for one word, in seconds. */
const GREETING_TIMEOUT_SECONDS = 30

/** An orchestrator that starts has the machine for itself for this long. */
const OPENING_GRACE_MS = 10 * SECOND_MS

/**
 * Asks the judge for one word at the start, beside the work: a dead key or model is known before the night and not after it. It
 * never delays anything. It is asked again when its settings change, and after a pause while it cannot be reached.
 */
export class JudgeGreeting {
  private readonly startedAtMs = performance.now()
  private isBusy = false
  private greeted: string | undefined
  private attempts = 0
  private notBeforeMs = 0

  check(context: RunnerContext): void {
    const { status, config } = context
    const settings = describeSettings(config)
    if (this.isBusy || this.greeted === settings || performance.now() < this.notBeforeMs) return
    if (status.phase === 'opening' && performance.now() < this.startedAtMs + OPENING_GRACE_MS) return
    if (status.phase === 'judging' || isSettled(status)) return
    this.isBusy = true
    this.greet(context, settings)
      .catch(error => context.recordFailure(error))
      .finally(() => {
        this.isBusy = false
      })
  }

  private async greet(context: RunnerContext, settings: string): Promise<void> {
    const { config } = context
    const timeoutSeconds = Math.min(config.JUDGE_TIMEOUT_SEC, GREETING_TIMEOUT_SECONDS)
    const answer = await greetJudge({ ...config, JUDGE_TIMEOUT_SEC: timeoutSeconds })
    this.attempts++
    // A spent quota is told at once. It may be restored before the work is done, so the judge is greeted again.
    const isUnknown = !answer.ok && mayPass(answer.kind)
    if (isUnknown) this.notBeforeMs = performance.now() + computePauseMs(this.attempts, config.JUDGE_TIMEOUT_SEC)
    else this.greeted = settings
    if (!context.isOwner() || isSettled(context.status) || (isUnknown && answer.kind !== 'quota spent')) return
    const problem = answer.ok ? '' : isUnknown ? answer.reason.replace(/: HTTP .*/s, '') : answer.reason
    if (context.status.judgeProblem === problem) return
    const remark = answer.ok && answer.remark !== undefined ? { remark: answer.remark } : {}
    context.record({ type: 'judge.checked', model: answer.ok ? answer.model : config.JUDGE_MODEL, problem, ...remark })
  }
}

// --- internal ---

function describeSettings({ GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL, JUDGE_MODEL }: Config): string {
  return [GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL, JUDGE_MODEL].join('\n')
}
