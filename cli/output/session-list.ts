import { formatCount, sanitize } from '#host/text.ts'
import { measureSession, readKnownSize } from '#session/removal'
import { addUpCost, describeCost, isAsleep, isSettled, type SessionView } from '#session/status'
import {
  fitTable,
  formatBytes,
  formatLocalTime,
  formatRelativeTime,
  paint,
  paintState,
  print,
  shorten,
} from './terminal.ts'

/** One line a session, then those that cannot be read, and how many older ones there are. */
export function printSessionList(
  views: SessionView[],
  sizes: Map<string, number>,
  { damaged, moreCount, isFiltered }: ListEnd,
): void {
  const unreadable = damaged.map(({ id, reason }) => [paint('red', 'unreadable'), id, '', '', '', reason])
  const rows = [...views.map(view => formatRow(view, sizes.get(view.session.id))), ...unreadable]
  if (rows.length > 0) print(fitTable(rows, TITLE_COLUMN, shorten))
  else print(isFiltered ? 'No session matches.' : 'No sessions yet. To start one: dispatch "task"')
  if (moreCount > 0) print(paint('dim', `${formatCount(moreCount, 'more session')}: dispatch ls --all`))
}

/** What a list ends with: sessions that cannot be read, how many are not shown, and whether only some were asked for. */
interface ListEnd {
  damaged: { id: string; reason: string }[]
  moreCount: number
  isFiltered: boolean
}

/** A session as `ls --json` lists it. Pure. */
export function summarizeSession({ session, status, state, runnerLiveness, otherHost }: SessionView) {
  return {
    id: session.id,
    state,
    since: status.phaseStartedAt,
    openedAt: session.manifest.openedAt,
    title: session.manifest.task.title,
    round: status.round,
    runner: runnerLiveness,
    /** The machine to which it belongs; null if that is this one. */
    host: otherHost ?? null,
    /** Why and when the judge is asked again; null if it is not. */
    judgeWait: status.judgeWait,
    /** What keeps the judge from judging; null if nothing is known to. */
    judgeProblem: status.judgeProblem || null,
    /** What its agents have cost, as far as claude reported it. */
    costUsd: addUpCost(status).usd,
    folder: session.paths.folder,
  }
}

/** The size in bytes of each session that has ended, by id. */
export function measureEnded(views: SessionView[]): Map<string, number> {
  const endMs = Date.now() + MAX_MEASURING_MS
  const hasEnded = ({ closed, phase }: SessionView['status']) => closed !== undefined || phase === 'failed'
  const ended = views.filter(({ status, runnerLiveness }) => hasEnded(status) && runnerLiveness === 'dead')
  return new Map(
    ended.flatMap(({ session }) => {
      const bytes = Date.now() < endMs ? measureSession(session, true) : readKnownSize(session)
      return bytes === undefined ? [] : [[session.id, bytes] as const]
    }),
  )
}

// --- internal ---

/** A large session takes a second. Those that are not measured now are the next time. */
const MAX_MEASURING_MS = 1500

const TITLE_COLUMN = 5
const TITLE_WIDTH = 60

function formatRow(view: SessionView, bytes: number | undefined): string[] {
  const { session, status } = view
  return [
    paintState(view),
    session.id,
    paint('dim', formatRelativeTime(session.manifest.openedAt)),
    paint('dim', bytes === undefined ? '' : formatBytes(bytes)),
    describeActivity(view),
    shorten(status.title || session.manifest.task.title, TITLE_WIDTH),
  ]
}

function describeActivity({ session, status, otherHost, runnerLiveness }: SessionView): string {
  if (session.newerFormat !== undefined) return `format ${session.newerFormat}: read only`
  if (otherHost !== undefined) return `on ${sanitize(otherHost)}`
  if (isAsleep({ status, runnerLiveness })) return 'asleep'
  const { judgeWait, judgeProblem, round, closed } = status
  if (judgeWait?.reason && !closed) return `waiting for the judge, asked again at ${formatLocalTime(judgeWait.nextAt)}`
  const running = status.workers.filter(worker => worker.startedAt && !worker.endedAt)
  const activity = running.length > 0 ? formatCount(running.length, 'worker') : round > 0 ? `round ${round}` : ''
  const problem = judgeProblem && !isSettled(status) ? 'the judge cannot judge' : ''
  const remark = status.remarks.length > 0 && !isSettled(status) ? 'repeats a command' : ''
  return [activity, describeCost(status)?.total ?? '', problem, remark].filter(text => text !== '').join(', ')
}
