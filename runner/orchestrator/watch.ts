import fs from 'node:fs'
import { exitCodes } from '#host/error.ts'
import { sanitize, toOneLine } from '#host/text.ts'
import { readLog } from '#session/log'
import { isSettled } from '#session/status'
import { callHuman, listActiveWorkers, type RunnerContext } from '../context.ts'
import { explainMissingContract } from '../dependencies/explain-failure.ts'
import type { StartFailure } from '../end-session.ts'
import { isOwnWords } from '../messages/own-words.ts'
import { isAgentTool, listPendingRequests } from '../requests.ts'
import { explainStopBlock, STOP_ATTEMPTS } from '../stop-gate.ts'
import { modelOutputHooks, UsageLimitParking } from '../usage-limit/parking.ts'
import type { HookEvent } from './hook-inbox.ts'
import { OrchestratorPane, type PaneState } from './pane.ts'
import { OrchestratorRecovery } from './recovery.ts'
import { OrchestratorStart } from './start.ts'

/** Failed tools are normal for an agent; more of them would only fill the log. */
const MAX_RECORDED_TOOL_FAILURES = 50

/**
 * Watches the orchestrator in three ways: its hooks, its terminal, and the time it last wrote. Hook events can be late or lost,
 * so none of the three decides alone.
 */
export class OrchestratorWatch {
  private readonly context: RunnerContext
  private readonly usageLimitParking: UsageLimitParking
  private readonly start: OrchestratorStart
  /** On the clock of awake time. */
  private lastActivityMs: number
  private lastWriteMs = 0
  private transcript: string | undefined
  private readonly recovery = new OrchestratorRecovery()
  private readonly pane: OrchestratorPane
  private recordedToolFailures: number | undefined

  constructor(context: RunnerContext) {
    this.context = context
    this.lastActivityMs = context.clock.read()
    this.usageLimitParking = new UsageLimitParking(context)
    this.start = new OrchestratorStart(context)
    this.pane = new OrchestratorPane(context)
  }

  /** Note that an agent of the session has just sent a request. */
  recordActivity(): void {
    this.lastActivityMs = this.context.clock.read()
    if (this.start.isPending()) this.recordFirstAnswer()
    this.usageLimitParking.resume()
  }

  /** Process a hook event. Most events of workers only count as activity. */
  processHookEvent(hookEvent: HookEvent): void {
    this.lastActivityMs = this.context.clock.read()
    const { context } = this
    if (hookEvent.hook_event_name === 'GuardRefused') {
      const agent = cleanText(hookEvent['who'], 40)
      context.record({ type: 'write.blocked', agent, file: cleanText(hookEvent['file'], 200) })
    }
    this.recordHookEvent(hookEvent)
    if (hookEvent.session_id !== context.session.manifest.claude.sessionId) return
    this.transcript = hookEvent.transcript_path ?? this.transcript
    if (this.usageLimitParking.processHookEvent(hookEvent)) return
    if (this.start.isPending()) return this.processHookEventOfStart(hookEvent)
    if (hookEvent.hook_event_name === 'UserPromptSubmit' && isSettled(context.status) && !isOwnWords(hookEvent.prompt))
      context.record({ type: 'question.answered', source: 'its terminal' })
    if (hookEvent.hook_event_name === 'Stop') this.recordStop(cleanText(hookEvent['last_assistant_message'], 200))
    const reason = isSettled(context.status) ? undefined : findHumanCallReason(hookEvent)
    if (reason !== undefined) callHuman(context, reason, isLoginFailure(hookEvent) ? exitCodes.login : undefined)
  }

  /** Before the model's first answer claude's own errors are those of the start, and no person is called. */
  private processHookEventOfStart(hookEvent: HookEvent): void {
    const { hook_event_name: name } = hookEvent
    if (name === 'UserPromptSubmit') return this.start.recordPrompt()
    const reason = findHumanCallReason(hookEvent)
    if (reason !== undefined)
      return this.start.recordFailure(reason, isLoginFailure(hookEvent) ? exitCodes.login : exitCodes.dependency)
    if (!modelOutputHooks.includes(name)) return
    this.recordFirstAnswer()
    if (name === 'Stop') this.recordStop(cleanText(hookEvent['last_assistant_message'], 200))
  }

