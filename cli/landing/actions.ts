import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { findCheckout } from '#host/git'
import { endPauseFile, readPauseFile, writePauseFile } from '#host/pause-file.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { getLandingFolder, type Landing, LandingQueue, listLandingQueues } from '#landing'
import { readPause } from '#queue'
import { findSession, type Session } from '#session'
import { wakeDaemon } from '../background.ts'
import { UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { parseFutureTime } from '../input/task-input.ts'
import { printLandingQueue } from '../output/landing-queue-view.ts'
import { formatLocalTime, print } from '../output/terminal.ts'
import { becomeLander, hasLander, runLander } from './lander.ts'

/** What was typed after `dispatch land <action>`. */
interface ActionRequest {
  config: Config
  ids: string[]
  repo: string | undefined
  until: string | undefined
  all: boolean
  json: boolean
}

/** The actions of `dispatch land` beside landing. Exit 2 without a repository, 4 for a session that does not wait. */
export const landingActions: Record<string, (request: ActionRequest) => Promise<ExitCode>> = {
  async ls({ config, all, json }) {
    const now = new Date()
    const queues = await Promise.all(
      listLandingQueues(config.home).map(async queue => ({
        checkout: queue.readCheckout() ?? null,
        entries: queue.list().filter(entry => all || isOpen(entry)),
        pause: readPause(config.home, now) ?? readPauseFile(queue.pauseFile, now) ?? null,
        isRunning: await hasLander(queue.folder),
      })),
    )
    const shown = queues.filter(({ entries, pause }) => entries.length > 0 || pause !== null)
    if (json) print(JSON.stringify({ queues: shown }))
    else printLandingQueue(shown)
    return exitCodes.ok
  },

  async drop({ config, ids, json }) {
    await refuseAgent('land drop')
    if (ids.length === 0) throw new UsageError('which session? Name it', 'To see what waits: dispatch land ls')
    for (const part of ids) {
      const { queue, entry } = findWaiting(config, part)
      const id = entry.session
      if (entry.state === 'ended') queue.end(entry, { outcome: 'dropped', reason: DROP_REASON, error: null })
      else if (!queue.drop(id, DROP_REASON))
        throw new DispatchError(`session ${id} lands just now`, {
          exitCode: exitCodes.conflict,
          remedy: 'Wait for it, or end the process that lands it. `dispatch land ls` shows it.',
        })
      const goesOn = entry.state === 'sent back' ? entry.retryItem : null
      if (json) print(JSON.stringify({ id, state: 'dropped', retryItem: goesOn }))
      else print(`${id} does not wait any more. Its work stays.`)
      if (goesOn !== null && !json) print(`Its new attempt goes on. To take that out too: dispatch queue rm ${goesOn}`)
    }
    return exitCodes.ok
  },

  async pause({ config, repo, until, json }) {
    await refuseAgent('land pause')
    const { queue, checkout } = await findQueue(config, repo)
    const now = new Date()
    const end = until === undefined ? null : parseFutureTime(until, '--until', now)
    queue.writeCheckout(checkout)
    writePauseFile(queue.pauseFile, { since: now.toISOString(), until: end, reason: '' })
    const rest = end === null ? '. To end it: dispatch land unpause' : ` until ${formatLocalTime(end)}`
    print(json ? JSON.stringify({ checkout, until: end }) : `Nothing lands on ${checkout}${rest}`)
    return exitCodes.ok
  },

  async unpause({ config, repo, json }) {
    await refuseAgent('land unpause')
    const { queue, checkout } = await findQueue(config, repo)
    const now = new Date()
    const wasPaused = endPauseFile(queue.pauseFile, now)
    const isPaused = readPause(config.home, now) !== undefined // Everything is, and with it landing here.
    await wakeDaemon(config)
    if (json) print(JSON.stringify({ checkout, wasPaused, isPaused }))
    else if (!wasPaused) print(`Landing on ${checkout} was not paused.`)
    else if (!isPaused) print(`Landing on ${checkout} goes on.`)
    if (isPaused && !json) print('Nothing lands, because dispatch is paused. To end that: dispatch unpause')
    return exitCodes.ok
  },

  /** The daemon names the folder of the queue, because a checkout may be gone. */
  async run({ config, repo, json, ids: [name, ...others] }) {
    await refuseAgent('land run')
    const named = listLandingQueues(config.home).find(({ folder }) => path.basename(folder) === name)
    if (others.length > 0 || (name !== undefined && named === undefined))
      throw new UsageError('land run takes no session', 'To land one: dispatch land <sid>')
    const queue = named ?? (await findQueue(config, repo)).queue
    const release = await becomeLander(queue.folder)
    if (release === undefined) return exitCodes.ok // Another one lands what waits.
    try {
      const say = (text: string) => void process.stderr.write(`${text}\n`)
      for await (const { session, outcome, reason } of runLander(config, queue, { askableSessions: new Set(), say }))
        if (json) print(JSON.stringify({ id: session, outcome, reason }))
        else print(`${new Date().toISOString()} ${session}  ${outcome}${reason === '' ? '' : `: ${reason}`}`)
    } finally {
      release()
    }
    return exitCodes.ok
  },
}

/** Exit 5 while dispatch, or landing on the repository of a session, is paused. */
export async function refuseLandingPause(
  config: Config,
  sessions: Session[],
  { repo, mayQueue }: { repo: string | undefined; mayQueue: boolean },
): Promise<void> {
  const now = new Date()
  const everything = readPause(config.home, now)
  const checkouts = new Set(sessions.flatMap(({ manifest }) => repo ?? manifest.repository?.path ?? []))
  const pauses = [...checkouts].map(async checkout => {
    if ((await findCheckout(checkout)) === undefined) return undefined
    const queue = new LandingQueue(await getLandingFolder(config.home, checkout))
    const pause = readPauseFile(queue.pauseFile, now)
    return pause && { ...pause, command: `land unpause --repo ${quoteForShell(checkout)}` }
  })
  const pause =
    (everything && { ...everything, command: 'unpause' }) ??
    (await Promise.all(pauses)).find(each => each !== undefined)
  if (pause === undefined) return
  const until = pause.until === null ? '' : ` until ${formatLocalTime(pause.until)}`
  throw new DispatchError(`${everything ? 'dispatch' : 'landing on this repository'} is paused${until}`, {
    exitCode: exitCodes.conflict,
    remedy: `End it: dispatch ${pause.command}. Land all the same: --force${mayQueue ? '. Have it wait: --queue' : ''}`,
  })
}

// --- internal ---

const DROP_REASON = 'a person took it out'

/** Not ended, or ended so that a person must decide. */
function isOpen({ state, outcome }: Landing): boolean {
  return state !== 'ended' || outcome === 'needs you'
}

async function findQueue(config: Config, repo: string | undefined): Promise<{ queue: LandingQueue; checkout: string }> {
  const checkout = await findCheckout(repo ?? '.')
  if (checkout === undefined)
    throw new UsageError(`${repo ?? 'this folder'} is not a git repository with a work tree`, 'Name one: --repo DIR')
  return { queue: new LandingQueue(await getLandingFolder(config.home, checkout.path)), checkout: checkout.path }
}

/** A session that is in a queue, also if its folder is gone. Exit 4 if it is not. */
function findWaiting(config: Config, part: string): { queue: LandingQueue; entry: Landing } {
  const waiting = listLandingQueues(config.home).flatMap(queue =>
    queue
      .list()
      .filter(isOpen)
      .map(entry => ({ queue, entry })),
  )
  const isNamed = (id: string) => id === part || id.endsWith(part)
  const [found, ...others] = waiting.filter(({ entry }) => isNamed(entry.session))
  if (found && others.every(({ entry }) => entry.session === found.entry.session)) return found
  const { id } = findSession(config.workspace, part)
  throw new DispatchError(`session ${id} does not wait to land`, {
    exitCode: exitCodes.notFound,
    remedy: 'To see what does: dispatch land ls',
  })
}
