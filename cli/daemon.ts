import { type Config, createConfigReader } from '#host/config'
import { signalExitCodes } from '#host/error.ts'
import type { Lease } from '#host/lease'
import { appendLog } from '#host/log-file.ts'
import { createStayAwake } from '#host/stay-awake.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { enqueueMissedNotifications, getOldestMissedTime, startDeliverer } from '#notify'
import { getWakeFile } from '#queue'
import { watchPaths } from '#session/log'
import { listOpenSessions } from '#session/search-index'
import type { SessionView } from '#session/status'
import {
  acquireDaemonLease,
  holdsDaemonLease,
  type Room,
  releaseDaemonLease,
  type Succession,
  watchForDeath,
} from '#watchdog'
import { keepPageOpen, renewPage } from './background.ts'
import { closeExpired } from './close-expired.ts'
import { waitForEndSignal } from './end-signal.ts'
import { enqueueExternalEvents } from './external-sessions.ts'
import { listProjectSources, watchIssues } from './issues/watch.ts'
import { keepLanding, type LandingWatch } from './landing/keep-landing.ts'
import { startMissingRunners } from './missing-runners.ts'
import { print } from './output/terminal.ts'
import { watchPullRequests } from './pull-request/watch.ts'
import { watchInboxes } from './queue/inbox-watch.ts'
import { runQueue } from './queue/starter.ts'
import { hasWorkLeft } from './queue/work-left.ts'
import { startTidyOnceADay } from './tidy/schedule.ts'

/** What a check of the sessions keeps from one to the next. */
interface CheckState {
  /** The last event of each session whose notifications are complete. */
  known: Map<string, number>
  /** The pid of the runner of each session that had one. */
  runners: Map<string, number>
  /** New runners that were tried. */
  tries: NonNullable<Room['tries']>
  /** The sessions that could not be compared at the last look, and why. */
  leftOut: Map<string, string>
  /** Look also at sessions that have ended. */
  isThorough: boolean
  /** How many sessions may start all their processes again. */
  maxTakenUp: number
}

/** What is known before the first check. */
export function createCheckState(): Pick<CheckState, 'known' | 'runners' | 'tries' | 'leftOut'> {
  return { known: new Map(), runners: new Map(), tries: new Map(), leftOut: new Map() }
}

/**
 * Look after the sessions and the queue until a signal ends this process. A failure is printed, and does not end it. Exit 5 where
 * another daemon runs.
 */
export async function runDaemon(config: Config): Promise<number> {
  const lease = await acquireDaemonLease(config.home)
  const say = (text: string) => {
    print(`${new Date().toISOString()} ${text}`)
    appendLog(config.logsFolder, 'daemon', text)
  }
  say(`started, process ${process.pid}`)
  const end = new AbortController()
  const inboxes = watchInboxes(end.signal, createConfigReader(config, say), say)
  const issues = watchIssues(end.signal, createConfigReader(config, say), listProjectSources, say, config.home)
  const pulls = watchPullRequests(end.signal, createConfigReader(config, say), say)
  const watching = Promise.all([watchUntil(end.signal, config, lease, say), inboxes, issues, pulls])
  const signal = await waitForEndSignal()
  end.abort()
  await watching
  say(`ended by ${signal}`)
  releaseDaemonLease(config.home, lease)
  return signalExitCodes[signal]
}

/** One look at the sessions: new runners, missed notifications, events of claude sessions that dispatch did not start. */
export async function checkSessions(
  config: Config,
  { known, runners, tries, leftOut, isThorough, maxTakenUp }: CheckState,
  say: (text: string) => void,
): Promise<Succession & { views: SessionView[] }> {
  const orSince = getOldestMissedTime(new Date()).toISOString() // A session may end before it could notify you.
  const leftOutNow = new Map<string, string>()
  const onLeftOut = (id: string, reason: string) => void leftOutNow.set(id, reason)
  const views = await listOpenSessions(config, { orSince, isThorough, onLeftOut })
  for (const [id, reason] of leftOutNow) if (leftOut.get(id) !== reason) say(`${id} is left out for now: ${reason}`)
  leftOut.clear()
  for (const [id, reason] of leftOutNow) leftOut.set(id, reason)
  for (const { session, status, runnerPid } of views) {
    if (runnerPid !== undefined) runners.set(session.id, runnerPid)
    else if (runners.delete(session.id) && !status.closed) say(`the runner of ${session.id} is gone`)
  }
  const open = new Set(views.map(({ session }) => session.id))
  for (const seen of [runners, known, tries]) for (const id of seen.keys()) if (!open.has(id)) seen.delete(id)
  const succession = await startMissingRunners(config, { views, maxTakenUp, tries })
  for (const { id, error } of succession.failures)
    say(`no new runner for ${id}: ${error instanceof Error ? error.message : error}`)
  for (const id of succession.started) say(`started a new runner for ${id}`)
  if (isThorough) {
    const { closed, failures } = await closeExpired(views, config)
    for (const { id, error } of failures)
      say(`${id} could not be closed: ${error instanceof Error ? error.message : error}`)
    for (const id of closed) say(`closed ${id}: it has its verdict, and no process is left`)
  }
  try {
    enqueueMissedNotifications(views, config, known)
    enqueueExternalEvents(config)
    await startDeliverer(config)
  } catch (error) {
    // The next look tries it again. No session and no task waits for a notification.
    say(`a notification could not be queued: ${error instanceof Error ? error.message : error}`)
  }
  return { ...succession, views }
}

