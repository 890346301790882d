import path from 'node:path'
import { buildChildEnvironment, buildProgramCommand, type Config } from '#host/config'
import { startDetached } from '#host/exec.ts'
import { makePrivateFolder } from '#host/fs'
import { rotateLog } from '#host/log-file.ts'
import { checkLiveness } from '#host/process'
import { MINUTE_MS } from '#host/time.ts'
import { chooseNextLanding, type Landing, type LandingQueue, listLandingQueues } from '#landing'
import type { SessionView } from '#session/status'
import { withQueue } from '../queue/open.ts'
import { addAutomatic } from './automatic.ts'
import { listBlocked } from './blocked-entries.ts'
import { findLanded, hasLander, isLandingPaused } from './lander.ts'
import { hasRetry, isRetryOver } from './new-attempt.ts'
import { notifyLandings } from './notifications.ts'

/** What the daemon keeps from one look to the next. */
export interface LandingWatch {
  /** The landers that it has started, by the folder of their queue: until when no other one is started, by `performance.now()`. */
  landers: Map<string, number>
  /** When the last entry had ended whose notification was written, by the folder of the queue. */
  notifiedMs: Map<string, number>
}

/**
 * One look at the landings: put in what lands by itself, start a lander where something waits and none lives, and notify about what has
 * ended. What goes wrong with one repository keeps no other. `views`: the sessions that are open or have ended of late, if they were
 * listed. `isThorough`: look further back for what lands by itself.
 */
export async function keepLanding(
  config: Config,
  { landers, notifiedMs }: LandingWatch,
  { views, isThorough, say }: { views: SessionView[] | undefined; isThorough: boolean; say: (text: string) => void },
): Promise<void> {
  const report = (error: unknown) => say(`landing: ${error instanceof Error ? error.message : error}`)
  await addAutomatic(config, isThorough ? undefined : views, say).catch(report)
  for (const queue of listLandingQueues(config.home)) {
    const endedMs = queue.readLastEndMs()
    const isNew = isThorough || notifiedMs.get(queue.folder) !== endedMs
    if (isNew) await notifyLandings(config, queue).then(() => notifiedMs.set(queue.folder, endedMs), report)
    if ((landers.get(queue.folder) ?? 0) > performance.now()) continue
    const isNeeded = await needsLander(config, queue, isThorough).catch(report)
    try {
      if (isNeeded && !(await hasLander(queue.folder))) startLander(config, queue, landers, say)
    } catch (error) {
      landers.set(queue.folder, performance.now() + LANDER_REST_MS) // As for one that ended at once.
      report(error)
    }
  }
}

/** Does something wait that can land now, or did a lander leave something behind? Not what a living command waits for: it lands that. */
export async function needsLander(config: Config, queue: LandingQueue, isThorough = true): Promise<boolean> {
  const open = queue.listOpen()
  if (open.length === 0 && !isThorough) return false
  if (isLandingPaused(config, queue)) return false
  if (open.some(({ state }) => state === 'landing')) return true
  if (await hasEndedRetry(config, isThorough ? queue.list() : open)) return true
  const unattended: Landing[] = []
  for (const entry of open)
    if (entry.attendedBy === null || (await checkLiveness(entry.attendedBy)) !== 'alive') unattended.push(entry)
  if (isThorough && (await listBlocked(config, unattended)).length > 0) return true
  return chooseNextLanding(unattended, findLanded(config, unattended), new Date()) !== undefined
}

// --- internal ---

/** A lander that ends at once would be started at every look. */
const LANDER_REST_MS = MINUTE_MS

async function hasEndedRetry(config: Config, entries: Landing[]): Promise<boolean> {
  const retried = entries.filter(hasRetry)
  if (retried.length === 0) return false
  const items = await withQueue(config, queue => Promise.all(retried.map(each => queue.find(each.retryItem ?? ''))))
  return retried.some((entry, index) => isRetryOver(entry, items[index]))
}

/** `dispatch land run` as a process of its own, which outlives the daemon. */
function startLander(
  config: Config,
  { folder }: LandingQueue,
  landers: LandingWatch['landers'],
  say: (text: string) => void,
): void {
  const [program = '', ...args] = buildProgramCommand('bin/dispatch')
  const name = path.basename(folder)
  makePrivateFolder(config.logsFolder)
  const log = path.join(config.logsFolder, 'landing.log')
  rotateLog(log)
  say(`starts to land what waits in ${name}; see ${log}`)
  const lander = startDetached(program, [...args, 'land', 'run', name], { env: buildChildEnvironment(), log })
  landers.set(folder, Number.POSITIVE_INFINITY)
  void lander.then(code => {
    landers.set(folder, code === 0 ? 0 : performance.now() + LANDER_REST_MS)
    if (code !== 0) say(`the landing in ${name} ended with exit ${code}; see ${log}`)
  })
}