  /** The model has answered, or something happened that only an answer can cause. */
  private recordFirstAnswer(): void {
    const { context } = this
    context.record({ type: 'orchestrator.started', claudeSessionId: context.session.manifest.claude.sessionId })
    this.usageLimitParking.recordAnswer()
  }

  /** Before its first turn: does it start? After that: is it still there, and is it active? */
  /** `isServing`: is a request of the orchestrator being carried out? Then its claude is left as it is. */
  async check(isServing = false): Promise<StartFailure | undefined> {
    const { context } = this
    if (isSettled(context.status)) return undefined
    if (this.start.isPending()) {
      if (!this.start.hasAnswered()) return this.checkStart()
      this.recordFirstAnswer()
    }
    if (!isServing && !isBeingJudged(context)) await this.recover(await this.pane.find())
    this.usageLimitParking.check()
    const idleMs = this.measureIdle()
    const { isStuck, usageLimit, judgeWait } = context.status
    const isWaiting = usageLimit !== null || judgeWait !== null
    if (idleMs > context.config.WATCHDOG_TIMEOUT_SEC * 1000 && !isStuck && !isWaiting && !isSettled(context.status))
      context.record({ type: 'orchestrator.stuck', idleSeconds: Math.round(idleMs / 1000) })
    return undefined
  }

  /** A claude that was killed before its first answer is started again. One that ended by itself says why. */
  private async checkStart(): Promise<StartFailure | undefined> {
    const state = await this.pane.find()
    const isLost = state === 'missing' || state === 'killed'
    if (!isLost || this.start.hasFailed()) return this.start.check(state === 'exited')
    if (this.recovery.hasGivenUp(this.context.status)) return this.start.describeLoss()
    if (await this.recover(state)) this.start.begin()
    return undefined
  }

  /** How long no agent has done anything, as far as hooks and files show. Sleep does not count. */
  measureIdle(): number {
    const nowMs = this.context.clock.read()
    const writeMs = this.readLastWriteMs()
    if (writeMs !== this.lastWriteMs) this.lastActivityMs = nowMs
    this.lastWriteMs = writeMs
    return nowMs - this.lastActivityMs
  }

  /** Record what any agent's hook reports and no person needs to act on. */
  private recordHookEvent(hookEvent: HookEvent): void {
    const { context } = this
    // The orchestrator is known by its claude session, a worker by the name in the file name of the event.
    const agent =
      hookEvent.session_id === context.session.manifest.claude.sessionId
        ? 'orchestrator'
        : context.status.workers.find(worker => worker.name === hookEvent.origin.worker)?.name
    if (agent === undefined) return
    if (hookEvent.hook_event_name === 'SubagentStop')
      context.record({ type: 'subagent.ended', agent, kind: cleanText(hookEvent.agent_type, 60) || 'unnamed' })
    const isToolFailure = hookEvent.hook_event_name === 'PostToolUseFailure' && hookEvent['is_interrupt'] !== true
    if (!isToolFailure || isAgentToolRefusal(hookEvent)) return
    this.recordedToolFailures ??= readLog(context.session.paths.events).events.filter(
      ({ type }) => type === 'tool.failed',
    ).length
    if (this.recordedToolFailures++ >= MAX_RECORDED_TOOL_FAILURES) return
    const tool = cleanText(hookEvent.tool_name, 60) || 'unnamed'
    context.record({ type: 'tool.failed', agent, tool, reason: toOneLine(hookEvent.error ?? '', 160) })
  }