// --- internal ---

const CHECK_INTERVAL_MS = 5000
/** While a session waits for its runner. */
const RESTART_INTERVAL_MS = 1000
/** How often sessions that have ended are looked at too. */
const THOROUGH_INTERVAL_MS = MINUTE_MS

/** Starts that are on their way are waited for at the end. */
async function watchUntil(end: AbortSignal, config: Config, lease: Lease, say: (text: string) => void): Promise<void> {
  const report = (error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : `${error}`)
    return undefined
  }
  await renewPage(config).catch(report)
  const starting = new Set<Promise<unknown>>()
  const readCurrentConfig = createConfigReader(config, say)
  const waker = await watchPaths([getWakeFile(config.home)], CHECK_INTERVAL_MS)
  const state = createCheckState()
  const awake = createStayAwake()
  const landingWatch: LandingWatch = { landers: new Map(), notifiedMs: new Map() }
  let thoroughAtMs = Number.NEGATIVE_INFINITY
  let takenUpAtMs = Number.NEGATIVE_INFINITY
  while (!end.aborted) {
    if (!isStillDaemon(config, lease, report)) {
      say('another machine has taken its place, so it ends')
      process.kill(process.pid, 'SIGTERM')
      break
    }
    const nowMs = performance.now()
    const isThorough = nowMs - thoroughAtMs >= THOROUGH_INTERVAL_MS
    if (isThorough) thoroughAtMs = nowMs
    const current = readCurrentConfig()
    const staggerMs = current.STAGGER_SEC * SECOND_MS
    const maxTakenUp = staggerMs === 0 ? Number.POSITIVE_INFINITY : nowMs - takenUpAtMs >= staggerMs ? 1 : 0
    const checked = await checkSessions(current, { ...state, isThorough, maxTakenUp }, say).catch(report)
    if (checked && checked.started.length > 0) takenUpAtMs = nowMs
    const starts = await runQueue(current, say).catch(report)
    for (const start of starts ?? []) {
      const ended = start.catch(report).finally(() => starting.delete(ended))
      starting.add(ended) // A start may take a minute.
    }
    await keepLanding(current, landingWatch, { views: checked?.views, isThorough, say }).catch(report)
    if (isThorough && checked) awake.hold((await hasWorkLeft(current, checked.views).catch(report)) ?? false)
    if (isThorough) await keepPageOpen(current).catch(report)
    if (isThorough) await startTidyOnceADay(current, say).catch(report)
    await waitForNext(waker, { runners: [...state.runners.values()], isSoon: (checked?.waiting.length ?? 0) > 0, end })
  }
  awake.hold(false)
  await Promise.all([waker.close(), ...starting])
}

/** Where the lease cannot be read, as when no file can be opened for a moment, nothing says that another one has it. */
function isStillDaemon({ home }: Config, lease: Lease, report: (error: unknown) => void): boolean {
  try {
    return holdsDaemonLease(home, lease)
  } catch (error) {
    report(error)
    return true
  }
}

/** Until something is put into the queue, a runner dies, the next look is due, or the daemon ends. */
async function waitForNext(
  waker: Awaited<ReturnType<typeof watchPaths>>,
  { runners, isSoon, end }: { runners: number[]; isSoon: boolean; end: AbortSignal },
): Promise<void> {
  const wake = new AbortController() // Not `AbortSignal.any`, which may be collected while it is waited for.
  const abort = () => wake.abort()
  end.addEventListener('abort', abort)
  const stopWatching = watchForDeath(runners, abort)
  const timer = isSoon ? setTimeout(abort, RESTART_INTERVAL_MS) : undefined
  if (!end.aborted) await waker.next(wake.signal)
  clearTimeout(timer)
  stopWatching()
  end.removeEventListener('abort', abort)
}
