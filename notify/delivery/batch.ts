import { formatCount } from '#host/text.ts'
import type { Notification } from '../notification.ts'
import type { QueuedNotification } from '../outbox.ts'
import { computeQuietEndMs } from './quiet-hours.ts'
import type { DeliveryAttempt } from './retry-state.ts'
import type { DeliveryTiming } from './timing.ts'

/** A notification in a folder, and the name of its file. */
export interface OutboxEntry {
  name: string
  queued: QueuedNotification
}

/** What one attempt sends: one notification, several of one session, or routine ones of several sessions. */
export interface NotificationBatch {
  /** The session, or `several`. */
  sessionId: string
  entries: OutboxEntry[]
  /** The server refused the full text before. */
  isShort: boolean
}

/** What decides which notifications may be sent now. */
export interface BatchConditions extends Pick<DeliveryTiming, 'batching' | 'settleMs'> {
  /** By session, or `several`. */
  attempts: Record<string, DeliveryAttempt>
  quietHours: string
  nowMs: number
}

const SEVERAL_SESSIONS_ID = 'several'

/** The delivery log names every notification of a batch in one line. */
const MAX_BATCH_SIZE = 200

/** From this priority on a person must act. */
const ACTION_PRIORITY = 4

/**
 * Pick what to send next, oldest first, from entries in the order of their events. Quiet hours hold an entry, and so does a
 * session that waits after a failure. A routine entry (it needs no action) waits `settleMs` for others. Pure.
 *
 *   a1 a2 b1, all routine     -> a1, then a2, then b1: few are sent one by one
 *   a1 a2 a3 a4 b1            -> a1 a2 a3 a4 as one batch, then b1
 *   a1 b1 c1 d1               -> one batch of several sessions
 *   a1 (held) a2 (urgent) a3  -> a1 a2 as one batch: the order of a session is kept, so a2 takes a1 along
 *   a batch that failed       -> the same batch again, never more and never less
 */
export function pickNextBatch(entries: OutboxEntry[], conditions: BatchConditions): NotificationBatch | undefined {
  const due = groupDue(entries, conditions)
  const untried = new Map([...due].filter(([, queue]) => findAttempt(queue, conditions) === undefined))
  for (const [sessionId, queue] of due) {
    const tried = findAttempt(queue, conditions)
    if (tried === undefined)
      return (
        pickForSeveral(sessionId, untried, conditions) ?? {
          sessionId,
          entries: pickForSession(queue, due, conditions),
          isShort: false,
        }
      )
    const [key, { fileNames, isShort, waitUntilMs }] = tried
    if (waitUntilMs <= conditions.nowMs)
      return { sessionId: key, entries: entries.filter(({ name }) => fileNames.includes(name)), isShort }
  }
  return undefined
}

/** Sort by the numbers that a session gives its events: they keep rising when a clock is set back. Pure. */
export function sortBySequence(entries: OutboxEntry[]): OutboxEntry[] {
  const numbered = entries.filter(
    ({ queued: { id, sessionId } }) => id.startsWith(`${sessionId}-`) && /-\d{6}$/.test(id),
  )
  const queues = Map.groupBy(numbered, ({ queued }) => queued.sessionId)
  for (const queue of queues.values()) queue.sort((a, b) => (a.queued.id < b.queued.id ? -1 : 1))
  const isNumbered = new Set(numbered)
  return entries.map(entry => (isNumbered.has(entry) ? (queues.get(entry.queued.sessionId)?.shift() ?? entry) : entry))
}

/** Compose one notification for a batch. Pure. */
export function composeBatchNotification(batch: NotificationBatch): Notification {
  const full = composeFullNotification(batch)
  if (!batch.isShort) return full
  return { title: full.title, body: composeShortBody(batch, full), priority: full.priority, tags: [] }
}

/** The state in a notification: its first line without the session's id. Pure. */
export function extractState({ sessionId, notification }: QueuedNotification): string {
  const [firstLine = ''] = notification.body.split('\n')
  return firstLine.startsWith(`${sessionId} `) ? firstLine.slice(sessionId.length + 1) : firstLine
}

// --- what to pick ---

