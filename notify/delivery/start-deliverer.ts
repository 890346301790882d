import fs from 'node:fs'
import path from 'node:path'
import { buildProgramCommand, type Config } from '#host/config'
import { startDetached } from '#host/exec.ts'
import { makePrivateFolder } from '#host/fs'
import { isLeaseFree } from '#host/lease'
import { SECOND_MS } from '#host/time.ts'
import { buildSenderEnvironment } from '../child-env.ts'
import { listEnabledChannels } from '../outbox.ts'
import { delivererLeaseOptions, getDelivererLeaseFolder, hasWaiting } from './deliverer.ts'

/** The deliverers that this process started, by home; their rests by `performance.now()`. */
const deliverers = new Map<string, { isRunning: boolean; notBeforeMs: number }>()

/** A deliverer that fails, for example because of a wrong setting, would fail again at once. */
const RESTART_PAUSE_MS = 30 * SECOND_MS
const MAX_LOG_BYTES = 1024 * 1024

/**
 * Start a deliverer if something waits and none is running. Never rejects, and callers need not wait for it. If two start at
 * the same time, the lease lets one of them work.
 */
export async function startDeliverer(config: Config): Promise<void> {
  try {
    const { home } = config
    const started = deliverers.get(home)
    if (!hasWaiting(home, listEnabledChannels(config))) return
    if (started?.isRunning || performance.now() < (started?.notBeforeMs ?? 0)) return
    if (await isLeaseFree(getDelivererLeaseFolder(home), delivererLeaseOptions)) launchDeliverer(config)
  } catch (error) {
    process.stderr.write(`the deliverer could not be started: ${error instanceof Error ? error.message : error}\n`)
  }
}

// --- internal ---

function launchDeliverer(config: Config): void {
  const { home, logsFolder } = config
  makePrivateFolder(logsFolder)
  const log = path.join(logsFolder, 'deliver.log')
  if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) fs.truncateSync(log)
  const [node, program] = buildProgramCommand('bin/processes/deliver')
  const ended = startDetached(node, [program], { env: buildSenderEnvironment(home), log })
  deliverers.set(home, { isRunning: true, notBeforeMs: 0 })
  ended.then(exitCode => {
    const pauseMs = exitCode === 0 ? 0 : RESTART_PAUSE_MS
    deliverers.set(home, { isRunning: false, notBeforeMs: performance.now() + pauseMs })
    // Something may have been queued while this deliverer was about to end.
    setTimeout(() => void startDeliverer(config), pauseMs).unref()
  })
}
