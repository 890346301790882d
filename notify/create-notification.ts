import type { Config } from '#host/config'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import { type Event, formatLogAnchor } from '#session/log'
import { composeText, NEEDS_YOU_TITLE } from './event-text.ts'
import type { Notification } from './notification.ts'

/** The user's settings for notifications, and the address of the session's page. */
export interface NotificationOptions {
  /** Null if no page is running. */
  pageUrl: string | null
  detail: Config['NOTICE_DETAIL']
  /** Also report the end of workers and their subagents. */
  subagents: boolean
  /**
   * The secrets to redact, asked for only where there is something to send; undefined where they cannot be known, and then nothing is said
   * in the words of the session. The default is those in the environment of this process.
   */
  listSecrets?: () => readonly string[] | undefined
}

/**
 * Create the notification for an event; undefined if the event is not worth one. `isUrgent` means that a session misses its
 * deadline, or waits, until a person acts. A verdict's notification has the log anchor: from then on a phone knows the head
 * of the log, which no agent on this machine can change (`dispatch audit --head`). Pure.
 */
export function createNotification(
  event: Event,
  { id, title: task, head }: { id: string; title: string; head?: string | undefined },
  { pageUrl, detail: wanted, subagents, listSecrets = listKnownSecrets }: NotificationOptions,
): { notification: Notification; isUrgent: boolean } | undefined {
  const text = composeText(event, subagents)
  if (text === undefined) return undefined
  const { title, state, next, reason, priority, tag } = text
  const secrets = listSecrets()
  const detail = secrets === undefined ? 'state' : wanted
  const isVerdict = event.type === 'verdict.given'
  const anchor = isVerdict && head !== undefined ? `, log anchor ${formatLogAnchor(head)}` : ''
  // Without its letters, a command would take the newest session.
  const step = next === undefined ? '' : `. Next: ${next.replace('<sid>', id.slice(-4))}`
  const lines = [
    `${id} ${state}${anchor}${step}`,
    ...(detail === 'state' ? [] : [task]),
    ...(detail === 'full' && reason !== undefined ? [reason] : []),
  ]
  const notification = {
    title,
    // Redact before the cut: half a secret is still a secret.
    body: lines
      .map(line => toOneLine(redactSecrets(line, secrets ?? listKnownSecrets()).text, MAX_LINE_CHARS))
      .join('\n'),
    priority,
    tags: [tag],
    ...(pageUrl === null ? {} : { click: pageUrl }),
    ...(isVerdict ? { kind: 'verdict' as const } : {}),
  }
  return { notification, isUrgent: title === NEEDS_YOU_TITLE || urgentEvents.includes(event.type) }
}

// --- internal ---

const MAX_LINE_CHARS = 300

/** Urgent besides everything that needs you: the session misses its deadline, or its PASS, unless a person acts. */
const urgentEvents: Event['type'][] = ['orchestrator.stuck', 'start.failed', 'deadline.passed', 'judge.checked']