  private recordStop(lastMessage: string): void {
    const { context } = this
    context.record({ type: 'turn.ended', isBlocked: explainStopBlock(context.status) !== undefined })
    if (context.status.idleTurns < STOP_ATTEMPTS || isSettled(context.status)) return
    const standstill = `the orchestrator tried to end its turn ${STOP_ATTEMPTS} times without progress: ${lastMessage}`
    callHuman(context, explainMissingContract(context.status) ?? standstill)
  }

  /** Start its claude again if it is gone, unless a person has ended it. Returns whether it was started. */
  private async recover(state: PaneState): Promise<boolean> {
    const { context } = this
    const reason = this.describeLoss(state)
    const { problem = '' } = context.status
    if (reason !== undefined && isEndedByPerson(problem)) {
      callHuman(context, problem)
      return false
    }
    const isStarted = await this.recovery.check(context, reason)
    if (isStarted) this.pane.forget()
    return isStarted
  }

  /** What has become of its process, in words; undefined while it may live. */
  private describeLoss(state: PaneState): string | undefined {
    if (state === 'killed' || state === 'exited' || state === 'ending') return 'it ended by itself, or was killed'
    if (state !== 'missing') return undefined
    return this.context.status.isReopened
      ? 'a person had closed the session, and now goes on with it'
      : 'its terminal was lost'
  }

  /** When an agent last wrote to the orchestrator's transcript or to the stream of a running worker. */
  private readLastWriteMs(): number {
    const { session, status } = this.context
    const files = listActiveWorkers(status).map(worker => session.paths.worker(worker.name).stream)
    if (this.transcript) files.push(this.transcript)
    return Math.max(0, ...files.map(file => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0))
  }
}

/** A round that is being judged needs no orchestrator, and may bring the final verdict. One whose request is lost does. */
function isBeingJudged({ status, session }: RunnerContext): boolean {
  if (status.phase !== 'judging') return false
  return status.judgeWait !== null || listPendingRequests(session.paths).some(({ tool }) => tool === 'submit')
}

/** Did a person end claude, as with `/exit`? Its reason stays until claude is started again. */
function isEndedByPerson(problem: string): boolean {
  return problem.startsWith("the orchestrator's claude session ended")
}

/** Why a hook event needs a person: the orchestrator cannot go on by itself after it. */
function findHumanCallReason(hookEvent: HookEvent): string | undefined {
  const { hook_event_name: name, error = 'unknown', error_details, last_assistant_message } = hookEvent
  // `other` is a signal, which the next start answers.
  if (name === 'SessionEnd' && hookEvent.reason !== 'other')
    return `the orchestrator's claude session ended (${cleanText(hookEvent.reason ?? 'no reason given', 100)})`
  if (name === 'Notification') {
    const kinds = ['permission_prompt', 'elicitation_dialog', 'agent_needs_input']
    const isWaiting = kinds.includes(hookEvent.notification_type ?? '')
    return isWaiting ? `claude waits for you: ${cleanText(hookEvent.message, 200)}` : undefined
  }
  if (name !== 'StopFailure') return undefined
  const detail = cleanText([last_assistant_message, error_details].filter(Boolean).join(' '), 300)
  const remedy = isLoginFailure(hookEvent) ? '. Run `claude`, then /login' : ''
  return `claude stopped with an error: ${error}${detail === '' ? '' : `: ${detail}`}${remedy}`
}

/** A lost login needs its owner, and another terminal than this session's. */
function isLoginFailure({ hook_event_name: event, error }: HookEvent): boolean {
  const loginErrors = ['authentication_failed', 'oauth_org_not_allowed', 'account_on_hold', 'verification_required']
  return event === 'StopFailure' && loginErrors.includes(error ?? '')
}

/** An agent tool that refuses exits with an error too, but has its own event in the log. */
function isAgentToolRefusal(hookEvent: HookEvent): boolean {
  const { command } = (hookEvent['tool_input'] ?? {}) as { command?: unknown }
  return isAgentTool(command)
}

function cleanText(text: unknown, maxChars: number): string {
  const clean = sanitize(String(text ?? ''))
  return clean.trim().slice(0, maxChars)
}
