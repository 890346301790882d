import fs from 'node:fs'
import path from 'node:path'
import {
  agentVariables,
  type Config,
  liveness,
  makePrivate,
  settings,
  startDetached,
  variables,
} from '../host/index.ts'
import { holder } from '../session/index.ts'
import { anyWaits, chainOf } from './deliver.ts'

/** What this process has started, home by home: still running, or not worth starting again before then. */
const started = new Map<string, { isRunning: boolean; notBefore: number }>()

/**
 * See to it that somebody delivers what waits: start a deliverer of its own, unless one lives. Never throws; what it resolves
 * to need not be awaited. Of two that start at once the chain lets one in.
 */
export async function wake(config: Config): Promise<void> {
  try {
    const { home } = config
    const mine = started.get(home)
    if (!anyWaits(home) || mine?.isRunning || Date.now() < (mine?.notBefore ?? 0)) return
    const who = holder(chainOf(home))
    if (who === undefined || (await liveness(who)) === 'dead') start(config)
  } catch (error) {
    process.stdout.write(`no deliverer could be started: ${error instanceof Error ? error.message : error}\n`)
  }
}

/** One that ends by a fault (its settings do not read) would do so again at once, so it is given half a minute. */
function start(config: Config): void {
  const { home, logs, install } = config
  makePrivate(logs)
  const log = path.join(logs, 'deliver.log')
  if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 1024 * 1024) fs.truncateSync(log)
  const ended = startDetached(process.execPath, [path.join(install, 'bin/deliver.ts')], { env: environment(home), log })
  started.set(home, { isRunning: true, notBefore: 0 })
  ended.then(code => {
    started.set(home, { isRunning: false, notBefore: code === 0 ? 0 : Date.now() + 30_000 })
    if (code === 0) void wake(config) // Somebody may have posted while it was on its way out, and left it to that one.
  })
}

/**
 * What a deliverer has of its caller: the way out, the way to the desktop, and the settings that stand in the environment.
 * What `.env` says it reads itself, so that a change there counts; an agent's keys are none of its business.
 */
function environment(home: string): Record<string, string> {
  const proxies = agentVariables.filter(name => /proxy$|^SSL_CERT_FILE$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const own = variables([...Object.keys(settings.shape), ...proxies, ...machine])
  const hasProxy = Object.keys(own).some(name => /^https?_proxy$/i.test(name))
  return { ...own, DISPATCH_HOME: home, ...(hasProxy ? { NODE_USE_ENV_PROXY: '1' } : {}) }
}

const machine = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'TZ',
  'LANG',
  'NODE_COMPILE_CACHE',
  'DBUS_SESSION_BUS_ADDRESS',
  'XDG_RUNTIME_DIR',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
]
