import { isSettled, type SessionView } from '#session/readonly.ts'
import { formatAge, formatCount, formatDateTime, pickTone, type Tone } from '../format.ts'
/** The list page: what `views/list.eta` shows. */
export interface ListPage {
  title: string
  rows: SessionRow[]
  /** How many sessions wait for a person. */
  calling: number
  /** Older sessions that are not shown. */
  older: number
  refresh: number
}

export interface SessionRow {
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
export function buildListPage(views: SessionView[], older: number, now: Date): ListPage {
  const rows = views.map(view => buildRow(view, now))
  const calling = rows.filter(row => row.tone === 'call').length
  return {
    title: calling > 0 ? `(${calling}) Sessions` : 'Sessions',
    rows,
    calling,
    older,
    refresh: views.some(view => isActive(view)) ? 2000 : 10_000,
  }
}

/** May this session change without a person's doing? */
export function isActive({ status, state }: SessionView): boolean {
  return !isSettled(status) && state !== 'interrupted'
}

function buildRow(view: SessionView, now: Date): SessionRow {
  const { session, status, state } = view
  const { title } = session.manifest.task
  const openedAt = session.manifest.openedAt
  return {
    id: session.id,
    title: title.trim() === '' ? '(no words)' : title,
    state,
    tone: pickTone(state),
    age: formatAge(openedAt, now),
    openedAt,
    opened: formatDateTime(openedAt),
    workers: view.runnerLiveness === 'dead' ? '' : formatWorkers(view),
    round: status.round === 0 ? '' : `${status.round} of ${status.maxRounds}`,
  }
}

function formatWorkers({ status }: SessionView): string {
  const working = status.workers.filter(worker => worker.startedAt !== undefined && worker.endedAt === undefined)
  const waiting = status.workers.filter(worker => worker.startedAt === undefined && worker.endedAt === undefined)
  return [
    ...(working.length > 0 ? [formatCount(working.length, 'worker')] : []),
    ...(waiting.length > 0 ? [`${waiting.length} waiting`] : []),
  ].join(', ')
}
