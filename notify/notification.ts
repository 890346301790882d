import { z } from 'zod'
import type { Config } from '#host/config'
import { unreachable } from '#host/error.ts'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import { type Event, formatLogAnchor } from '#session/log'
/** An event put into words for a person. It leaves the machine: session id and state only, never the task. */
export const Notification = z.object({
  title: z.string().min(1).max(200),
  body: z.string().min(1).max(1000),
  /** As ntfy counts: 1 is silent, 3 is usual, 5 rings on. */
  priority: z.int().min(1).max(5),
  /** Names of ntfy tags, such as `rocket`; the phone shows them as emoji. (An emoji in the title would throw.) */
  tags: z.array(z.string().regex(/^[a-z0-9_+-]{1,40}$/)).max(8),
  /** What a tap on the notice opens. */
  click: z.url({ protocol: /^https?$/ }).optional(),
  /** A verdict, which holds the proof, so it never goes under among others; files of before do not say so. */
  kind: z.literal('verdict').optional(),
})

export type Notification = z.infer<typeof Notification>

/** What the user has said about notices, and what a notice may tell of the session. */
export interface NotificationOptions {
  /** The session's page; null where there is none. */
  pageUrl: string | null
  detail: Config['NOTICE_DETAIL']
  subagents: boolean
  /** Secrets that must not stand in it; those of our own environment where none are given. */
  knownSecrets?: readonly string[]
}

/**
 * What a person is told of this event, or undefined when it is not worth a push. `isUrgent` where
 * something is late already, or nothing goes on without them. A verdict comes with the `head` of the log: from then on a
 * phone knows what no agent on this machine can change (`dispatch audit --head`). Pure.
 */
export function createNotification(
  event: Event,
  { id, title: task, head }: { id: string; title: string; head?: string | undefined },
  { pageUrl, detail, subagents, knownSecrets = listKnownSecrets() }: NotificationOptions,
): { notice: Notification; isUrgent: boolean } | undefined {
  const words = composeText(event) ?? (subagents ? composeSubagentText(event) : undefined)
  if (words === undefined) return undefined
  const { title, state, more, priority, tag } = words
  const anchor = event.type === 'verdict.given' && head !== undefined ? `, proof ${formatLogAnchor(head)}` : ''
  const body = [
    `${id} ${state}${anchor}`,
    ...(detail === 'state' ? [] : [task]),
    ...(detail === 'full' && more !== undefined ? [more] : []),
  ]
  const notice = {
    title,
    body: body.map(line => toOneLine(redactSecrets(line, knownSecrets).text, 300)).join('\n'), // Cut last: half a secret is one too.
    priority,
    tags: [tag],
    ...(pageUrl === null ? {} : { click: pageUrl }),
    ...(event.type === 'verdict.given' ? { kind: 'verdict' as const } : {}),
  }
  return { notice, isUrgent: title === NEEDS_YOU_TITLE || urgentEvents.includes(event.type) }
}

interface NotificationText {
  title: string
  state: string
  /** In the words of an agent or of the vendor; only for who wants the full story. */
  more?: string
  priority: Notification['priority']
  tag: string
}

const NEEDS_YOU_TITLE = 'Dispatch needs you'

/** What brings a session past its deadline if nobody hears of it, besides all that needs you. */
const urgentEvents: Event['type'][] = ['orchestrator.stuck', 'start.failed', 'deadline.passed']

