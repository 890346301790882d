import { settled, type View } from '../session/read.ts'
import { age, counted, dayAndTime, type Tone, toneOf } from './words.ts'

/** The list page: what `views/list.eta` shows. */
export interface ListPage {
  title: string
  rows: Row[]
  /** How many sessions wait for a person. */
  calling: number
  /** Older sessions that are not shown. */
  older: number
  refresh: number
}

export interface Row {
  id: string
  title: string
  state: string
  tone: Tone
  age: string
  openedAt: string
  opened: string
  workers: string
  round: string
}

/** Put the sessions into a page, in the order they come; `older` is how many were left out. Pure. */
export function listPage(views: View[], older: number, now: Date): ListPage {
  const rows = views.map(view => rowOf(view, now))
  const calling = rows.filter(row => row.tone === 'call').length
  return {
    title: calling > 0 ? `(${calling}) Sessions` : 'Sessions',
    rows,
    calling,
    older,
    refresh: views.some(view => isGoing(view)) ? 2000 : 10_000,
  }
}

/** May this session change without a person's doing? */
export function isGoing({ status, state }: View): boolean {
  return !settled(status) && state !== 'interrupted'
}

function rowOf(view: View, now: Date): Row {
  const { session, status, state } = view
  const { title } = session.opening.task
  const openedAt = session.opening.openedAt
  return {
    id: session.id,
    title: title.trim() === '' ? '(no words)' : title,
    state,
    tone: toneOf(state),
    age: age(openedAt, now),
    openedAt,
    opened: dayAndTime(openedAt),
    workers: view.runner === 'dead' ? '' : workersNow(view),
    round: status.round === 0 ? '' : `${status.round} of ${status.rounds}`,
  }
}

function workersNow({ status }: View): string {
  const working = status.workers.filter(worker => worker.startedAt !== undefined && worker.endedAt === undefined)
  const waiting = status.workers.filter(worker => worker.startedAt === undefined && worker.endedAt === undefined)
  return [
    ...(working.length > 0 ? [counted(working.length, 'worker')] : []),
    ...(waiting.length > 0 ? [`${waiting.length} waiting`] : []),
  ].join(', ')
}
