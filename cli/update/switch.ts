import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import {
  buildDispatchCommand,
  getVersionFolder,
  readCode,
  readRunningDaemon,
  readVersionChoice,
  writeVersionChoice,
} from '#host/installed-code'
import { readLogTail } from '#host/log-file.ts'
import { sanitize } from '#host/text.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { isServiceInstalled } from '#host/user-service'
import { findDaemon } from '#watchdog'
import { findRunningServer, readHealth } from '#webui'
import { withQueue } from '../queue/open.ts'

/**
 * Have everything that starts from now on run another version, and start the daemon and the page again if one of them runs. If they
 * do not work with it, all is switched back, and exit 6 says why. A signal does not end this half way.
 */
export async function switchVersion(name: string, config: Config, say: (text: string) => void): Promise<void> {
  const { cloneFolder } = config
  const before = readVersionChoice(cloneFolder)
  const isRunning =
    (await findDaemon(config.home)) !== undefined || (await findRunningServer(config.home)) !== undefined
  if (isRunning) await waitForStarts(config)
  say(`switching to ${name}`)
  writeVersionChoice(cloneFolder, { current: name, previous: before.current })
  if (!isRunning) return
  say('starting the daemon and the page again; sessions go on')
  const problem = await restart(getVersionFolder(cloneFolder, name), config)
  if (problem === undefined) return
  say(`it does not work: switching back to ${before.current}`)
  writeVersionChoice(cloneFolder, before)
  const problemBefore = await restart(getVersionFolder(cloneFolder, before.current), config)
  const lines = (readLogTail(config.logsFolder, 'daemon', LOG_LINES) ?? [])
    .map(line => `\n  | ${sanitize(line)}`)
    .join('')
  throw new DispatchError(`the daemon and the page do not work with ${name}: ${problem}${lines}`, {
    exitCode: exitCodes.dependency,
    remedy:
      problemBefore === undefined
        ? `Dispatch is as it was before: ${before.current} runs again.`
        : `Switched back to ${before.current}, which does not start either: ${problemBefore}. To see why: dispatch doctor`,
  })
}

// --- internal ---

const RESTART_TIMEOUT_MS = 2 * MINUTE_MS
const HEALTH_TIMEOUT_MS = 45 * SECOND_MS
const START_TIMEOUT_MS = MINUTE_MS
const POLL_MS = 200
const LOG_LINES = 8

/** Start the daemon and the page with the code in a folder. Returns why they do not work; undefined if they do. */
async function restart(folder: string, config: Config): Promise<string | undefined> {
  const [node, program] = buildDispatchCommand(folder)
  const command = isServiceInstalled(config.home) ? ['service', 'restart'] : ['daemon', '--restart']
  const ran = await runProgram(node, [program, ...command], { timeoutMs: RESTART_TIMEOUT_MS })
  if (ran.exitCode !== 0)
    return ran.timedOut ? 'the restart ran out of time' : ran.stderr.trim() || `exit ${ran.exitCode ?? ran.signal}`
  const endMs = Date.now() + HEALTH_TIMEOUT_MS
  for (;;) {
    const problem = await findProblem(folder, config)
    if (problem === undefined || Date.now() >= endMs) return problem
    await sleep(POLL_MS)
  }
}

/** Does the daemon run the code in this folder, and does the page name that very process? Returns what is not so. */
async function findProblem(folder: string, { home, WEBUI_PORT }: Config): Promise<string | undefined> {
  const { version } = readCode(folder, true)
  const pid = await findDaemon(home)
  const daemon = readRunningDaemon(home)
  if (pid === undefined || daemon?.process.pid !== pid) return 'the daemon does not run'
  if (daemon.code.install !== folder) return `the daemon runs the code in ${daemon.code.install}`
  if (WEBUI_PORT === 0) return undefined
  const health = await readHealth(home)
  if (health === undefined) return 'the page does not answer'
  if (health.version !== version) return `the page runs ${health.version}`
  return health.daemon?.pid === pid ? undefined : 'the page names another daemon'
}

/** A start from the queue takes seconds. It is not cut off if it comes to its end soon. */
async function waitForStarts(config: Config): Promise<void> {
  for (const endMs = Date.now() + START_TIMEOUT_MS; Date.now() < endMs; await sleep(POLL_MS))
    if ((await withQueue(config, queue => queue.list(['starting']))).length === 0) return
}
