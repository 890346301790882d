import os from 'node:os'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness, type Liveness } from '#host/process'
import { findWriteProblem } from '#host/temp-folder.ts'
import { readLog } from '../log/log.ts'
import type { Session } from '../manifest.ts'
import { describeVoidReason, listVisibleChanges } from '../repository/diff.ts'
import { listSessions } from '../store.ts'
import { computeState } from './conditions.ts'
import { findOtherHost } from './other-host.ts'
import { computeStatus } from './status.ts'
import type { SessionStatus } from './status-types.ts'

/** A session as a reader sees it: its status, and whether its runner is alive. */
export interface SessionView {
  session: Session
  status: SessionStatus
  runnerLiveness: Liveness
  /** The pid of the runner that lives on this machine. */
  runnerPid?: number
  /** The machine to which the session belongs, if it is another one. */
  otherHost?: string
  unreadableLines: number
  /** The one word that a person reads: the phase, or what overrides it. */
  state: string
}

/** Read a session. Its state comes from the log, and from whether the process that should write it is alive. */
export async function readView(session: Session): Promise<SessionView> {
  const { events, unreadableLines } = readLog(session.paths.events)
  return completeView(session, computeStatus(events), unreadableLines)
}

/**
 * Complete what the log of a session says with what is so now: whether its runner is alive, and its verdict still valid. The latter
 * compares the work, by git, where no runner does; `comparesWork: false` leaves that out, so that the state may be a PASS that is void.
 */
export async function completeView(
  session: Session,
  logged: SessionStatus,
  unreadableLines: number,
  { comparesWork = true } = {},
): Promise<SessionView> {
  const holder = readLeaseHolder(session.paths.runnerLease)
  const runnerLiveness = holder === undefined ? 'dead' : await checkLiveness(holder)
  const status = runnerLiveness === 'alive' || !comparesWork ? logged : await voidIfChanged(session, logged)
  const otherHost = runnerLiveness === 'elsewhere' ? await findOtherHost(session) : undefined
  const isNew = isJustOpened(session, status, Date.now())
  const state = computeState(status, runnerLiveness === 'dead' && isNew ? 'unknown' : runnerLiveness)
  return {
    session,
    status,
    runnerLiveness,
    unreadableLines,
    state,
    ...(otherHost === undefined ? {} : { otherHost }),
    ...(holder !== undefined && runnerLiveness === 'alive' ? { runnerPid: holder.pid } : {}),
  }
}

/**
 * Was the session made a moment ago, so that its first runner is still to come? Then nothing of it is interrupted. A clock that was set
 * back says nothing. Pure.
 */
export function isJustOpened(
  { manifest }: Pick<Session, 'manifest'>,
  { lastSeq }: Pick<SessionStatus, 'lastSeq'>,
  nowMs: number,
): boolean {
  const ageMs = nowMs - Date.parse(manifest.openedAt)
  return lastSeq === 0 && ageMs >= 0 && ageMs < FIRST_RUNNER_MS
}

/** A first runner starts after claude, and on a busy machine not at once. */
const FIRST_RUNNER_MS = 20_000

/** A living runner voids a verdict itself. Without one, the reader must compare the files. */
async function voidIfChanged(session: Session, status: SessionStatus): Promise<SessionStatus> {
  const { verdict } = status
  if (!verdict?.isFinal || verdict.voidReason) return status
  const voidReason = describeVoidReason(await listRecentChanges(session, status).catch(ignoreFullDisk))
  return voidReason === undefined ? status : { ...status, verdict: { ...verdict, voidReason } }
}

/** Without space nothing can be compared. The disk says nothing about the verdict. */
function ignoreFullDisk(error: unknown): string[] {
  if (findWriteProblem(os.tmpdir()) === undefined) throw error
  return []
}

const MIN_CACHE_MS = 10_000
/** So the page costs at most one hundredth of a processor for each session that it compares. */
const CACHE_RATIO = 100
const changesCache = new Map<string, { expiresAtMs: number; changedFiles: string[] }>()

/** Each comparison costs a git status, and the page is drawn every two seconds, so a result is kept for a time. */
async function listRecentChanges(session: Session, status: SessionStatus): Promise<string[]> {
  const cached = changesCache.get(session.id)
  if (cached && performance.now() < cached.expiresAtMs) return cached.changedFiles
  const startedAtMs = performance.now()
  const changedFiles = await listVisibleChanges(session.paths, status)
  const keptMs = Math.max(MIN_CACHE_MS, CACHE_RATIO * (performance.now() - startedAtMs))
  for (const [id, { expiresAtMs }] of changesCache) if (expiresAtMs < performance.now()) changesCache.delete(id)
  changesCache.set(session.id, { expiresAtMs: performance.now() + keptMs, changedFiles })
  return changedFiles
}

export async function readAllViews(workspace: string): Promise<SessionView[]> {
  return Promise.all(listSessions(workspace).map(readView))
}
