import fs from 'node:fs'
import { exits, oneLine, printable, readScreen } from '../host/index.ts'
import { readLog, settled } from '../session/index.ts'
import { holdReason, patience } from './hold.ts'
import { Parking } from './parking.ts'
import { giveUp, type Running } from './running.ts'
import type { Told } from './spool.ts'
import { tmuxSession } from './start.ts'

/** The orchestrator failed to start: what to tell a person, and the exit code of the door that waits. */
export interface FailedStart {
  why: string
  exit: number
}

/**
 * What we know of the orchestrator, from three sides: its hooks, its terminal, and when it last wrote. Hooks may be late
 * or lost, so none of them alone decides.
 */
export class OrchestratorWatch {
  private readonly running: Running
  private readonly parking: Parking
  private readonly since = Date.now()
  private lastSign = Date.now()
  private transcript: string | undefined
  private pane = { at: 0, gone: false }
  private failures: number | undefined

  constructor(running: Running) {
    this.running = running
    this.parking = new Parking(running)
  }

  /** An agent of the session has just asked for something. */
  sign(): void {
    this.lastSign = Date.now()
    this.parking.goesOn()
  }

  /** What a hook says. The workers' own are only signs of life. */
  hear(told: Told): void {
    this.lastSign = Date.now()
    const { running } = this
    if (told.hook_event_name === 'GuardRefused') {
      running.record({ is: 'write.refused', who: words(told['who'], 40), file: words(told['file'], 200) })
    }
    this.note(told)
    if (told.session_id !== running.session.opening.claude.session) return
    this.transcript = told.transcript_path ?? this.transcript
    if (this.parking.hear(told)) return
    if (told.hook_event_name === 'UserPromptSubmit') this.prompted(told.session_id)
    if (told.hook_event_name === 'Stop') this.stopped(words(told['last_assistant_message'], 200))
    const why = settled(running.status) ? undefined : callForHelp(told)
    if (why !== undefined) giveUp(running, why, lostLogin(told) ? exits.login : undefined)
  }

  /** Before it has started: does it start at all? After that: is it there, and does anything happen? */
  async look(): Promise<FailedStart | undefined> {
    const { running } = this
    if (settled(running.status)) return undefined
    if (running.status.phase === 'opening') return this.lookAtStart()
    if (await this.isGone()) giveUp(running, 'the orchestrator is gone: its process ended before there was a verdict')
    this.parking.look()
    const idle = Date.now() - Math.max(this.lastSign, this.lastWritten())
    const { stuck, limit } = running.status
    if (idle > running.config.WATCHDOG_TIMEOUT_SEC * 1000 && !stuck && !limit && !settled(running.status)) {
      running.record({ is: 'orchestrator.stuck', idleSeconds: Math.round(idle / 1000) })
    }
    return undefined
  }

  /** What any agent's hook says that belongs on record, and calls nobody. */
  private note(told: Told): void {
    const { running } = this
    const who = this.speaker(told)
    if (who === undefined) return
    if (told.hook_event_name === 'SubagentStop')
      running.record({ is: 'subagent.ended', who, kind: words(told.agent_type, 60) || 'unnamed' })
    if (told.hook_event_name !== 'PostToolUseFailure' || told['is_interrupt'] === true || isOurAnswer(told)) return
    this.failures ??= readLog(running.session.paths.events).events.filter(({ is }) => is === 'tool.failed').length
    if (this.failures++ >= mostFailures) return
    const tool = words(told.tool_name, 60) || 'unnamed'
    running.record({ is: 'tool.failed', who, tool, why: oneLine(told.error ?? '', 160) })
  }

  /** Whose hook it is: the orchestrator's by its session, a worker's by the name under which it was left. */
  private speaker({ session_id, left }: Told): string | undefined {
    const { session, status } = this.running
    if (session_id === session.opening.claude.session) return 'orchestrator'
    return status.workers.find(worker => worker.name === left.by)?.name
  }

  private prompted(claudeSession: string): void {
    const { running } = this
    if (running.status.phase === 'opening') running.record({ is: 'orchestrator.started', claudeSession })
    else if (settled(running.status)) running.record({ is: 'question.answered', by: 'its terminal' })
  }

