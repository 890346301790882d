import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { readLeaseHolder, releaseLease } from '#host/lease'
import { checkLiveness, killProcessTree } from '#host/process'
import { isStorageProblem } from '#host/storage-problem.ts'
import { openTmux } from '#host/tmux'
import type { Session } from '#session'
import { acquireRunnerLease } from '#session/lease'
import { readLog } from '#session/log'
import { computeStatus, findOtherHost, refuseOtherHost } from '#session/status'
import { type Closer, requestClose, STOP_REASON } from './close-request.ts'
import { endAgents } from './end-agents.ts'
import { getTmuxSessionName } from './terminal.ts'

/** How a session is stopped. */
export interface StopOptions {
  /** End a session of another machine from here, because that machine is gone. */
  isHostGone?: boolean
  /** Who ends it, and why; a person with `dispatch stop` if it is left out. */
  actor?: Closer
  reason?: string
}

/**
 * End every process of a session. Its runner is asked to close it; where no runner lives, or it does not react, that is done in
 * its place. Returns false when the session had ended before. Exit 5 for a session of another machine.
 */
export async function stopSession(session: Session, config: Config, options: StopOptions = {}): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await tryStop(session, config, options)) || attempt > 1
    } catch (error) {
      // The daemon may start a successor of a runner at this moment. The next attempt finds it.
      const isConflict = error instanceof DispatchError && error.exitCode === exitCodes.conflict
      if (!isConflict || attempt === MAX_STOP_ATTEMPTS) throw error
    }
  }
}

/** May something still write to the session, or start a successor of its runner? Not once it has ended, without runner and windows. */
export async function isSessionOpen(session: Session, config: Config): Promise<boolean> {
  if (!hasEnded(session)) return true
  const runner = readLeaseHolder(session.paths.runnerLease)
  if (runner && (await checkLiveness(runner)) !== 'dead') return true
  return hasWindows(session, config)
}

/**
 * Keep a session that has ended as it is, so that nothing takes it up, until the returned function is called or its folder is gone.
 * Undefined where it is open, or another process has it.
 */
export async function holdEndedSession(session: Session, config: Config): Promise<(() => void) | undefined> {
  if (await isSessionOpen(session, config)) return undefined
  const lease = await acquireRunnerLease(session).catch(error => {
    if (!isStorageProblem(error)) throw error
    return 'no room' as const // Nothing else can take it up either, and it may be removed to make room.
  })
  if (lease === undefined) return undefined
  const release = () => {
    if (lease !== 'no room') releaseLease(session.paths.runnerLease, lease)
  }
  try {
    // It may have been taken up, and left again, between the look and the lease.
    if (hasEnded(session) && !(await hasWindows(session, config))) return release
  } catch (error) {
    release()
    throw error
  }
  release()
  return undefined
}

// --- internal ---

const HOST_GONE_REASON = 'dispatch stop --host-gone'
const CLOSE_TIMEOUT_MS = 10_000
const MAX_STOP_ATTEMPTS = 3
const KILL_TIMEOUT_MS = 2500
const POLL_INTERVAL_MS = 50

async function tryStop(session: Session, config: Config, options: StopOptions): Promise<boolean> {
  const isElsewhere = (await findOtherHost(session)) !== undefined
  if (isElsewhere && options.isHostGone) return endForOtherHost(session, config)
  if (hasEnded(session)) return false
  await refuseOtherHost(session)
  const { actor = 'you', reason = STOP_REASON } = options
  const isRequested = tryRequestClose(session, reason, actor)
  const runner = readLeaseHolder(session.paths.runnerLease)
  const isAlive = async () =>
    runner !== undefined && runner.pid !== process.pid && (await checkLiveness(runner)) === 'alive'
  await waitWhile(isAlive, isRequested ? CLOSE_TIMEOUT_MS : 0)
  const hasHung = await isAlive()
  if (runner && hasHung) {
    await killProcessTree(runner, '')
    await waitWhile(isAlive, KILL_TIMEOUT_MS)
  }
  try {
    if (hasHung || !hasEnded(session)) {
      await endAgents({ session, tmux: openTmux(config.home) })
      const { closeSession } = await import('./runner.ts')
      await closeSession(session, config, actor, reason)
    }
    requireOnDisk(session)
  } catch (error) {
    throw explainUnrecorded(session, error)
  }
  return true
}

/**
 * Ask the runner to close the session, also where no more data fits on the disk: an empty file needs no space. False where even
 * that is not possible.
 */
function tryRequestClose(session: Session, reason: string, actor: Closer): boolean {
  try {
    requestClose(session, reason, actor)
    return true
  } catch (error) {
    if (!(error instanceof DispatchError) || error.exitCode !== exitCodes.storage) throw error
  }
  try {
    fs.writeFileSync(session.paths.stopRequest, '', { mode: 0o600 })
    return true
  } catch {
    return false // Then it is ended without its runner.
  }
}

/** Its last line may be there although the disk reported an error to the runner. */
function requireOnDisk(session: Session): void {
  const file = session.paths.events
  try {
    const fd = fs.openSync(file, 'r+')
    try {
      fs.fdatasyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    throw toStorageError(file, error)
  }
}

/** On a full disk the processes have ended, and nothing says so. The next runner reads the request and closes the session. */
function explainUnrecorded({ id }: Session, error: unknown): unknown {
  const cause = error instanceof Error ? toStorageError(id, error) : error
  if (!(cause instanceof DispatchError) || cause.exitCode !== exitCodes.storage) return error
  return new DispatchError(
    `every process of session ${id} has ended, but that could not be recorded: ${cause.message}`,
    {
      exitCode: exitCodes.storage,
      remedy: `When the disk works and has room again, run it once more: dispatch stop ${id.slice(-4)}`,
    },
  )
}

/** A session that had ended before its machine was gone only has to be released. */
async function endForOtherHost(session: Session, config: Config): Promise<boolean> {
  const options = { elsewhereExpiresMs: Number.NEGATIVE_INFINITY } // Its clock may be ahead.
  if (!hasEnded(session)) {
    const { closeSession } = await import('./runner.ts')
    await closeSession(session, config, 'you', HOST_GONE_REASON, options)
    return true
  }
  const lease = await acquireRunnerLease(session, options)
  if (lease) releaseLease(session.paths.runnerLease, lease)
  return true
}

async function hasWindows(session: Session, config: Config): Promise<boolean> {
  const panes = await openTmux(config.home).listPanes()
  return panes.some(pane => pane.session === getTmuxSessionName(session) && !pane.isDead)
}

function hasEnded({ paths }: Session): boolean {
  const status = computeStatus(readLog(paths.events).events)
  return status.closed !== undefined || status.phase === 'failed'
}

async function waitWhile(holds: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline && (await holds()); )
    await sleep(POLL_INTERVAL_MS)
}
