import { type Config, createConfigReader } from '#host/config'
import { appendLog } from '#host/log-file.ts'
import { MINUTE_MS } from '#host/time.ts'
import { enqueueMissedNotifications, getOldestMissedTime, startDeliverer } from '#notify'
import { getWakeFile } from '#queue'
import { launchSuccessor } from '#runner'
import { watchPaths } from '#session/log'
import { listOpenSessions } from '#session/search-index'
import { reviveSessions } from '#watchdog'
import { enqueueExternalEvents } from './external-sessions.ts'
import { print } from './output/terminal.ts'
import { runQueue } from './queue/starter.ts'

/** What a check of the sessions keeps from one to the next: the last event of each whose notifications are complete. */
interface CheckState {
  known: Map<string, number>
  /** Look also at sessions that have ended. */
  isThorough: boolean
}

/** Look after the sessions and the queue, for ever. A failure is printed, and does not end it. */
export async function runDaemon(config: Config): Promise<never> {
  const say = (text: string) => {
    print(`${new Date().toISOString()} ${text}`)
    appendLog(config.logsFolder, 'daemon', text)
  }
  const report = (error: unknown) => say(error instanceof Error ? (error.stack ?? error.message) : `${error}`)
  const readCurrentConfig = createConfigReader(config, say)
  say(`started, process ${process.pid}`)
  const waker = await watchPaths([getWakeFile(config.home)], CHECK_INTERVAL_MS)
  const known = new Map<string, number>()
  let thoroughAtMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const isThorough = performance.now() - thoroughAtMs >= THOROUGH_INTERVAL_MS
    if (isThorough) thoroughAtMs = performance.now()
    const current = readCurrentConfig()
    await checkSessions(current, { known, isThorough }, say).catch(report)
    const starts = await runQueue(current, say).catch(report)
    for (const start of starts ?? []) start.catch(report) // A start may take a minute. It is not waited for.
    await waker.next()
  }
}

/** One look at the sessions: new runners, missed notifications, events of claude sessions that dispatch did not start. */
export async function checkSessions(
  config: Config,
  { known, isThorough }: CheckState,
  say: (text: string) => void,
): Promise<void> {
  const orSince = getOldestMissedTime(new Date()).toISOString() // A session may end before it could notify you.
  const views = await listOpenSessions(config, { orSince, isThorough })
  for (const id of await reviveSessions(views, config, launchSuccessor)) say(`started a new runner for ${id}`)
  enqueueMissedNotifications(views, config, known)
  enqueueExternalEvents(config)
  await startDeliverer(config)
}

// --- internal ---

const CHECK_INTERVAL_MS = 5000
/** How often sessions that have ended are looked at too. */
const THOROUGH_INTERVAL_MS = MINUTE_MS
