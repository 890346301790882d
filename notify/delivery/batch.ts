import type { Notification } from '../notification.ts'
import type { QueuedNotification } from '../outbox.ts'
import { quietUntil } from './quiet-hours.ts'
import type { DeliveryAttempt } from './retry-state.ts'
import type { DeliveryTiming } from './timing.ts'
/** A message as it lies in a folder: by the name of its file. */
export interface OutboxEntry {
  name: string
  queued: QueuedNotification
}

/** What goes in one attempt: one message, several of one session, or the calm ones of `several` sessions. */
export interface NotificationBatch {
  sessionId: string
  entries: OutboxEntry[]
  isShort: boolean
}

/** What a parcel of more than one session is called. */
const SEVERAL_SESSIONS_ID = 'several'

/** No more than this go as one: the ledger names each of them, in one line. */
const MAX_BATCH_SIZE = 200

/** What holds messages back, besides their order. */
export interface BatchConditions {
  attempts: Record<string, DeliveryAttempt>
  quietHours: string
  batching: DeliveryTiming['batching']
  /** Milliseconds for which a calm message waits for others, so that a burst can go as one. */
  settleMs: number
  nowMs: number
}

/**
 * What goes next: the oldest message that neither waits for the end of quiet hours nor belongs to a session that has to wait
 * after a failure. Within a session the order is kept, so what may go takes along what happened before it. What was tried
 * together stays together. Pure.
 */
export function pickNextBatch(entries: OutboxEntry[], holds: BatchConditions): NotificationBatch | undefined {
  const due = groupDue(entries, holds)
  const fresh = new Map([...due].filter(([, lying]) => findAttempt(lying, holds) === undefined))
  for (const [sessionId, lying] of due) {
    const known = findAttempt(lying, holds)
    if (known === undefined)
      return (
        pickForSeveral(sessionId, fresh, holds) ?? {
          sessionId,
          entries: pickForSession(lying, due, holds),
          isShort: false,
        }
      )
    const [key, { fileNames, isShort, waitUntilMs }] = known
    if (waitUntilMs <= holds.nowMs)
      return { sessionId: key, entries: entries.filter(({ name }) => fileNames.includes(name)), isShort }
  }
  return undefined
}

/** The same in the order of the facts: a session numbers them, and its numbers go on where a clock is set back. Pure. */
export function sortBySequence(entries: OutboxEntry[]): OutboxEntry[] {
  const numbered = entries.filter(
    ({ queued: { id, sessionId } }) => id.startsWith(`${sessionId}-`) && /-\d{6}$/.test(id),
  )
  const ofEach = Map.groupBy(numbered, ({ queued }) => queued.sessionId)
  for (const lying of ofEach.values()) lying.sort((one, other) => (one.queued.id < other.queued.id ? -1 : 1))
  const isNumbered = new Set(numbered)
  return entries.map(each => (isNumbered.has(each) ? (ofEach.get(each.queued.sessionId)?.shift() ?? each) : each))
}

function findAttempt(entries: OutboxEntry[], { attempts }: BatchConditions): [string, DeliveryAttempt] | undefined {
  return Object.entries(attempts).find(([, { fileNames }]) => entries.some(({ name }) => fileNames.includes(name)))
}

/** What may go, session by session: all up to the last message that nothing holds. */
function groupDue(entries: OutboxEntry[], holds: BatchConditions): Map<string, OutboxEntry[]> {
  const due = new Map<string, OutboxEntry[]>()
  for (const [of, lying] of Map.groupBy(entries, ({ queued }) => queued.sessionId)) {
    const last = lying.findLastIndex(
      each => !isDeferred(each, holds) && (!isLowPriority(each) || hasSettled(each, holds)),
    )
    if (last >= 0) due.set(of, lying.slice(0, last + 1))
  }
  return due
}

function isDeferred({ queued }: OutboxEntry, { quietHours, nowMs }: BatchConditions): boolean {
  return quietUntil(queued, quietHours, nowMs) !== undefined
}

/** Does nobody have to act on it? */
function isLowPriority({ queued }: OutboxEntry): boolean {
  return queued.notification.priority < 4
}

/** May it go with other sessions' news? Nobody has to act on it, and it is no verdict, which must not go under in a crowd. */
function isBatchable(entry: OutboxEntry): boolean {
  return isLowPriority(entry) && !isVerdict(entry)
}

function isVerdict({ queued }: OutboxEntry): boolean {
  return queued.notification.kind === 'verdict'
}

/** A clock that was set back must not hold anything up. */
function hasSettled({ queued }: OutboxEntry, { settleMs, nowMs }: BatchConditions): boolean {
  const age = nowMs - Date.parse(queued.at)
  return age < 0 || age >= settleMs
}

/**
 * Of one session: one, or all when they are many; and all when quiet hours would hold what only comes along. A second verdict
 * begins a parcel of its own, so that there is room for each.
 */
function pickForSession(
  entries: OutboxEntry[],
  due: Map<string, OutboxEntry[]>,
  holds: BatchConditions,
): OutboxEntry[] {
  const { batching } = holds
  if (batching === null) return entries.slice(0, 1)
  const inAll = [...due.values()].reduce((sum, of) => sum + of.length, 0)
  const many =
    entries.length > batching.perSession || inAll > batching.total || entries.some(each => isDeferred(each, holds))
  if (!many) return entries.slice(0, 1)
  const [, second = MAX_BATCH_SIZE] = entries.flatMap((each, at) => (isVerdict(each) ? [at] : []))
  return entries.slice(0, Math.min(second, MAX_BATCH_SIZE))
}

