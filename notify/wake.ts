import fs from 'node:fs'
import path from 'node:path'
import { type Config, liveness, makePrivate, ownProgram, startDetached } from '../host/index.ts'
import { holder } from '../session/index.ts'
import { anyWaits, chainOf } from './deliver.ts'
import { sendersEnvironment } from './environment.ts'
import { channelsOf } from './outbox.ts'

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
    if (!anyWaits(home, channelsOf(config)) || mine?.isRunning || Date.now() < (mine?.notBefore ?? 0)) return
    const who = holder(chainOf(home))
    if (who === undefined || (await liveness(who)) === 'dead') start(config)
  } catch (error) {
    process.stderr.write(`no deliverer could be started: ${error instanceof Error ? error.message : error}\n`)
  }
}

/** One that ends by a fault (its settings do not read) would do so again at once, so the next comes after half a minute. */
function start(config: Config): void {
  const { home, logs } = config
  makePrivate(logs)
  const log = path.join(logs, 'deliver.log')
  if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 1024 * 1024) fs.truncateSync(log)
  const env = sendersEnvironment(home)
  const [node, deliverer] = ownProgram('bin/deliver')
  const ended = startDetached(node, [deliverer], { env, log })
  started.set(home, { isRunning: true, notBefore: 0 })
  ended.then(code => {
    const rest = code === 0 ? 0 : 30_000
    started.set(home, { isRunning: false, notBefore: Date.now() + rest })
    // Somebody may have posted while it was on its way out, and left it to that one.
    setTimeout(() => void wake(config), rest).unref()
  })
}