  private stopped(lastWords: string): void {
    const { running } = this
    running.record({ is: 'turn.ended', held: holdReason(running.status) !== undefined })
    if (running.status.idleTurns < patience || settled(running.status)) return
    giveUp(running, `the orchestrator tried to end its turn ${patience} times without going on: ${lastWords}`)
  }

  private async lookAtStart(): Promise<FailedStart | undefined> {
    const waited = Date.now() - this.since
    if (waited < grace) return undefined
    const { session, tmux, config } = this.running
    const screen = (await tmux.screen(tmuxSession(session), 'orchestrator')) ?? ''
    const sign = readScreen(screen)
    const failed = (why: string, exit: number) => ({ why: `${why}:\n${excerpt(screen)}`, exit })
    if (sign?.login) return failed(sign.why, exits.login)
    if (await this.isGone()) return failed('claude ended at once', exits.dependency)
    if (waited <= config.START_TIMEOUT_SEC * 1000) return undefined
    return failed(sign?.why ?? `claude showed no sign of a first turn in ${config.START_TIMEOUT_SEC} s`, exits.deadline)
  }

  /** Asked of tmux at most every two seconds, for it costs a process; a terminal that does not answer proves nothing. */
  private async isGone(): Promise<boolean> {
    if (Date.now() - this.pane.at > 2000) {
      const panes = await this.running.tmux.panes()
      const own = panes.find(
        pane => pane.session === tmuxSession(this.running.session) && pane.window === 'orchestrator',
      )
      this.pane = { at: Date.now(), gone: panes.length > 0 && (own === undefined || own.dead) }
    }
    return this.pane.gone
  }

  /** When any agent last wrote: the orchestrator's transcript, the streams of those who work. */
  private lastWritten(): number {
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
const mostFailures = 50

/** Nothing is read from the screen before this: claude is still drawing it. In milliseconds. */
const grace = 1500

/** What a hook says that no orchestrator comes out of by itself. */
function callForHelp(told: Told): string | undefined {
  switch (told.hook_event_name) {
    case 'StopFailure': {
      const { error = 'unknown', error_details, last_assistant_message } = told
      const said = words([last_assistant_message, error_details].filter(Boolean).join(' '), 300)
      return `claude stopped with an error: ${error}${said === '' ? '' : `: ${said}`}${lostLogin(told) ? '. Run `claude`, then /login' : ''}`
    }
    case 'SessionEnd':
      return `the orchestrator's session was ended (${words(told.reason ?? 'no reason given', 100)})`
    case 'Notification': {
      const waits = ['permission_prompt', 'elicitation_dialog', 'agent_needs_input'].includes(
        told.notification_type ?? '',
      )
      return waits ? `claude waits for you: ${words(told.message, 200)}` : undefined
    }
    default:
      return undefined
  }
}

/** Was it for want of a login? Then only its owner can go on, and not in this session's terminal. */
function lostLogin({ hook_event_name: event, error }: Told): boolean {
  const ofLogin = ['authentication_failed', 'oauth_org_not_allowed', 'account_on_hold', 'verification_required']
  return event === 'StopFailure' && ofLogin.includes(error ?? '')
}

/** A tool of ours that says no ends with an exit code too: that is an answer, and stands in the record as what it is. */
function isOurAnswer(told: Told): boolean {
  const { command } = (told['tool_input'] ?? {}) as { command?: unknown }
  return /^\s*(contract check|spawn-worker|wait-workers|submit|ask)\b/.test(String(command ?? ''))
}

function words(text: unknown, most: number): string {
  return printable(String(text ?? ''))
    .trim()
    .slice(0, most)
}

/** The last lines of a screen that hold any text. */
function excerpt(screen: string): string {
  const lines = screen
    .split('\n')
    .map(line => line.trimEnd())
    .filter(Boolean)
  return lines
    .slice(-12)
    .map(line => `  | ${printable(line).slice(0, 160)}`)
    .join('\n')
}
