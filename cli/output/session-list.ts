import { formatCount, sanitize } from '#host/text.ts'
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

/** One line a session, then those that cannot be read. */
export function printSessionList(
  views: SessionView[],
  sizes: Map<string, number>,
  damaged: { id: string; reason: string }[],
): void {
  const unreadable = damaged.map(({ id, reason }) => [paint('red', 'unreadable'), id, '', '', '', reason])
  const rows = [...views.map(view => formatRow(view, sizes.get(view.session.id))), ...unreadable]
  if (rows.length === 0) print('No sessions yet. To start one: dispatch "task"')
  else print(fitTable(rows, TITLE_COLUMN, shorten))
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

// --- internal ---

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
  return [activity, describeCost(status)?.total ?? '', problem].filter(text => text !== '').join(', ')
}
