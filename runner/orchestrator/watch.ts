import fs from 'node:fs'
import { diagnoseScreen } from '#host/claude'
import { exitCodes } from '#host/error.ts'
import { sanitize, toOneLine } from '#host/text.ts'
import { readLog } from '#session/log'
import { isSettled } from '#session/status'
import { callHuman, type RunnerContext } from '../context.ts'
import { explainStopBlock, STOP_ATTEMPTS } from '../stop-gate.ts'
import { getTmuxSessionName } from '../terminal.ts'
import type { HookEvent } from './hook-inbox.ts'
import { UsageLimitPause } from './usage-limit-pause.ts'

/** The orchestrator failed to start: what to tell a person, and the exit code of the door that waits. */
export interface StartFailure {
  reason: string
  exit: number
}

/**
 * What we know of the orchestrator, from three sides: its hooks, its terminal, and when it last wrote. Hooks may be late
 * or lost, so none of them alone decides.
 */
export class OrchestratorWatch {
  private readonly running: RunnerContext
  private readonly usageLimitPause: UsageLimitPause
  private readonly startedAt = Date.now()
  private lastActivityAt = Date.now()
  private transcript: string | undefined
  private pane = { at: 0, gone: false }
  private recordedToolFailures: number | undefined

  constructor(context: RunnerContext) {
    this.running = context
    this.usageLimitPause = new UsageLimitPause(context)
  }

  /** An agent of the session has just asked for something. */
  recordActivity(): void {
    this.lastActivityAt = Date.now()
    this.usageLimitPause.resume()
  }

  /** What a hook says. The workers' own are only signs of life. */
  processHookEvent(hookEvent: HookEvent): void {
    this.lastActivityAt = Date.now()
    const { running: context } = this
    if (hookEvent.hook_event_name === 'GuardRefused') {
      context.record({
        type: 'write.blocked',
        agent: cleanText(hookEvent['who'], 40),
        file: cleanText(hookEvent['file'], 200),
      })
    }
    this.recordHookEvent(hookEvent)
    if (hookEvent.session_id !== context.session.manifest.claude.sessionId) return
    this.transcript = hookEvent.transcript_path ?? this.transcript
    if (this.usageLimitPause.processHookEvent(hookEvent)) return
    if (hookEvent.hook_event_name === 'UserPromptSubmit') this.recordPrompt(hookEvent.session_id)
    if (hookEvent.hook_event_name === 'Stop') this.recordStop(cleanText(hookEvent['last_assistant_message'], 200))
    const why = isSettled(context.status) ? undefined : findHumanCallReason(hookEvent)
    if (why !== undefined) callHuman(context, why, isLoginFailure(hookEvent) ? exitCodes.login : undefined)
  }

  /** Before it has started: does it start at all? After that: is it there, and does anything happen? */
  async check(): Promise<StartFailure | undefined> {
    const { running: context } = this
    if (isSettled(context.status)) return undefined
    if (context.status.phase === 'opening') return this.checkStart()
    if (await this.isGone())
      callHuman(context, 'the orchestrator is gone: its process ended before there was a verdict')
    this.usageLimitPause.check()
    const idle = Date.now() - Math.max(this.lastActivityAt, this.readLastWriteMs())
    const { isStuck, usageLimit } = context.status
    if (idle > context.config.WATCHDOG_TIMEOUT_SEC * 1000 && !isStuck && !usageLimit && !isSettled(context.status)) {
      context.record({ type: 'orchestrator.stuck', idleSeconds: Math.round(idle / 1000) })
    }
    return undefined
  }

  /** What any agent's hook says that belongs on record, and calls nobody. */
  private recordHookEvent(hookEvent: HookEvent): void {
    const { running: context } = this
    const agent = this.identifySpeaker(hookEvent)
    if (agent === undefined) return
    if (hookEvent.hook_event_name === 'SubagentStop')
      context.record({ type: 'subagent.ended', agent, kind: cleanText(hookEvent.agent_type, 60) || 'unnamed' })
    if (
      hookEvent.hook_event_name !== 'PostToolUseFailure' ||
      hookEvent['is_interrupt'] === true ||
      isAgentToolRefusal(hookEvent)
    )
      return
    this.recordedToolFailures ??= readLog(context.session.paths.events).events.filter(
      ({ type }) => type === 'tool.failed',
    ).length
    if (this.recordedToolFailures++ >= MAX_RECORDED_TOOL_FAILURES) return
    const tool = cleanText(hookEvent.tool_name, 60) || 'unnamed'
    context.record({ type: 'tool.failed', agent, tool, reason: toOneLine(hookEvent.error ?? '', 160) })
  }

  /** Whose hook it is: the orchestrator's by its session, a worker's by the name under which it was left. */
  private identifySpeaker({ session_id, origin }: HookEvent): string | undefined {
    const { session, status } = this.running
    if (session_id === session.manifest.claude.sessionId) return 'orchestrator'
    return status.workers.find(worker => worker.name === origin.worker)?.name
  }

