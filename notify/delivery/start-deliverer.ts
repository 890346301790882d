import fs from 'node:fs'
import path from 'node:path'
import { buildProgramCommand, type Config } from '#host/config'
import { startDetached } from '#host/exec.ts'
import { makePrivateFolder } from '#host/fs'
import { checkLiveness } from '#host/process'
import { readLeaseHolder } from '#session/lease'
import { buildSenderEnvironment } from '../child-env.ts'
import { listEnabledChannels } from '../outbox.ts'
import { getDelivererLeaseFolder, hasWaiting } from './deliverer.ts'

/** What this process has started, home by home: still running, or not worth starting again before then. */
const deliverers = new Map<string, { isRunning: boolean; notBefore: number }>()

/**
 * See to it that somebody delivers what waits: start a deliverer of its own, unless one lives. Never throws; what it resolves
 * to need not be awaited. Of two that start at once the chain lets one in.
 */
export async function startDeliverer(config: Config): Promise<void> {
  try {
    const { home } = config
    const mine = deliverers.get(home)
    if (!hasWaiting(home, listEnabledChannels(config)) || mine?.isRunning || Date.now() < (mine?.notBefore ?? 0)) return
    const who = readLeaseHolder(getDelivererLeaseFolder(home))
    if (who === undefined || (await checkLiveness(who)) === 'dead') launchDeliverer(config)
  } catch (error) {
    process.stderr.write(`no deliverer could be started: ${error instanceof Error ? error.message : error}\n`)
  }
}

/** One that ends by a fault (its settings do not read) would do so again at once, so the next comes after half a minute. */
function launchDeliverer(config: Config): void {
  const { home, logsFolder } = config
  makePrivateFolder(logsFolder)
  const log = path.join(logsFolder, 'deliver.log')
  if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 1024 * 1024) fs.truncateSync(log)
  const env = buildSenderEnvironment(home)
  const [node, deliverer] = buildProgramCommand('bin/processes/deliver')
  const ended = startDetached(node, [deliverer], { env, log })
  deliverers.set(home, { isRunning: true, notBefore: 0 })
  ended.then(code => {
    const rest = code === 0 ? 0 : 30_000
    deliverers.set(home, { isRunning: false, notBefore: Date.now() + rest })
    // Somebody may have posted while it was on its way out, and left it to that one.
    setTimeout(() => void startDeliverer(config), rest).unref()
  })
}
