import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentVariableNames, buildProgramCommand, type Config, settingsSchema } from '#host/config'
import { openTmux } from '#host/tmux'
import { startDeliverer } from '#notify'
import { launchSuccessor } from '#runner'
import { listOpenSessions } from '#session/search-index'
import { reviveSessions } from '#watchdog'
import { findRunningServer } from '#webui'

/**
 * Start whatever should run beside the sessions: runners for sessions that lost theirs, the deliverer of notifications, the
 * watchdog and the web page. Returns the page's address; undefined when it is off or does not answer in time.
 */
export async function startBackground(config: Config): Promise<string | undefined> {
  await reviveSessions(await listOpenSessions(config), config, launchSuccessor)
  await startDeliverer(config)
  await startBackgroundTerminal(config)
  return waitForPageUrl(config)
}

/** End the web page and the watchdog, and a tmux server that cannot be reached; returns the pid of such a server. */
export async function stopBackground(config: Config): Promise<number | undefined> {
  const tmux = openTmux(config.home)
  await tmux.closeSession(TERMINAL_NAME)
  const lostServer = await tmux.endLostServer()
  await tmux.removeStaleSocket()
  return lostServer
}

// --- internal ---

/** The terminal that the page and the watchdog share. */
const TERMINAL_NAME = 'dispatch-background'

const inheritedVariables = [
  'PATH',
  'HOME',
  'DISPATCH_HOME',
  'NODE_COMPILE_CACHE',
  'TMPDIR',
  'LANG',
  ...agentVariableNames, // The daemon starts sessions of the queue, as a person would from this shell.
  ...Object.keys(settingsSchema.shape), // It starts deliverers, which need them.
]

/** Open the windows that are missing. */
async function startBackgroundTerminal(config: Config): Promise<void> {
  const tmux = openTmux(config.home)
  const terminal = { session: TERMINAL_NAME, folder: path.join(config.home, 'windows') }
  const listOwnPanes = async () => (await tmux.listPanes()).filter(pane => pane.session === TERMINAL_NAME)
  const panes = await listOwnPanes()
  const openWindows = panes.filter(pane => !pane.isDead).map(pane => pane.window)
  const wanted = [
    { name: 'watchdog', args: ['daemon'] },
    ...(config.WEBUI_PORT === 0 ? [] : [{ name: 'web', args: ['web'] }]),
  ]
  const missing = wanted
    .filter(({ name }) => !openWindows.includes(name))
    .map(({ name, args }) => ({ name, command: [...buildProgramCommand('bin/dispatch'), ...args] }))
  if (missing.length === 0) return
  if (openWindows.length === 0) {
    if (panes.length > 0) await tmux.closeSession(TERMINAL_NAME)
    try {
      return await tmux.openSession(terminal, missing, inheritedVariables)
    } catch (error) {
      if ((await listOwnPanes()).length === 0) throw error // Otherwise another dispatch opened it at the same moment.
    }
  }
  for (const window of missing) await tmux.respawnWindow({ ...terminal, ...window })
}

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
