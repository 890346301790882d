import { setTimeout as sleep } from 'node:timers/promises'
import { diagnoseScreen, findTranscript, hasModelAnswer } from '#host/claude'
import { type ExitCode, exitCodes } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { listModelHosts } from '#host/model'
import { sanitize } from '#host/text.ts'
import { findClaudeFolder } from '#session'
import type { RunnerContext } from '../context.ts'
import type { StartFailure } from '../end-session.ts'
import { getTmuxSessionName } from '../terminal.ts'

/** Claude is still drawing its screen before this, so nothing is read from it. */
const SCREEN_GRACE_MS = 1500
/** Capturing the screen costs a process. */
const SCREEN_INTERVAL_MS = 1000
/** One refused request may be a moment's trouble. */
const MIN_REFUSED_ATTEMPTS = 3
const LAST_OUTPUT_MS = 500
const MAX_LAST_OUTPUT_MS = 5000
const EXCERPT_LINES = 12

/**
 * The start of the orchestrator. It has started when its model has answered once: a prompt that claude accepts proves
 * neither a login nor a model.
 */
export class OrchestratorStart {
  private readonly context: RunnerContext
  private startedAtMs: number
  private screenReadAtMs = 0
  private hasPrompted = false
  private failure: StartFailure | undefined

  constructor(context: RunnerContext) {
    this.context = context
    this.startedAtMs = context.clock.read()
  }

  /** Its claude was started again, and gets as long as the first one. */
  begin(): void {
    this.startedAtMs = this.context.clock.read()
  }

  isPending(): boolean {
    return this.context.status.phase === 'opening'
  }

  /** Claude's own hook reported the first prompt. */
  recordPrompt(): void {
    this.hasPrompted = true
  }

  /** Claude gave up before the first answer. */
  recordFailure(reason: string, exitCode: ExitCode): void {
    this.failure ??= { reason, exitCode }
  }

  hasFailed(): boolean {
    return this.failure !== undefined
  }

  /** Is there a message of the model in claude's transcript? */
  hasAnswered(): boolean {
    const { session } = this.context
    const file = findTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
    return file !== undefined && hasModelAnswer(readIfPresent(file) ?? '')
  }

  /** Why the start failed; undefined while it may still succeed. `isGone`: has the orchestrator's process ended by itself? */
  async check(isGone: boolean): Promise<StartFailure | undefined> {
    if (this.failure) return this.failure
    const nowMs = this.context.clock.read()
    const waitedMs = nowMs - this.startedAtMs
    if (waitedMs < SCREEN_GRACE_MS || nowMs - this.screenReadAtMs < SCREEN_INTERVAL_MS) return undefined
    this.screenReadAtMs = nowMs
    const { config, status } = this.context
    const screen = await this.capture()
    const fail = (reason: string, exitCode: ExitCode) => createFailure(reason, exitCode, screen)
    const diagnosis = diagnoseScreen(screen)
    if (diagnosis?.kind === 'dialog') return fail(diagnosis.reason, exitCodes.login)
    if (diagnosis?.kind === 'refused' && diagnosis.attempt >= MIN_REFUSED_ATTEMPTS) {
      const { status: code, reason } = diagnosis
      if (code === 401 || code === 403) return fail(`the model refuses the login: ${reason}`, exitCodes.login)
      if ((code === 429 || code >= 500) && !status.usageLimit)
        this.context.record({ type: 'usage-limit.reached', reason, resetsAt: null })
    }
    if (isGone) return this.describeEnd('claude ended at once')
    if (waitedMs <= config.START_TIMEOUT_SEC * 1000 || status.usageLimit) return undefined
    if (diagnosis?.kind === 'offline')
      return fail(`${diagnosis.reason} at ${listModelHosts()[0]}`, exitCodes.dependency)
    if (diagnosis?.kind === 'working' || diagnosis?.kind === 'refused') return undefined // The request is on its way, and the first answer may take long.
    const sign = this.hasPrompted ? 'claude sent nothing to its model' : 'claude showed no sign of a first turn'
    return fail(`${sign} in ${config.START_TIMEOUT_SEC} s`, exitCodes.deadline)
  }

  /** The failure of a claude that was killed whenever it was started. */
  describeLoss(): Promise<StartFailure> {
    const times = this.context.status.lastResume?.inARow ?? 0
    return this.describeEnd(`claude was killed before its first answer, and again after ${times} new starts`)
  }

  private async describeEnd(reason: string): Promise<StartFailure> {
    return createFailure(reason, exitCodes.dependency, await captureLastWords(() => this.capture()))
  }

  private async capture(): Promise<string> {
    const { session, tmux } = this.context
    return (await tmux.captureText(getTmuxSessionName(session), 'orchestrator')) ?? ''
  }
}

function createFailure(reason: string, exitCode: ExitCode, screen: string): StartFailure {
  return { reason: `${reason}:\n${formatExcerpt(screen)}`, exitCode }
}

/** tmux may notice the end of a program before it has read its last words: on a busy machine, long before. */
async function captureLastWords(capture: () => Promise<string>): Promise<string> {
  for (const endMs = Date.now() + MAX_LAST_OUTPUT_MS; ; ) {
    await sleep(LAST_OUTPUT_MS)
    const text = await capture()
    if (text.replace(/^Pane is dead.*$/m, '').trim() !== '' || Date.now() > endMs) return text
  }
}

/** The last lines of a screen that contain text. */
function formatExcerpt(screen: string): string {
  const lines = screen.split('\n').filter(line => line.trim())
  const excerpt = lines.slice(-EXCERPT_LINES).map(line => `  | ${sanitize(line.trimEnd()).slice(0, 160)}`)
  return excerpt.join('\n')
}
