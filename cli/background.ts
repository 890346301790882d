import path from 'node:path'
import { buildProgramCommand, type Config, settingsSchema } from '#host/config'
import { openTmux } from '#host/tmux'
import { startDeliverer } from '#notify'
import { launchSuccessor } from '#runner'
import { readAllViews } from '#session/status'
import { reviveSessions } from '#watchdog'
import { findRunningServer } from '#webui'

/** What every start sees to besides its own session: the page is up, the watchdog is up, no session is without a runner, no notice without somebody who delivers it. */
export async function startBackground(config: Config): Promise<string | undefined> {
  await reviveSessions(await readAllViews(config.workspace), config, launchSuccessor)
  await startDeliverer(config)
  await startBackgroundTerminal(config)
  return waitForPageUrl(config)
}

/** Start the page and the watchdog in a terminal of their own, unless they are there. Their failure is nobody else's. */
async function startBackgroundTerminal(config: Config): Promise<void> {
  const tmux = openTmux(config.home)
  const place = { session: backgroundSession, folder: path.join(config.home, 'windows') }
  const panesHere = async () => (await tmux.listPanes()).filter(pane => pane.session === backgroundSession)
  const before = await panesHere()
  const open = before.filter(pane => !pane.isDead).map(pane => pane.window)
  const wanted = [
    { name: 'watchdog', words: ['watchdog', '--watch'] },
    ...(config.WEBUI_PORT === 0 ? [] : [{ name: 'web', words: ['web'] }]),
  ]
  const missing = wanted
    .filter(({ name }) => !open.includes(name))
    .map(({ name, words }) => ({ name, command: [...buildProgramCommand('bin/dispatch'), ...words] }))
  if (missing.length === 0) return
  if (open.length === 0) {
    if (before.length > 0) await tmux.closeSession(backgroundSession)
    try {
      return await tmux.openSession(place, missing, inheritedVariables)
    } catch (error) {
      if ((await panesHere()).length === 0) throw error // Else somebody has opened it at the same moment.
    }
  }
  for (const window of missing) await tmux.respawnWindow({ ...place, ...window })
}

const inheritedVariables = [
  'PATH',
  'HOME',
  'DISPATCH_HOME',
  'NODE_COMPILE_CACHE',
  ...Object.keys(settingsSchema.shape), // The watchdog wakes deliverers, which go by them.
]

/** The observatory's address, once it answers; undefined when it is off or does not come up within five seconds. */
async function waitForPageUrl(config: Config): Promise<string | undefined> {
  if (config.WEBUI_PORT === 0) return undefined
  for (let tries = 0; tries < 50; tries++) {
    const page = await findRunningServer(config.home)
    if (page) return page
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return undefined
}

/** The terminal that the page and the watchdog share; `dispatch stop --all` ends it too. */
export const backgroundSession = 'dispatch-house'
