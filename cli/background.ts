import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findOutdatedPrograms, isOutdated, readInstalledCode, readRunningDaemon } from '#host/installed-code'
import { openTmux } from '#host/tmux'
import { isServiceInstalled, stopService } from '#host/user-service'
import { startDeliverer } from '#notify'
import { wakeQueue } from '#queue'
import { findDaemon, refuseOtherHost, startDaemon, startInBackground, stopDaemon } from '#watchdog'
import { findRunningServer, readPageCode, stopRunningServer } from '#webui'
import { stopLanders } from './landing/stop-landers.ts'
import { startMissingRunners } from './missing-runners.ts'
import { print } from './output/terminal.ts'
import { readClaim } from './queue/claim.ts'
import { withQueue } from './queue/open.ts'
import { releaseStarts } from './queue/release-starts.ts'

/**
 * Start whatever should run beside the sessions: runners for sessions that lost theirs, the deliverer of notifications, the
 * daemon and the web page. Returns the page's address; undefined when it is off or does not answer in time.
 */
export async function startBackground(config: Config): Promise<string | undefined> {
  await startAll(config)
  return waitForPageUrl(config)
}

/**
 * Have the daemon look at the queue now, and start what runs in the background if there is no daemon: for a command after which
 * something shall go on by itself.
 */
export async function wakeDaemon(config: Config): Promise<void> {
  wakeQueue(config.home)
  if ((await findDaemon(config.home)) === undefined) await startAll(config)
}

/**
 * End what starts or lands something by itself, the daemon first: service, daemon, page, and landers in the background. What was just
 * starting waits in the queue again. One of them that cannot be ended keeps no other; returns what went wrong.
 */
export async function stopBackground(config: Config): Promise<unknown[]> {
  const problems: unknown[] = []
  const attempt = (step: Promise<unknown>) => step.catch(error => problems.push(error))
  await attempt(
    stopService(config.home).then(isStopped => {
      if (isStopped) print('The service is stopped. It starts again with the next session or login.')
    }),
  )
  await attempt(stopDaemon(config.home))
  await attempt(releaseStarts(config))
  await attempt(stopRunningServer(config.home))
  await attempt(stopLanders(config.home))
  return problems
}

/** After the sessions: a daemon that a command has started meanwhile, and what is left of tmux. */
export async function endLeftovers(config: Config): Promise<void> {
  await stopDaemon(config.home)
  const tmux = openTmux(config.home)
  await tmux.closeSession(EARLIER_TERMINAL)
  await tmux.releaseServer() // A start that was killed may have left it waiting for a session.
  const lostServer = await tmux.endLostServer()
  await tmux.removeStaleSocket()
  if (lostServer !== undefined) print(`ended the tmux server (process ${lostServer}), whose socket had been removed`)
}

/** Open the web page in the background unless it is off or open. */
export async function keepPageOpen(config: Config): Promise<void> {
  if (config.WEBUI_PORT !== 0 && (await findRunningServer(config.home)) === undefined) startInBackground(config, 'web')
}

/** The same, but a page with older code than is installed makes room for a new one. */
export async function renewPage(config: Config): Promise<void> {
  const code = readPageCode(config.home)
  if (code && isOutdated(code, readInstalledCode())) await stopRunningServer(config.home)
  await keepPageOpen(config)
}

/**
 * End the daemon and the page, and start both again with the code that is installed. Returns the pid of the daemon. Exit 5 where a
 * service keeps the daemon, or it belongs to another machine, 124 if the new one does not start.
 */
export async function restartBackground(config: Config): Promise<number> {
  if (isServiceInstalled(config.home))
    throw new DispatchError('a service keeps the daemon', {
      exitCode: exitCodes.conflict,
      remedy: 'Restart it with: dispatch service restart',
    })
  await refuseOtherHost(config.home)
  await stopDaemon(config.home)
  await stopRunningServer(config.home)
  await startDaemon(config)
  for (const endMs = Date.now() + DAEMON_TIMEOUT_MS; Date.now() < endMs; await sleep(PAGE_POLL_MS)) {
    const pid = await findDaemon(config.home)
    if (pid !== undefined) return pid
  }
  throw new DispatchError('the daemon has not started', {
    exitCode: exitCodes.deadline,
    remedy: 'To see why: dispatch logs daemon',
  })
}

// --- internal ---

/** In which the daemon and the page ran before they left tmux (0052). */
const EARLIER_TERMINAL = 'dispatch-background'

const DAEMON_TIMEOUT_MS = 20_000
const PAGE_TIMEOUT_MS = 5000
const PAGE_POLL_MS = 100

async function startAll(config: Config): Promise<void> {
  await startMissingRunners(config)
  await startDeliverer(config)
  await endOutdated(config)
  if ((await findDaemon(config.home)) === undefined) await openTmux(config.home).closeSession(EARLIER_TERMINAL)
  await startDaemon(config)
  await keepPageOpen(config)
}

async function waitForPageUrl(config: Config): Promise<string | undefined> {
  if (config.WEBUI_PORT === 0) return undefined
  for (const deadline = Date.now() + PAGE_TIMEOUT_MS; Date.now() < deadline; await sleep(PAGE_POLL_MS)) {
    const url = await findRunningServer(config.home)
    if (url) return url
  }
  return undefined
}

/**
 * End a daemon and a page of older code than is installed, so that new ones start. A daemon that a service keeps stays, and so does
 * one that is just starting something from the queue.
 */
async function endOutdated(config: Config): Promise<void> {
  if (readClaim() !== null) return // The daemon itself has started this process.
  const { programs } = findOutdatedPrograms(config.home, readPageCode(config.home))
  if (programs.includes('page')) await stopRunningServer(config.home)
  if (!programs.includes('daemon') || readRunningDaemon(config.home)?.isService) return
  const starting = await withQueue(config, queue => queue.list(['starting']))
  if (starting.length === 0) await stopDaemon(config.home)
}
