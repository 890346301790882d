import type { Notice } from './notice.ts'
import type { Message } from './outbox.ts'
import type { Pace } from './pace.ts'
import { heldUntil } from './quiet.ts'
import type { Try } from './standing.ts'

/** A message as it lies in a folder: by the name of its file. */
export interface Lying {
  name: string
  message: Message
}

/** What goes in one attempt: one message, several of one session, or the calm ones of `several` sessions. */
export interface Parcel {
  of: string
  lying: Lying[]
  short: boolean
}

/** What a parcel of more than one session is called. */
export const several = 'several'

/** No more than this go as one: the ledger names each of them, in one line. */
const most = 200

/** What holds messages back, besides their order. */
export interface Holds {
  tries: Record<string, Try>
  quietHours: string
  together: Pace['together']
  /** Milliseconds for which a calm message waits for others, so that a burst can go as one. */
  settling: number
  now: number
}

/**
 * What goes next: the oldest message that neither waits for the end of quiet hours nor belongs to a session that has to wait
 * after a failure. Within a session the order is kept, so what may go takes along what happened before it. What was tried
 * together stays together. Pure.
 */
export function nextParcel(waiting: Lying[], holds: Holds): Parcel | undefined {
  const due = dueOf(waiting, holds)
  const fresh = new Map([...due].filter(([, lying]) => tryOf(lying, holds) === undefined))
  for (const [of, lying] of due) {
    const known = tryOf(lying, holds)
    if (known === undefined)
      return ofSeveral(of, fresh, holds) ?? { of, lying: atOnce(lying, due, holds), short: false }
    const [key, { names, short, until }] = known
    if (until <= holds.now) return { of: key, lying: waiting.filter(({ name }) => names.includes(name)), short }
  }
  return undefined
}

/** The same in the order of the facts: a session numbers them, and its numbers go on where a clock is set back. Pure. */
export function inOrder(waiting: Lying[]): Lying[] {
  const numbered = waiting.filter(({ message: { id, of } }) => id.startsWith(`${of}-`) && /-\d{6}$/.test(id))
  const ofEach = Map.groupBy(numbered, ({ message }) => message.of)
  for (const lying of ofEach.values()) lying.sort((one, other) => (one.message.id < other.message.id ? -1 : 1))
  const isNumbered = new Set(numbered)
  return waiting.map(each => (isNumbered.has(each) ? (ofEach.get(each.message.of)?.shift() ?? each) : each))
}

function tryOf(lying: Lying[], { tries }: Holds): [string, Try] | undefined {
  return Object.entries(tries).find(([, { names }]) => lying.some(({ name }) => names.includes(name)))
}

/** What may go, session by session: all up to the last message that nothing holds. */
function dueOf(waiting: Lying[], holds: Holds): Map<string, Lying[]> {
  const due = new Map<string, Lying[]>()
  for (const [of, lying] of Map.groupBy(waiting, ({ message }) => message.of)) {
    const last = lying.findLastIndex(each => !isHeld(each, holds) && (!isCalm(each) || hasSettled(each, holds)))
    if (last >= 0) due.set(of, lying.slice(0, last + 1))
  }
  return due
}

function isHeld({ message }: Lying, { quietHours, now }: Holds): boolean {
  return heldUntil(message, quietHours, now) !== undefined
}

/** Does nobody have to act on it? */
function isCalm({ message }: Lying): boolean {
  return message.notice.priority < 4
}

/** A clock that was set back must not hold anything up. */
function hasSettled({ message }: Lying, { settling, now }: Holds): boolean {
  const age = now - Date.parse(message.at)
  return age < 0 || age >= settling
}

/** Of one session: one, or all when they are many; and all when quiet hours would hold what only comes along. */
function atOnce(lying: Lying[], due: Map<string, Lying[]>, holds: Holds): Lying[] {
  const { together } = holds
  if (together === null) return lying.slice(0, 1)
  const inAll = [...due.values()].reduce((sum, of) => sum + of.length, 0)
  const many = lying.length > together.ofOne || inAll > together.inAll || lying.some(each => isHeld(each, holds))
  return lying.slice(0, many ? most : 1)
}

/** When many sessions have something to say on which nobody has to act, it goes as one: all of them come back after a crash. */
function ofSeveral(of: string, fresh: Map<string, Lying[]>, { together, tries }: Holds): Parcel | undefined {
  if (together === null || tries[several] !== undefined) return undefined
  const calm = [...fresh].map(([each, lying]) => [each, lying.slice(0, calmAtFirst(lying))] as const)
  const saying = new Map(calm.filter(([, lying]) => lying.length > 0))
  if (saying.size <= together.sessions || !saying.has(of)) return undefined
  const lying = [...saying.values()].flat().slice(0, most)
  return { of: several, lying, short: false }
}

function calmAtFirst(lying: Lying[]): number {
  const first = lying.findIndex(each => !isCalm(each))
  return first < 0 ? lying.length : first
}

/** The words of a parcel. Pure. */
export function noticeFor(parcel: Parcel): Notice {
  const whole = wholeNotice(parcel)
  if (!parcel.short) return whole
  return { title: whole.title, body: [...whole.body].slice(0, 80).join(''), priority: whole.priority, tags: [] }
}

/**
 * Of several messages: how the session stands now, which is the last that is more than a remark; what happened, in order; and
 * the highest priority.
 */
function wholeNotice({ of, lying }: Parcel): Notice {
  const notices = lying.map(({ message }) => message.notice)
  const last = notices.findLast(({ priority }) => priority >= 3) ?? notices.at(-1)
  if (last === undefined) throw new Error(`a parcel of ${of} holds no message`)
  if (notices.length === 1) return last
  const priority = Math.max(...notices.map(each => each.priority))
  if (of !== several) return { ...last, body: listOf(of, lying), priority }
  const latest = [...new Map(lying.map(({ message }) => [message.of, message])).values()]
  const body = listed(latest.map(message => `${message.of} ${stateOf(message)}`))
  return { title: `Dispatch: news of ${latest.length} sessions`, body, priority, tags: last.tags }
}

/** The state that a message tells, without the session's name. Pure. */
export function stateOf({ of, notice }: Message): string {
  const [first = ''] = notice.body.split('\n')
  return first.startsWith(`${of} `) ? first.slice(of.length + 1) : first
}

/** Who wants to be told more is told it here too: the title once, and what was asked or why behind each state. */
function listOf(of: string, lying: Lying[]): string {
  const [, ...titles] = lying[0]?.message.notice.body.split('\n').slice(0, 2) ?? []
  const states = lying.map(({ message }) => {
    const [, , more] = message.notice.body.split('\n')
    return more === undefined ? stateOf(message) : `${stateOf(message)}: ${more}`
  })
  return [`${lying.length} notices of ${of}:`, ...titles, listed(states)].join('\n')
}

/** Each line once, where it came last; the newest that there is room for, and what is left out stands where it happened. */
function listed(lines: string[]): string {
  const rest = [...new Set(lines.toReversed())]
  const shown: string[] = []
  for (let room = 600; rest.length > 0 && room > 0 && shown.length < 12; room -= shown[0]?.length ?? 0)
    shown.unshift([...(rest.shift() ?? '')].slice(0, 120).join(''))
  return [...(rest.length === 0 ? [] : [`(${rest.length} more before)`]), ...shown].join('\n')
}