function composeText(event: Event): NotificationText | undefined {
  switch (event.type) {
    case 'orchestrator.started':
      return { title: 'Dispatch started', state: 'is planning', priority: 3, tag: 'rocket' }
    case 'start.failed':
      return { title: 'Dispatch did not start', state: 'failed', more: event.reason, priority: 4, tag: 'x' }
    case 'question.asked':
      return {
        title: NEEDS_YOU_TITLE,
        state: 'is asking a question',
        more: event.question,
        priority: 4,
        tag: 'question',
      }
    case 'approval.requested':
      return composeApprovalText(event)
    case 'human.needed':
      return { title: NEEDS_YOU_TITLE, state: 'cannot go on alone', more: event.reason, priority: 4, tag: 'warning' }
    case 'orchestrator.stuck':
      return { title: 'Dispatch is stuck', state: formatIdleTime(event.idleSeconds), priority: 4, tag: 'hourglass' }
    case 'usage-limit.reached':
      return {
        title: 'Dispatch is parked',
        state: formatResumeTime(event.resetsAt),
        more: event.reason,
        priority: 3,
        tag: 'zzz',
      }
    case 'usage-limit.lifted':
      return {
        title: 'Dispatch goes on',
        state: 'works again: the usage limit is over',
        priority: 2,
        tag: 'arrow_forward',
      }
    case 'budget.reached': {
      const spent = `has spent $${event.spentUsd.toFixed(2)} of $${event.budgetUsd.toFixed(2)}; no more workers are started`
      return { title: NEEDS_YOU_TITLE, state: spent, priority: 4, tag: 'moneybag' }
    }
    case 'deadline.passed':
      return { title: 'Dispatch is late', state: 'has no verdict at its deadline', priority: 5, tag: 'alarm_clock' }
    case 'runner.started':
      return composeRecoveryText(event)
    case 'verdict.given':
      return event.isFinal || event.verdict !== 'FAIL' ? composeVerdictText(event) : undefined
    case 'verdict.voided':
      return {
        title: 'Dispatch: verdict void',
        state: 'has changed since its verdict, which no longer holds',
        more: event.reason,
        priority: 4,
        tag: 'warning',
      }
    case 'session.opened':
    case 'base.prepared':
    case 'contract.rejected':
    case 'dependencies.started':
    case 'dependencies.ended':
    case 'contract.sealed':
    case 'contract.amended':
    case 'check.ran':
    case 'worker.queued':
    case 'worker.started':
    case 'worker.ended':
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
    case 'turn.ended':
    case 'judging.started':
    case 'tool.failed':
    case 'subagent.ended':
    case 'notification.queued':
    case 'session.closed':
      return undefined
    default:
      return unreachable(event)
  }
}

/** Ends of workers and of their subagents: told only to who has asked for it. */
function composeSubagentText(event: Event): NotificationText | undefined {
  if (event.type === 'worker.ended')
    return {
      title: 'Dispatch: a worker ended',
      state: `worker ${event.ending}`,
      more: event.reason,
      priority: 2,
      tag: 'gear',
    }
  if (event.type === 'subagent.ended')
    return { title: 'Dispatch: a subagent ended', state: 'subagent ended', more: event.kind, priority: 1, tag: 'gear' }
  return undefined
}

/** `until 14:05`, and from another day `until Tue 14:05`, on the machine's own clock. */
function formatTime(time: Date, now: Date): string {
  const day = time.toDateString() === now.toDateString() ? '' : `${time.toDateString().slice(0, 3)} `
  return `until ${day}${time.toTimeString().slice(0, 5)}`
}

function formatResumeTime(until: string | null): string {
  return `waits for the usage limit to end${until === null ? '' : ` (${formatTime(new Date(until), new Date())})`}`
}

function composeApprovalText({
  dilutions = [],
  reason: more,
}: Extract<Event, { type: 'approval.requested' }>): NotificationText {
  const asks = { title: NEEDS_YOU_TITLE, priority: 4, tag: 'question', ...(more === undefined ? {} : { more }) }
  if (dilutions.length === 0) return { ...asks, state: 'waits for your approval' }
  const points = dilutions.length === 1 ? 'one point' : `${dilutions.length} points`
  return { ...asks, state: `wants to ask less of itself in ${points}, and waits for your approval` }
}

/** Told at the first crash, and once more when one follows another; between them it would be the same again and again. */
function composeRecoveryText({
  generation,
  consecutiveRestarts = 1,
}: Extract<Event, { type: 'runner.started' }>): NotificationText | undefined {
  if (generation === 1 || ![1, 4].includes(consecutiveRestarts)) return undefined
  if (consecutiveRestarts === 1)
    return { title: 'Dispatch recovered', state: 'goes on after a crash', priority: 2, tag: 'adhesive_bandage' }
  return {
    title: NEEDS_YOU_TITLE,
    state: `goes on, but its runner has died ${consecutiveRestarts} times in a row`,
    more: 'The end of its log says why: dispatch logs',
    priority: 4,
    tag: 'warning',
  }
}

function composeVerdictText({
  verdict,
  round,
  reason: more,
}: Extract<Event, { type: 'verdict.given' }>): NotificationText {
  const title = `Dispatch: ${verdict}`
  switch (verdict) {
    case 'PASS':
      return { title, more, state: `has passed in round ${round}`, priority: 3, tag: 'white_check_mark' }
    case 'FAIL':
      return { title, more, state: `has failed in round ${round}`, priority: 4, tag: 'x' }
    case 'INCONCLUSIVE':
      return { title, more, state: `could not be decided in round ${round}`, priority: 4, tag: 'warning' }
    default:
      return unreachable(verdict)
  }
}

function formatIdleTime(seconds: number): string {
  return seconds < 120 ? `has been still for ${seconds} s` : `has been still for ${Math.floor(seconds / 60)} min`
}
