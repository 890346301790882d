import path from 'node:path'
import type { Config } from '../host/index.ts'
import { ownProgram, settings, tmuxOf } from '../host/index.ts'
import { wake } from '../notify/index.ts'
import { startSuccessor } from '../runner/index.ts'
import { viewAll } from '../session/index.ts'
import { revive } from '../watchdog/index.ts'
import { runningPage } from '../webui/index.ts'

/** What every start sees to besides its own session: the page is up, the watchdog is up, no session is without a runner, no notice without somebody who delivers it. */
export async function houseKeeping(config: Config): Promise<string | undefined> {
  await revive(await viewAll(config.workspace), config, startSuccessor)
  await wake(config)
  await keepHouse(config)
  return pageOf(config)
}

/** Start the page and the watchdog in a terminal of their own, unless they are there. Their failure is nobody else's. */
async function keepHouse(config: Config): Promise<void> {
  const tmux = tmuxOf(config.home)
  const place = { session: houseSession, folder: path.join(config.home, 'windows') }
  const panesHere = async () => (await tmux.panes()).filter(pane => pane.session === houseSession)
  const before = await panesHere()
  const open = before.filter(pane => !pane.dead).map(pane => pane.window)
  const wanted = [
    { name: 'watchdog', words: ['watchdog', '--watch'] },
    ...(config.WEBUI_PORT === 0 ? [] : [{ name: 'web', words: ['web'] }]),
  ]
  const missing = wanted
    .filter(({ name }) => !open.includes(name))
    .map(({ name, words }) => ({ name, command: [...ownProgram('bin/dispatch'), ...words] }))
  if (missing.length === 0) return
  if (open.length === 0) {
    if (before.length > 0) await tmux.closeSession(houseSession)
    try {
      return await tmux.openSession(place, missing, carried)
    } catch (error) {
      if ((await panesHere()).length === 0) throw error // Else somebody has opened it at the same moment.
    }
  }
  for (const window of missing) await tmux.renewWindow({ ...place, ...window })
}

const carried = [
  'PATH',
  'HOME',
  'DISPATCH_HOME',
  'NODE_COMPILE_CACHE',
  ...Object.keys(settings.shape), // The watchdog wakes deliverers, which go by them.
]

/** The observatory's address, once it answers; undefined when it is off or does not come up within five seconds. */
async function pageOf(config: Config): Promise<string | undefined> {
  if (config.WEBUI_PORT === 0) return undefined
  for (let tries = 0; tries < 50; tries++) {
    const page = await runningPage(config.home)
    if (page) return page
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return undefined
}

/** The terminal that the page and the watchdog share; `dispatch stop --all` ends it too. */
export const houseSession = 'dispatch-house'
