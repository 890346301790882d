import { formatCount } from '#host/text.ts'
import { describeCost, isSettled, type SessionView } from '#session/readonly.ts'
import { createBadge, formatAge, formatDateTime } from '../format.ts'

const ACTIVE_REFRESH_MS = 2000
const IDLE_REFRESH_MS = 10_000

export type ListPage = ReturnType<typeof buildListPage>

/** Build what `views/list.eta` shows: these sessions in their order, and how many others are not shown. Pure. */
export function buildListPage(
  views: SessionView[],
  { moreCount, problem = '' }: { moreCount: number; problem?: string | undefined },
  now: Date,
) {
  const rows = views.map(view => buildRow(view, now))
  const waitingCount = rows.filter(row => row.state.tone === 'call').length
  return {
    title: waitingCount > 0 ? `(${waitingCount}) Sessions` : 'Sessions',
    rows,
    waitingCount,
    moreCount,
    /** Why every session had to be read; empty if the index was used. */
    problem: moreCount > 0 ? problem : '',
    refreshMs: getRefreshMs(views),
  }
}

/** How often an open page is fetched again: more often if a session may change without a person. Pure. */
export function getRefreshMs(views: SessionView[]): number {
  const mayChange = views.some(({ status, state }) => !isSettled(status) && state !== 'interrupted')
  return mayChange ? ACTIVE_REFRESH_MS : IDLE_REFRESH_MS
}

/** The title of a task. Pure. */
export function formatTitle({ session }: SessionView): string {
  const { title } = session.manifest.task
  return title.trim() === '' ? '(empty task)' : title
}

// --- internal ---

function buildRow(view: SessionView, now: Date) {
  const { session, status, state } = view
  const { openedAt } = session.manifest
  return {
    id: session.id,
    title: formatTitle(view),
    state: createBadge(state),
    age: formatAge(openedAt, now),
    openedAt,
    openedText: formatDateTime(openedAt),
    workers: view.runnerLiveness === 'dead' ? '' : formatWorkers(view),
    round: status.round === 0 ? '' : `${status.round} of ${status.maxRounds}`,
    cost: describeCost(status)?.total ?? '',
    judge: describeJudgeState(view),
  }
}

/** That the judge is waited for, or cannot judge. The page of the session says why. */
function describeJudgeState({ status }: SessionView): string {
  if (isSettled(status)) return ''
  if (status.judgeWait?.reason)
    return `waiting for the judge, asked again at ${formatDateTime(status.judgeWait.nextAt)}`
  return status.judgeProblem ? 'the judge cannot judge' : ''
}

function formatWorkers({ status }: SessionView): string {
  const running = status.workers.filter(worker => worker.startedAt !== undefined && worker.endedAt === undefined)
  const waiting = status.workers.filter(worker => worker.startedAt === undefined && worker.endedAt === undefined)
  return [
    ...(running.length > 0 ? [formatCount(running.length, 'worker')] : []),
    ...(waiting.length > 0 ? [`${waiting.length} waiting`] : []),
  ].join(', ')
}
