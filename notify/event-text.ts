import { unreachable } from '#host/error.ts'
import { isUnreachable } from '#host/model'
import { formatCount } from '#host/text.ts'
import type { Event } from '#session/log'
import { isOrchestratorGone } from '#session/status'
import type { Notification } from './notification.ts'

/** What a notification says of an event. */
export interface NotificationText {
  title: string
  /** What happened, as the rest of a sentence that begins with the session's id. */
  state: string
  /** What the person can do about it: a command, or a few words. `<sid>` stands for the letters of the session. */
  next?: string
  /** In the words of an agent or a vendor, so it is sent only with `NOTICE_DETAIL=full`. */
  reason?: string | undefined
  priority: Notification['priority']
  tag: string
}

/** The title of everything that waits for a person. */
export const NEEDS_YOU_TITLE = 'Dispatch needs you'

/** The words about an event; undefined if it is not worth a notification. `subagents`: also report workers and their subagents. Pure. */
export function composeText(event: Event, subagents: boolean): NotificationText | undefined {
  switch (event.type) {
    case 'orchestrator.started':
      return { title: 'Dispatch started', state: 'is planning', priority: 3, tag: 'rocket' }
    case 'start.failed':
      return alert('Dispatch did not start', 'did not start', { reason: event.reason, tag: 'x' })
    case 'question.asked':
      return callPerson('asks a question', { next: 'dispatch say <sid> "…"', reason: event.question, tag: 'question' })
    case 'approval.requested':
      return composeApprovalText(event)
    case 'human.needed':
      return isOrchestratorGone({ phase: 'needs you', problem: event.reason })
        ? callPerson('has lost its orchestrator', { next: 'dispatch resume <sid>', reason: event.reason })
        : callPerson('cannot continue alone', { reason: event.reason })
    case 'orchestrator.stuck': {
      const state = `shows no activity for ${formatIdleTime(event.idleSeconds)}`
      return alert('Dispatch is stuck', state, { next: 'dispatch attach <sid>', tag: 'hourglass' })
    }
    case 'command.repeated': {
      if (event.isOver) return undefined
      const state = `has run the same command ${event.times} times with the same result`
      return alert('Dispatch: an agent goes in circles', state, {
        next: 'dispatch attach <sid>',
        reason: event.target,
        tag: 'repeat',
      })
    }
    case 'usage-limit.reached': {
      const what = isUnreachable(event.reason) ? 'its model to be reached' : 'the usage limit to end'
      const state = `waits for ${what}${formatTime(event.resetsAt)}, then continues`
      return { title: 'Dispatch is parked', state, reason: event.reason, priority: 3, tag: 'zzz' }
    }
    case 'usage-limit.lifted': {
      const state = 'continues: its model answers again'
      return { title: 'Dispatch continues', state, priority: 2, tag: 'arrow_forward' }
    }
    case 'budget.reached': {
      const state = `spent $${event.spentUsd.toFixed(2)} of $${event.budgetUsd.toFixed(2)} and starts no more workers`
      return callPerson(state, { next: 'raise BUDGET_USD', tag: 'moneybag' })
    }
    case 'time-limit.reached': {
      const state = `has worked for ${formatIdleTime(event.workedSeconds)} and asks whether to go on`
      return callPerson(state, { next: 'dispatch resume <sid>', tag: 'hourglass' })
    }
    case 'deadline.passed':
      return alert('Dispatch is late', 'has no verdict at its deadline', { priority: 5, tag: 'alarm_clock' })
    case 'disk.low': {
      const state = `has only ${Math.floor(event.freeBytes / 1e6)} MB left on the disk`
      return alert('Dispatch: disk nearly full', state, { next: 'dispatch rm --applied', tag: 'floppy_disk' })
    }
    case 'runner.started':
      return composeRecoveryText(event)
    case 'judge.checked': {
      const { problem } = event
      if (problem === '') return undefined
      const state = 'has no working judge: until that is fixed, no verdict can be PASS'
      return alert('Dispatch: no judge', state, { next: 'dispatch doctor --online', reason: problem })
    }
    case 'judging.parked': {
      if (event.attempts > 1) return undefined // It is told once.
      const cause = judgeCauses[event.kind] ?? 'gives no answer'
      const state = `is waiting for the judge, which ${cause}. Dispatch asks it again${formatTime(event.nextAt)} and keeps trying. Nothing is lost`
      return { title: 'Dispatch is parked', state, reason: event.reason, priority: 3, tag: 'zzz' }
    }
    case 'verdict.given':
      return composeVerdictText(event)
    case 'verdict.voided':
      return alert('Dispatch: verdict void', 'changed after its verdict, which is now void', { reason: event.reason })
    case 'worker.ended': {
      const state = `worker ended (${event.ending})`
      const text = { title: 'Dispatch: a worker ended', state, reason: event.reason, priority: 2, tag: 'gear' }
      return subagents ? text : undefined
    }
    case 'subagent.ended': {
      const text = { title: 'Dispatch: a subagent ended', state: 'subagent ended', priority: 1, tag: 'gear' }
      return subagents ? { ...text, reason: event.kind } : undefined
    }
    case 'landing.checked':
      return event.isOnBranch ? composeMergedText(event) : undefined
    // What a landing in the background ends with is told once, by its queue; at a terminal you see it.
    case 'landing.pushed':
    case 'landing.refused':
    case 'landing.overlapped':
    case 'verdict.restored':
    case 'pull-request.prepared':
    case 'pull-request.opened':
    case 'session.opened':
    case 'session.reopened':
    case 'worker.hung':
    case 'cost.estimated':
    case 'worker.parked':
    case 'worker.interrupted':
    case 'base.prepared':
    case 'contract.rejected':
    case 'dependencies.started':
    case 'dependencies.ended':
    case 'contract.sealed':
    case 'contract.amended':
    case 'check.ran':
    case 'worker.queued':
    case 'worker.started':
    case 'lock.granted':
    case 'lock.released':
    case 'changes.quarantined':
    case 'request.rejected':
    case 'write.blocked':
    case 'question.answered':
    case 'message.delivered':
    case 'message.rejected':
    case 'contract.approved':
    case 'contract.declined':
    case 'orchestrator.resumed':
    case 'session.slept':
    case 'machine.slept':
    case 'turn.ended':
    case 'cost.reported':
    case 'judging.started':
    case 'judging.requested':
    case 'judge.asked':
    case 'tool.failed':
    case 'notification.queued':
    case 'session.closed':
      return undefined
    default:
      return unreachable(event)
  }
}

