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
const several = 'several'

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

/** May it go with other sessions' news? Nobody has to act on it, and it is no verdict, which must not go under in a crowd. */
function isSmall(lying: Lying): boolean {
  return isCalm(lying) && !tellsVerdict(lying)
}

function tellsVerdict({ message }: Lying): boolean {
  return message.notice.is === 'verdict'
}

/** A clock that was set back must not hold anything up. */
function hasSettled({ message }: Lying, { settling, now }: Holds): boolean {
  const age = now - Date.parse(message.at)
  return age < 0 || age >= settling
}

/**
 * Of one session: one, or all when they are many; and all when quiet hours would hold what only comes along. A second verdict
 * begins a parcel of its own, so that there is room for each.
 */
function atOnce(lying: Lying[], due: Map<string, Lying[]>, holds: Holds): Lying[] {
  const { together } = holds
  if (together === null) return lying.slice(0, 1)
  const inAll = [...due.values()].reduce((sum, of) => sum + of.length, 0)
  const many = lying.length > together.ofOne || inAll > together.inAll || lying.some(each => isHeld(each, holds))
  if (!many) return lying.slice(0, 1)
  const [, second = most] = lying.flatMap((each, at) => (tellsVerdict(each) ? [at] : []))
  return lying.slice(0, Math.min(second, most))
}

/** When many sessions have something to say on which nobody has to act, it goes as one: all of them come back after a crash. */
function ofSeveral(of: string, fresh: Map<string, Lying[]>, { together, tries }: Holds): Parcel | undefined {
  if (together === null || tries[several] !== undefined) return undefined
  const small = [...fresh].map(([each, lying]) => [each, lying.slice(0, smallAtFirst(lying))] as const)
  const saying = new Map(small.filter(([, lying]) => lying.length > 0))
  if (saying.size <= together.sessions || !saying.has(of)) return undefined
  const lying = [...saying.values()].flat().slice(0, most)
  return { of: several, lying, short: false }
}

function smallAtFirst(lying: Lying[]): number {
  const first = lying.findIndex(each => !isSmall(each))
  return first < 0 ? lying.length : first
}

/** The words of a parcel. Pure. */
export function noticeFor(parcel: Parcel): Notice {
  const whole = wholeNotice(parcel)
  if (!parcel.short) return whole
  return { title: whole.title, body: shortBody(parcel, whole), priority: whole.priority, tags: [] }
}

/** A verdict's line is whole even here: it holds the proof. */
function shortBody({ of, lying }: Parcel, { body }: Notice): string {
  const verdict = lying.findLast(tellsVerdict)
  if (verdict === undefined) return [...body].slice(0, 80).join('')
  return lying.length === 1 ? (body.split('\n')[0] ?? body) : [headOf(of, lying), stateOf(verdict.message)].join('\n')
}

/** Of several messages: how the session stands now; what happened, in order; and the highest priority. */
function wholeNotice({ of, lying }: Parcel): Notice {
  const now = standingIn(lying)?.message.notice
  if (now === undefined) throw new Error(`a parcel of ${of} holds no message`)
  if (lying.length === 1) return now
  const priority = Math.max(...lying.map(({ message }) => message.notice.priority))
  if (of !== several) return { ...now, body: listOf(of, lying), priority }
  const latest = [...Map.groupBy(lying, ({ message }) => message.of).values()].flatMap(its => {
    const last = standingIn(its)
    return last === undefined ? [] : [{ words: `${last.message.of} ${stateOf(last.message)}`, isWhole: false }]
  })
  return { title: `Dispatch: news of ${latest.length} sessions`, body: listed(latest, 600), priority, tags: now.tags }
}

/** What tells how a session stands: its last verdict, unless somebody has to act since; or the last that is more than a remark. */
function standingIn(lying: Lying[]): Lying | undefined {
  const verdict = lying.findLastIndex(tellsVerdict)
  if (verdict >= 0 && lying.slice(verdict + 1).every(isCalm)) return lying[verdict]
  return lying.findLast(({ message }) => message.notice.priority >= 3) ?? lying.at(-1)
}

/** The state that a message tells, without the session's name. Pure. */
export function stateOf({ of, notice }: Message): string {
  const [first = ''] = notice.body.split('\n')
  return first.startsWith(`${of} `) ? first.slice(of.length + 1) : first
}

/** Who wants to be told more is told it here too: the title once, and what was asked or why behind each state. */
function listOf(of: string, lying: Lying[]): string {
  const [, ...titles] = lying[0]?.message.notice.body.split('\n').slice(0, 2) ?? []
  const head = [headOf(of, lying), ...titles.map(title => cut(title, 300))].join('\n')
  const states = lying.map(each => {
    const [, , more] = each.message.notice.body.split('\n')
    const state = stateOf(each.message)
    return { words: more === undefined ? state : `${state}: ${more}`, isWhole: tellsVerdict(each) }
  })
  return `${head}\n${listed(states, Math.min(600, 920 - head.length))}` // A notice holds 1,000, and some lines tell of gaps.
}

function headOf(of: string, lying: Lying[]): string {
  return `${lying.length} notices of ${of}:`
}

interface Line {
  words: string
  /** It is neither left out nor cut shorter than a line of a notice may be. */
  isWhole: boolean
}

/**
 * Each line once, where it came last: those that stay whole, and of the others the newest that there is room for. What is left
 * out stands where it happened.
 */
function listed(lines: Line[], room: number): string {
  const once = lines.filter((line, at) => lines.findLastIndex(({ words }) => words === line.words) === at)
  const shown = new Map<Line, string>()
  let left = room
  for (const line of [...once.filter(({ isWhole }) => isWhole).toReversed(), ...once.toReversed()]) {
    if (shown.has(line)) continue
    const words = cut(line.words, line.isWhole ? 300 : 120)
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
function cut(words: string, most: number): string {
  return words.slice(0, most).replace(/[\ud800-\udbff]$/, '')
}