function findAttempt(entries: OutboxEntry[], { attempts }: BatchConditions): [string, DeliveryAttempt] | undefined {
  return Object.entries(attempts).find(([, { fileNames }]) => entries.some(({ name }) => fileNames.includes(name)))
}

/** By session, everything up to its last entry that may be sent. */
function groupDue(entries: OutboxEntry[], conditions: BatchConditions): Map<string, OutboxEntry[]> {
  const due = new Map<string, OutboxEntry[]>()
  for (const [sessionId, queue] of Map.groupBy(entries, ({ queued }) => queued.sessionId)) {
    const lastDue = queue.findLastIndex(
      entry => !isDeferred(entry, conditions) && (!isRoutine(entry) || hasSettled(entry, conditions)),
    )
    if (lastDue >= 0) due.set(sessionId, queue.slice(0, lastDue + 1))
  }
  return due
}

function isDeferred({ queued }: OutboxEntry, { quietHours, nowMs }: BatchConditions): boolean {
  return computeQuietEndMs(queued, quietHours, nowMs) !== undefined
}

function isRoutine({ queued }: OutboxEntry): boolean {
  return queued.notification.priority < ACTION_PRIORITY
}

function isVerdict({ queued }: OutboxEntry): boolean {
  return queued.notification.kind === 'verdict'
}

/** A negative age comes from a clock that was set back. It must not hold anything. */
function hasSettled({ queued }: OutboxEntry, { settleMs, nowMs }: BatchConditions): boolean {
  const ageMs = nowMs - Date.parse(queued.at)
  return ageMs < 0 || ageMs >= settleMs
}

/**
 * One entry, or all if there are many, or if quiet hours hold one that only comes along. A second verdict begins another
 * batch, so that there is room for the whole line of each.
 */
function pickForSession(
  queue: OutboxEntry[],
  due: Map<string, OutboxEntry[]>,
  conditions: BatchConditions,
): OutboxEntry[] {
  const { batching } = conditions
  if (batching === null) return queue.slice(0, 1)
  const total = [...due.values()].reduce((sum, entries) => sum + entries.length, 0)
  const isBatch =
    queue.length > batching.perSession || total > batching.total || queue.some(entry => isDeferred(entry, conditions))
  if (!isBatch) return queue.slice(0, 1)
  const [, secondVerdict = MAX_BATCH_SIZE] = queue.flatMap((entry, index) => (isVerdict(entry) ? [index] : []))
  return queue.slice(0, Math.min(secondVerdict, MAX_BATCH_SIZE))
}

/** After a machine restarts, every session reports that it recovered. That should be one batch, not one push per session. */
function pickForSeveral(
  sessionId: string,
  untried: Map<string, OutboxEntry[]>,
  { batching, attempts }: BatchConditions,
): NotificationBatch | undefined {
  if (batching === null || attempts[SEVERAL_SESSIONS_ID] !== undefined) return undefined
  const routine = [...untried].map(([id, queue]) => [id, queue.slice(0, countLeadingRoutine(queue))] as const)
  const queues = new Map(routine.filter(([, queue]) => queue.length > 0))
  if (queues.size <= batching.sessions || !queues.has(sessionId)) return undefined
  const entries = [...queues.values()].flat().slice(0, MAX_BATCH_SIZE)
  return { sessionId: SEVERAL_SESSIONS_ID, entries, isShort: false }
}

/** How many entries at the start may be sent with other sessions' entries: routine ones, but no verdict. */
function countLeadingRoutine(queue: OutboxEntry[]): number {
  const end = queue.findIndex(entry => !isRoutine(entry) || isVerdict(entry))
  return end < 0 ? queue.length : end
}

// --- what to say ---

const MAX_LIST_CHARS = 600
const MAX_LIST_LINES = 12
const MAX_LINE_CHARS = 120
const MAX_WHOLE_LINE_CHARS = 300
const MAX_SHORT_CHARS = 80
/** A body may have 1,000 characters. The rest is for the lines that count what is missing. */
const MAX_BODY_CHARS = 920