// --- internal ---

/** Why a judge gives no answer, in dispatch's own words: those of the vendor are sent only with `NOTICE_DETAIL=full`. */
const judgeCauses: Record<string, string> = {
  overloaded: 'is overloaded',
  unreachable: 'cannot be reached',
  malformed: 'answers in a form that cannot be used',
  'quota spent': 'has no quota left',
}

/** A person should look soon. */
function alert(title: string, state: string, details: Partial<NotificationText>): NotificationText {
  return { title, state, next: 'dispatch show <sid>', priority: 4, tag: 'warning', ...details }
}

/** The session waits until a person acts. */
function callPerson(state: string, details: Partial<NotificationText>): NotificationText {
  return alert(NEEDS_YOU_TITLE, state, details)
}

function composeApprovalText(event: Extract<Event, { type: 'approval.requested' }>): NotificationText {
  const { dilutions = [], reason } = event
  const state =
    dilutions.length > 0
      ? `wants to weaken its contract in ${formatCount(dilutions.length, 'point')}`
      : 'needs your approval of its contract'
  return callPerson(state, { next: 'dispatch approve <sid>', reason, tag: 'question' })
}

/** The first and the fourth crash in a row are reported. Those between would only repeat it. */
function composeRecoveryText(event: Extract<Event, { type: 'runner.started' }>): NotificationText | undefined {
  const { generation, consecutiveRestarts = 1 } = event
  if (generation === 1) return undefined
  if (consecutiveRestarts === 1)
    return { title: 'Dispatch recovered', state: 'continues after a crash', priority: 2, tag: 'adhesive_bandage' }
  if (consecutiveRestarts !== ALARMING_RESTARTS) return undefined
  const state = `continues, but its runner crashed ${consecutiveRestarts} times in a row`
  return callPerson(state, { next: 'dispatch logs <sid>' })
}

const ALARMING_RESTARTS = 4

/** The forge has merged it, so what is not green there is urgent. */
function composeMergedText({ branch, reason, result }: Extract<Event, { type: 'landing.checked' }>): NotificationText {
  const merged = `was merged into ${branch}`
  if (result === 'ready')
    return { title: 'Dispatch landed', state: `${merged}, and proved there`, priority: 3, tag: 'airplane_arriving' }
  if (result === 'undecided' || result === 'blocked')
    return alert('Dispatch: merged, and not proved', `${merged}, and could not be proved there yet`, { reason })
  const urgent = { reason, priority: 5, tag: 'rotating_light' } as const
  return alert('Dispatch: merged, and not green', `${merged}, and is not green there`, urgent)
}

/** A FAIL that is not final goes back to the workers, so it is not reported. */
function composeVerdictText(event: Extract<Event, { type: 'verdict.given' }>): NotificationText | undefined {
  const { verdict, round, reason, isFinal } = event
  if (verdict === 'FAIL' && !isFinal) return undefined
  const { state, ...rest } = verdictTexts[verdict]
  return { title: `Dispatch: ${verdict}`, state: `${state} round ${round}`, reason, ...rest }
}

const verdictTexts = {
  PASS: { state: 'passed in', next: 'dispatch apply <sid>', priority: 3, tag: 'white_check_mark' },
  FAIL: { state: 'failed in', next: 'dispatch show <sid>', priority: 4, tag: 'x' },
  INCONCLUSIVE: { state: 'is undecided after', next: 'dispatch show <sid>', priority: 4, tag: 'warning' },
}

function formatIdleTime(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`
}

/** ` at 14:05`, and on another day ` at Tue 14:05`, on this machine's clock; empty if it is unknown. */
function formatTime(iso: string | null): string {
  if (iso === null) return ''
  const time = new Date(iso)
  const day = time.toDateString() === new Date().toDateString() ? '' : `${time.toDateString().slice(0, 3)} `
  return ` at ${day}${time.toTimeString().slice(0, 5)}`
}
