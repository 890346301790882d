import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { openTmux } from '#host/tmux'
import { startDeliverer } from '#notify'
import { startDaemon, startInBackground, stopDaemon } from '#watchdog'
import { findRunningServer, stopRunningServer } from '#webui'
import { revive } from './revive.ts'

/**
 * Start whatever should run beside the sessions: runners for sessions that lost theirs, the deliverer of notifications, the
 * daemon and the web page. Returns the page's address; undefined when it is off or does not answer in time.
 */
export async function startBackground(config: Config): Promise<string | undefined> {
  await revive(config)
  await startDeliverer(config)
  await startDaemon(config)
  await keepPageOpen(config)
  return waitForPageUrl(config)
}

/** End the web page and the daemon, and a tmux server that cannot be reached; returns the pid of such a server. */
export async function stopBackground(config: Config): Promise<number | undefined> {
  await stopDaemon(config.home)
  await stopRunningServer(config.home)
  const tmux = openTmux(config.home)
  const lostServer = await tmux.endLostServer()
  await tmux.removeStaleSocket()
  return lostServer
}

/** Open the web page in the background unless it is off or open. */
export async function keepPageOpen(config: Config): Promise<void> {
  if (config.WEBUI_PORT !== 0 && (await findRunningServer(config.home)) === undefined) startInBackground(config, 'web')
}

// --- internal ---

const PAGE_TIMEOUT_MS = 5000
const PAGE_POLL_MS = 100

async function waitForPageUrl(config: Config): Promise<string | undefined> {
  if (config.WEBUI_PORT === 0) return undefined
  for (const deadline = Date.now() + PAGE_TIMEOUT_MS; Date.now() < deadline; await sleep(PAGE_POLL_MS)) {
    const url = await findRunningServer(config.home)
    if (url) return url
  }
  return undefined
}
