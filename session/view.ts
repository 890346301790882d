import { type Liveness, liveness } from '../host/index.ts'
import { holder } from './chain.ts'
import { readLog } from './log.ts'
import { listSessions, type Session } from './session.ts'
import { type Status, settled, statusOf } from './status.ts'
import { changedSinceVerdict, voidBy } from './trees.ts'

/** A session as a reader sees it: what its events add up to, and whether its runner is there to go on. */
export interface View {
  session: Session
  status: Status
  runner: Liveness
  unread: number
  /** The one word for it: the phase, or what overrides it. */
  state: string
}

/** Two signals make a state: the log, and the process that should be writing it. */
export async function viewOf(session: Session): Promise<View> {
  const { events, unread } = readLog(session.paths.events)
  const status = statusOf(events)
  const who = holder(session.paths.runner)
  const runner = who === undefined ? 'dead' : await liveness(who)
  const checked = runner === 'alive' ? status : await withVoid(session, status)
  return { session, status: checked, runner, unread, state: stateOf(checked, runner) }
}

/** A living runner voids a verdict by itself; where there is none any more, the reader looks. */
async function withVoid(session: Session, status: Status): Promise<Status> {
  const { verdict } = status
  if (!verdict?.final || verdict.voided) return status
  const voided = voidBy(await changedLately(session, status))
  return voided === undefined ? status : { ...status, verdict: { ...verdict, voided } }
}

const looked = new Map<string, { at: number; changed: string[] }>()

/** Looking costs a git status, so a page that is drawn every two seconds looks every ten. */
async function changedLately(session: Session, status: Status): Promise<string[]> {
  const known = looked.get(session.id)
  if (known && Date.now() - known.at < 10_000) return known.changed
  const changed = await changedSinceVerdict(session.paths, status)
  looked.set(session.id, { at: Date.now(), changed })
  return changed
}

export async function viewAll(workspace: string): Promise<View[]> {
  return Promise.all(listSessions(workspace).map(viewOf))
}

/** The word a person reads. A dead runner makes unfinished work `interrupted`, whatever the log last said. */
export function stateOf(status: Status, runner: Liveness): string {
  if (status.verdict?.voided && status.phase === status.verdict.verdict) return `${status.phase} (void)`
  if (status.phase === 'PASS' || status.phase === 'INCONCLUSIVE' || status.phase === 'failed') return status.phase
  if (status.phase === 'FAIL') return 'FAIL'
  if (status.closed) return 'stopped'
  if (runner === 'dead' && !settled(status)) return 'interrupted'
  if (status.limit && !settled(status)) return 'parked'
  return status.stuck ? 'stuck' : status.phase
}