/** The line of a verdict stays whole: it has the log anchor. */
function composeShortBody({ sessionId, entries }: NotificationBatch, { body }: Notification): string {
  const verdict = entries.findLast(isVerdict)
  if (verdict === undefined) return [...body].slice(0, MAX_SHORT_CHARS).join('')
  if (entries.length === 1) return body.split('\n')[0] ?? body
  return `${composeHeading(sessionId, entries)}\n${extractState(verdict.queued)}`
}

/** Title and tags of the current state, all states in order, and the highest priority. */
function composeFullNotification({ sessionId, entries }: NotificationBatch): Notification {
  const current = findCurrentState(entries)?.queued.notification
  if (current === undefined) throw new Error(`a batch of ${sessionId} is empty`)
  if (entries.length === 1) return current
  const priority = Math.max(...entries.map(({ queued }) => queued.notification.priority))
  if (sessionId !== SEVERAL_SESSIONS_ID) return { ...current, body: composeList(sessionId, entries), priority }
  const lines = [...Map.groupBy(entries, ({ queued }) => queued.sessionId).values()].flatMap(queue => {
    const latest = findCurrentState(queue)
    return latest ? [{ text: `${latest.queued.sessionId} ${extractState(latest.queued)}`, isWhole: false }] : []
  })
  const title = `Dispatch: news from ${formatCount(lines.length, 'session')}`
  return { title, body: fitLines(lines, MAX_LIST_CHARS), priority, tags: current.tags }
}

/** The last verdict, unless a person must act since then; else the last entry that is more than a remark (priority 1 or 2). */
function findCurrentState(entries: OutboxEntry[]): OutboxEntry | undefined {
  const verdictIndex = entries.findLastIndex(isVerdict)
  if (verdictIndex >= 0 && entries.slice(verdictIndex + 1).every(isRoutine)) return entries[verdictIndex]
  return entries.findLast(({ queued }) => queued.notification.priority >= 3) ?? entries.at(-1)
}

/** With `NOTICE_DETAIL`, the list has the title once, and each question or reason behind its state. */
function composeList(sessionId: string, entries: OutboxEntry[]): string {
  const [, ...titles] = entries[0]?.queued.notification.body.split('\n').slice(0, 2) ?? []
  const head = [composeHeading(sessionId, entries), ...titles.map(title => truncate(title, MAX_WHOLE_LINE_CHARS))].join(
    '\n',
  )
  const lines = entries.map(entry => {
    const [, , reason] = entry.queued.notification.body.split('\n')
    const state = extractState(entry.queued)
    return { text: reason === undefined ? state : `${state}: ${reason}`, isWhole: isVerdict(entry) }
  })
  return `${head}\n${fitLines(lines, Math.min(MAX_LIST_CHARS, MAX_BODY_CHARS - head.length))}`
}

function composeHeading(sessionId: string, entries: OutboxEntry[]): string {
  return `${formatCount(entries.length, 'notification')} from ${sessionId}:`
}

interface ListLine {
  text: string
  /** It must not be left out, and may be as long as a line of a single notification. */
  isWhole: boolean
}

/**
 * Keep each line once, where it came last: those that stay whole, then the newest that fit. A line such as `(3 not shown)`
 * takes the place of those that do not.
 */
function fitLines(lines: ListLine[], maxChars: number): string {
  const unique = lines.filter((line, index) => lines.findLastIndex(({ text }) => text === line.text) === index)
  const shown = new Map<ListLine, string>()
  let charsLeft = maxChars
  for (const line of [...unique.filter(({ isWhole }) => isWhole).toReversed(), ...unique.toReversed()]) {
    if (shown.has(line)) continue
    const text = truncate(line.text, line.isWhole ? MAX_WHOLE_LINE_CHARS : MAX_LINE_CHARS)
    if (text.length > charsLeft || shown.size === MAX_LIST_LINES) break
    shown.set(line, text)
    charsLeft -= text.length
  }
  const result: string[] = []
  let missing = 0
  for (const line of unique) {
    const text = shown.get(line)
    if (text === undefined) missing++
    else result.push(...(missing === 0 ? [] : [`(${missing} not shown)`]), text)
    if (text !== undefined) missing = 0
  }
  return result.join('\n')
}

/** Cut to `maxChars` without splitting a surrogate pair. */
function truncate(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '')
}