  private recordPrompt(claudeSessionId: string): void {
    const { running: context } = this
    if (context.status.phase === 'opening') context.record({ type: 'orchestrator.started', claudeSessionId })
    else if (isSettled(context.status)) context.record({ type: 'question.answered', source: 'its terminal' })
  }

  private recordStop(lastWords: string): void {
    const { running: context } = this
    context.record({ type: 'turn.ended', isBlocked: explainStopBlock(context.status) !== undefined })
    if (context.status.idleTurns < STOP_ATTEMPTS || isSettled(context.status)) return
    callHuman(context, `the orchestrator tried to end its turn ${STOP_ATTEMPTS} times without going on: ${lastWords}`)
  }

  private async checkStart(): Promise<StartFailure | undefined> {
    const waited = Date.now() - this.startedAt
    if (waited < SCREEN_GRACE_MS) return undefined
    const { session, tmux, config } = this.running
    const screen = (await tmux.captureText(getTmuxSessionName(session), 'orchestrator')) ?? ''
    const sign = diagnoseScreen(screen)
    const failed = (why: string, exit: number) => ({ reason: `${why}:\n${formatScreenExcerpt(screen)}`, exit })
    if (sign?.needsPerson) return failed(sign.reason, exitCodes.login)
    if (await this.isGone()) return failed('claude ended at once', exitCodes.dependency)
    if (waited <= config.START_TIMEOUT_SEC * 1000) return undefined
    return failed(
      sign?.reason ?? `claude showed no sign of a first turn in ${config.START_TIMEOUT_SEC} s`,
      exitCodes.deadline,
    )
  }

  /** Asked of tmux at most every two seconds, for it costs a process; a terminal that does not answer proves nothing. */
  private async isGone(): Promise<boolean> {
    if (Date.now() - this.pane.at > 2000) {
      const panes = await this.running.tmux.listPanes()
      const own = panes.find(
        pane => pane.session === getTmuxSessionName(this.running.session) && pane.window === 'orchestrator',
      )
      this.pane = { at: Date.now(), gone: panes.length > 0 && (own === undefined || own.isDead) }
    }
    return this.pane.gone
  }

  /** When any agent last wrote: the orchestrator's transcript, the streams of those who work. */
  private readLastWriteMs(): number {
    const { session, status } = this.running
    const working = status.workers.filter(worker => worker.endedAt === undefined)
    const files = [
      ...working.map(worker => session.paths.worker(worker.name).stream),
      ...(this.transcript ? [this.transcript] : []),
    ]
    return Math.max(0, ...files.map(file => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0))
  }
}

/** So many failures of tools are told of in a session; after that they are an agent's daily bread. */
const MAX_RECORDED_TOOL_FAILURES = 50

/** Nothing is read from the screen before this: claude is still drawing it. In milliseconds. */
const SCREEN_GRACE_MS = 1500

/** What a hook says that no orchestrator comes out of by itself. */
function findHumanCallReason(hookEvent: HookEvent): string | undefined {
  switch (hookEvent.hook_event_name) {
    case 'StopFailure': {
      const { error = 'unknown', error_details, last_assistant_message } = hookEvent
      const said = cleanText([last_assistant_message, error_details].filter(Boolean).join(' '), 300)
      return `claude stopped with an error: ${error}${said === '' ? '' : `: ${said}`}${isLoginFailure(hookEvent) ? '. Run `claude`, then /login' : ''}`
    }
    case 'SessionEnd':
      return `the orchestrator's session was ended (${cleanText(hookEvent.reason ?? 'no reason given', 100)})`
    case 'Notification': {
      const waits = ['permission_prompt', 'elicitation_dialog', 'agent_needs_input'].includes(
        hookEvent.notification_type ?? '',
      )
      return waits ? `claude waits for you: ${cleanText(hookEvent.message, 200)}` : undefined
    }
    default:
      return undefined
  }
}

/** Was it for want of a login? Then only its owner can go on, and not in this session's terminal. */
function isLoginFailure({ hook_event_name: event, error }: HookEvent): boolean {
  const ofLogin = ['authentication_failed', 'oauth_org_not_allowed', 'account_on_hold', 'verification_required']
  return event === 'StopFailure' && ofLogin.includes(error ?? '')
}

/** A tool of ours that says no ends with an exit code too: that is an answer, and stands in the record as what it is. */
function isAgentToolRefusal(hookEvent: HookEvent): boolean {
  const { command } = (hookEvent['tool_input'] ?? {}) as { command?: unknown }
  return /^\s*(contract check|spawn-worker|wait-workers|submit|ask)\b/.test(String(command ?? ''))
}

function cleanText(text: unknown, maxChars: number): string {
  return sanitize(String(text ?? ''))
    .trim()
    .slice(0, maxChars)
}

/** The last lines of a screen that hold any text. */
function formatScreenExcerpt(screen: string): string {
  const lines = screen
    .split('\n')
    .map(line => line.trimEnd())
    .filter(Boolean)
  return lines
    .slice(-12)
    .map(line => `  | ${sanitize(line).slice(0, 160)}`)
    .join('\n')
}
