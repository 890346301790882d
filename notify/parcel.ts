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

/** What goes in one attempt: one message, or several of one session. */
export interface Parcel {
  of: string
  lying: Lying[]
  short: boolean
}

/** No more than this go as one: the ledger names each of them, in one line. */
const most = 200

/** What holds messages back, besides their order. */
export interface Holds {
  tries: Record<string, Try>
  quietHours: string
  together: Pace['together']
  now: number
}

/**
 * What goes next: the oldest message that neither waits for the end of quiet hours nor belongs to a session that has to wait
 * after a failure. Within a session the order is kept, so what may go takes along what happened before it. What was tried
 * together stays together. Pure.
 */
export function nextParcel(waiting: Lying[], holds: Holds): Parcel | undefined {
  const { tries, now } = holds
  const due = dueOf(waiting, holds)
  const inAll = [...due.values()].reduce((sum, lying) => sum + lying.length, 0)
  for (const [of, lying] of due) {
    const tried = tries[of]
    if (tried === undefined) return { of, lying: lying.slice(0, atOnce(lying.length, inAll, holds)), short: false }
    if (tried.until > now) continue
    return { of, lying: waiting.filter(({ name }) => tried.names.includes(name)), short: tried.short }
  }
  return undefined
}

/** What may go, session by session: all up to the last message that quiet hours do not hold. Pure. */
function dueOf(waiting: Lying[], { quietHours, now }: Holds): Map<string, Lying[]> {
  const due = new Map<string, Lying[]>()
  for (const [of, lying] of Map.groupBy(waiting, ({ message }) => message.of)) {
    const last = lying.findLastIndex(({ message }) => heldUntil(message, quietHours, now) === undefined)
    if (last >= 0) due.set(of, lying.slice(0, last + 1))
  }
  return due
}

function atOnce(ofOne: number, inAll: number, { together }: Holds): number {
  const many = together !== null && (ofOne > together.ofOne || inAll > together.inAll)
  return many ? Math.min(ofOne, most) : 1
}

/** The words of a parcel. Of several: the title of the last, the states in order, the highest priority. Pure. */
export function noticeFor({ of, lying, short }: Parcel): Notice {
  const notices = lying.map(({ message }) => message.notice)
  const last = notices.at(-1)
  if (last === undefined) throw new Error(`a parcel of ${of} holds no message`)
  const whole = notices.length === 1 ? last : { ...last, body: listed(of, lying), priority: highest(notices) }
  if (!short) return whole
  return { title: whole.title, body: [...whole.body].slice(0, 80).join(''), priority: whole.priority, tags: [] }
}

/** The state that a message tells, without the session's name. Pure. */
export function stateOf({ of, notice }: Message): string {
  const [first = ''] = notice.body.split('\n')
  return first.startsWith(`${of} `) ? first.slice(of.length + 1) : first
}

function highest(notices: Notice[]): number {
  return Math.max(...notices.map(({ priority }) => priority))
}

/** The newest states that there is room for; what is left out stands at the beginning, where it happened. */
function listed(of: string, lying: Lying[]): string {
  const states = [...new Set(lying.map(({ message }) => stateOf(message)))]
  const shown: string[] = []
  for (let room = 600; states.length > 0 && room > 0 && shown.length < 12; room -= shown[0]?.length ?? 0)
    shown.unshift([...(states.pop() ?? '')].slice(0, 120).join(''))
  const left = states.length === 0 ? [] : [`(${states.length} more before)`]
  return [`${lying.length} notices of ${of}:`, ...left, ...shown].join('\n')
}