/** When many sessions have something to say on which nobody has to act, it goes as one: all of them come back after a crash. */
function pickForSeveral(
  sessionId: string,
  fresh: Map<string, OutboxEntry[]>,
  { batching, attempts }: BatchConditions,
): NotificationBatch | undefined {
  if (batching === null || attempts[SEVERAL_SESSIONS_ID] !== undefined) return undefined
  const small = [...fresh].map(([each, lying]) => [each, lying.slice(0, countLeadingBatchable(lying))] as const)
  const saying = new Map(small.filter(([, lying]) => lying.length > 0))
  if (saying.size <= batching.sessions || !saying.has(sessionId)) return undefined
  const entries = [...saying.values()].flat().slice(0, MAX_BATCH_SIZE)
  return { sessionId: SEVERAL_SESSIONS_ID, entries, isShort: false }
}

function countLeadingBatchable(entries: OutboxEntry[]): number {
  const first = entries.findIndex(each => !isBatchable(each))
  return first < 0 ? entries.length : first
}

/** The words of a parcel. Pure. */
export function composeBatchNotification(batch: NotificationBatch): Notification {
  const whole = composeFullNotification(batch)
  if (!batch.isShort) return whole
  return { title: whole.title, body: composeShortBody(batch, whole), priority: whole.priority, tags: [] }
}

/** A verdict's line is whole even here: it holds the proof. */
function composeShortBody({ sessionId, entries }: NotificationBatch, { body }: Notification): string {
  const verdict = entries.findLast(isVerdict)
  if (verdict === undefined) return [...body].slice(0, 80).join('')
  return entries.length === 1
    ? (body.split('\n')[0] ?? body)
    : [composeHeading(sessionId, entries), extractState(verdict.queued)].join('\n')
}

/** Of several messages: how the session stands now; what happened, in order; and the highest priority. */
function composeFullNotification({ sessionId, entries }: NotificationBatch): Notification {
  const now = findCurrentState(entries)?.queued.notification
  if (now === undefined) throw new Error(`a parcel of ${sessionId} holds no message`)
  if (entries.length === 1) return now
  const priority = Math.max(...entries.map(({ queued }) => queued.notification.priority))
  if (sessionId !== SEVERAL_SESSIONS_ID) return { ...now, body: composeList(sessionId, entries), priority }
  const latest = [...Map.groupBy(entries, ({ queued }) => queued.sessionId).values()].flatMap(its => {
    const last = findCurrentState(its)
    return last === undefined
      ? []
      : [{ words: `${last.queued.sessionId} ${extractState(last.queued)}`, isWhole: false }]
  })
  return { title: `Dispatch: news of ${latest.length} sessions`, body: fitLines(latest, 600), priority, tags: now.tags }
}

/** What tells how a session stands: its last verdict, unless somebody has to act since; or the last that is more than a remark. */
function findCurrentState(entries: OutboxEntry[]): OutboxEntry | undefined {
  const verdict = entries.findLastIndex(isVerdict)
  if (verdict >= 0 && entries.slice(verdict + 1).every(isLowPriority)) return entries[verdict]
  return entries.findLast(({ queued }) => queued.notification.priority >= 3) ?? entries.at(-1)
}

/** The state that a message tells, without the session's name. Pure. */
export function extractState({ sessionId, notification }: QueuedNotification): string {
  const [first = ''] = notification.body.split('\n')
  return first.startsWith(`${sessionId} `) ? first.slice(sessionId.length + 1) : first
}

/** Who wants to be told more is told it here too: the title once, and what was asked or why behind each state. */
function composeList(sessionId: string, entries: OutboxEntry[]): string {
  const [, ...titles] = entries[0]?.queued.notification.body.split('\n').slice(0, 2) ?? []
  const head = [composeHeading(sessionId, entries), ...titles.map(title => truncate(title, 300))].join('\n')
  const states = entries.map(each => {
    const [, , more] = each.queued.notification.body.split('\n')
    const state = extractState(each.queued)
    return { words: more === undefined ? state : `${state}: ${more}`, isWhole: isVerdict(each) }
  })
  return `${head}\n${fitLines(states, Math.min(600, 920 - head.length))}` // A notice holds 1,000, and some lines tell of gaps.
}

function composeHeading(sessionId: string, entries: OutboxEntry[]): string {
  return `${entries.length} notices of ${sessionId}:`
}

interface ListLine {
  words: string
  /** It is neither left out nor cut shorter than a line of a notice may be. */
  isWhole: boolean
}

/**
 * Each line once, where it came last: those that stay whole, and of the others the newest that there is room for. What is left
 * out stands where it happened.
 */
function fitLines(lines: ListLine[], maxChars: number): string {
  const once = lines.filter((line, at) => lines.findLastIndex(({ words }) => words === line.words) === at)
  const shown = new Map<ListLine, string>()
  let left = maxChars
  for (const line of [...once.filter(({ isWhole }) => isWhole).toReversed(), ...once.toReversed()]) {
    if (shown.has(line)) continue
    const words = truncate(line.words, line.isWhole ? 300 : 120)
    if (words.length > left || shown.size === 12) break
    shown.set(line, words)
    left -= words.length
  }
  const said: string[] = []
  let missing = 0
  for (const line of once) {
    const words = shown.get(line)
    if (words === undefined) missing++
    else said.push(...(missing === 0 ? [] : [`(${missing} more before)`]), words)
    if (words !== undefined) missing = 0
  }
  return said.join('\n')
}

/** At most so long, and no letter cut in half. */
function truncate(words: string, maxChars: number): string {
  return words.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '')
}
