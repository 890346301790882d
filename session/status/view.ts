import { checkLiveness, type Liveness } from '#host/process'
import { readLeaseHolder } from '../lease/lease.ts'
import { readLog } from '../log/log.ts'
import type { Session } from '../manifest.ts'
import { describeVoidReason, listChangesSinceVerdict } from '../repository/repository.ts'
import { listSessions } from '../store.ts'
import { computeStatus, isSettled, type SessionStatus } from './status.ts'
/** A session as a reader sees it: what its events add up to, and whether its runner is there to go on. */
export interface SessionView {
  session: Session
  status: SessionStatus
  runnerLiveness: Liveness
  unreadableLines: number
  /** The one word for it: the phase, or what overrides it. */
  state: string
}

/** Two signals make a state: the log, and the process that should be writing it. */
export async function readView(session: Session): Promise<SessionView> {
  const { events, unreadableLines } = readLog(session.paths.events)
  const status = computeStatus(events)
  const who = readLeaseHolder(session.paths.runnerLease)
  const runnerLiveness = who === undefined ? 'dead' : await checkLiveness(who)
  const checked = runnerLiveness === 'alive' ? status : await checkVoid(session, status)
  return { session, status: checked, runnerLiveness, unreadableLines, state: computeState(checked, runnerLiveness) }
}

/** A living runner voids a verdict by itself; where there is none any more, the reader looks. */
async function checkVoid(session: Session, status: SessionStatus): Promise<SessionStatus> {
  const { verdict } = status
  if (!verdict?.isFinal || verdict.voidReason) return status
  const voidReason = describeVoidReason(await listRecentChanges(session, status))
  return voidReason === undefined ? status : { ...status, verdict: { ...verdict, voidReason } }
}

const changesCache = new Map<string, { at: number; changed: string[] }>()

/** Looking costs a git status, so a page that is drawn every two seconds looks every ten. */
async function listRecentChanges(session: Session, status: SessionStatus): Promise<string[]> {
  const known = changesCache.get(session.id)
  if (known && Date.now() - known.at < 10_000) return known.changed
  const changed = await listChangesSinceVerdict(session.paths, status)
  changesCache.set(session.id, { at: Date.now(), changed })
  return changed
}

export async function readAllViews(workspace: string): Promise<SessionView[]> {
  return Promise.all(listSessions(workspace).map(readView))
}

/** The word a person reads. A dead runner makes unfinished work `interrupted`, whatever the log last said. */
export function computeState(status: SessionStatus, runner: Liveness): string {
  if (status.verdict?.voidReason && status.phase === status.verdict.verdict) return `${status.phase} (void)`
  if (status.phase === 'PASS' || status.phase === 'INCONCLUSIVE' || status.phase === 'failed') return status.phase
  if (status.phase === 'FAIL') return 'FAIL'
  if (status.closed) return 'stopped'
  if (runner === 'dead' && !isSettled(status)) return 'interrupted'
  if (status.usageLimit && !isSettled(status)) return 'parked'
  return status.isStuck ? 'stuck' : status.phase
}
