import { buildChildEnvironment, buildProgramCommand, type Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { checkLiveness } from '#host/process'
import { DAY_MS } from '#host/time.ts'
import { chooseNext, type Landing, type LandingQueue, listLandingQueues } from '#landing'
import { listProjects, type RegisteredProject } from '#projects'
import { listOpenSessions } from '#session/search-index'
import type { SessionView } from '#session/status'
import { withQueue } from '../queue/open.ts'
import { buildEntry } from './enqueue.ts'
import { findTargetBranch } from './land-one.ts'
import { findLanded, hasLander, isLandingPaused, toDispatchError } from './lander.ts'
import { notifyEnded } from './notice.ts'

/** What the daemon keeps from one look to the next. */
export interface LandingWatch {
  /** The landers that it has started, by the folder of their queue. */
  landers: Map<string, Promise<void>>
  /** Sessions that cannot be put in by themselves, and were told. */
  refused: Set<string>
}

/**
 * One look at the landings: put in what lands by itself, start a lander where something waits and none lives, and notify about what has
 * ended.
 */
export async function keepLanding(config: Config, watch: LandingWatch, say: (text: string) => void): Promise<void> {
  await addAutomatic(config, watch, say)
  for (const queue of listLandingQueues(config.home)) {
    await notifyEnded(config, queue)
    if (watch.landers.has(queue.folder) || !(await needsLander(config, queue))) continue
    if (await hasLander(queue.folder)) continue
    const [entry] = queue.list().filter(({ state }) => state !== 'ended')
    if (entry === undefined) continue
    const running = runLanderProcess(config, entry.checkout, say).finally(() => watch.landers.delete(queue.folder))
    watch.landers.set(queue.folder, running)
  }
}

/** Does something wait that can land now, or did a lander leave something behind? Not what a living command waits for: it lands that. */
export async function needsLander(config: Config, queue: LandingQueue): Promise<boolean> {
  const open = queue.list().filter(({ state }) => state !== 'ended')
  if (open.length === 0 || isLandingPaused(config, queue)) return false
  if (open.some(({ state }) => state === 'landing')) return true
  if (await hasEndedRetry(config, open)) return true
  const unattended: Landing[] = []
  for (const entry of queue.list())
    if (entry.attendedBy === null || (await checkLiveness(entry.attendedBy)) === 'dead') unattended.push(entry)
  return chooseNext(unattended, findLanded(config, queue), new Date()) !== undefined
}

// --- internal ---

async function hasEndedRetry(config: Config, open: Landing[]): Promise<boolean> {
  const sentBack = open.filter(({ state }) => state === 'sent back')
  if (sentBack.length === 0) return false
  const items = await withQueue(config, queue => Promise.all(sentBack.map(each => queue.find(each.retryItem ?? ''))))
  return items.some(item => item === undefined || ['done', 'needs you', 'cancelled'].includes(item.state))
}

/** `dispatch land run` as a process of its own. It goes on if the daemon ends. */
async function runLanderProcess(config: Config, checkout: string, say: (text: string) => void): Promise<void> {
  const [program = '', ...args] = buildProgramCommand('bin/dispatch')
  say(`lands what waits for ${checkout}`)
  const ran = await runProgram(program, [...args, 'land', 'run', '--repo', checkout, '--json'], {
    cwd: config.home,
    env: buildChildEnvironment(config),
    timeoutMs: MAX_LANDER_MS,
  })
  for (const line of ran.stdout.split('\n').filter(Boolean)) say(`landing: ${line}`)
  if (ran.exitCode !== 0) say(`landing on ${checkout}: ${ran.stderr.trim() || ran.signal || ran.exitCode}`)
}

const MAX_LANDER_MS = DAY_MS

/** Put in each session with a PASS whose project lands by itself, if it began after that was said. */
async function addAutomatic(config: Config, { refused }: LandingWatch, say: (text: string) => void): Promise<void> {
  const projects = listProjects(config.home).filter(({ landing }) => landing !== null)
  if (projects.length === 0) return
  const views = await listOpenSessions(config, { orSince: new Date(Date.now() - DAY_MS).toISOString() })
  const entries = listLandingQueues(config.home).flatMap(queue => queue.list())
  const known = new Set(entries.flatMap(({ session, retryItem }) => [session, retryItem]))
  for (const { session, status, state } of views) {
    const project = projects.find(({ path }) => path === session.manifest.repository?.path)
    const isProved = status.verdict?.isFinal && state === 'PASS' && status.landed.length === 0
    if (!isProved || project === undefined || project.landing === null || refused.has(session.id)) continue
    if (known.has(session.id) || known.has(session.manifest.queueItem?.item ?? '')) continue
    if (session.manifest.openedAt < project.landing.since) continue
    try {
      await addSession(config, session, project)
      say(`${session.id} waits to land on ${project.targetBranch ?? 'its branch'}`)
    } catch (thrown) {
      refused.add(session.id)
      say(`${session.id} does not land by itself: ${toDispatchError(thrown).message}`)
    }
  }
}

/** Only onto the branch of the project: work that began on another one may build on what is not there. */
async function addSession(
  config: Config,
  session: SessionView['session'],
  { landing, path, targetBranch }: RegisteredProject,
): Promise<void> {
  if (landing === null) return
  const { method, author } = landing
  const { branch } = await findTargetBranch(session, path, undefined)
  if (targetBranch !== null && branch !== targetBranch)
    throw new DispatchError(`it began on ${branch}, and the project lands on ${targetBranch}`, {
      exitCode: exitCodes.conflict,
      remedy: '',
    })
  const wish = { method, author, attendedBy: null, sendsBack: true, into: undefined, repo: path, after: [] }
  const { queue, entry } = await buildEntry(config, session, wish)
  queue.add(entry)
}
