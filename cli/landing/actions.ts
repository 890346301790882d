import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { findCheckout } from '#host/git'
import {
  endLandingPause,
  getLandingFolder,
  type Landing,
  LandingQueue,
  listLandingQueues,
  readLandingPause,
  writeLandingPause,
} from '#landing'
import { readPause, wakeQueue } from '#queue'
import { findSession, type Session } from '#session'
import { UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { parseDeadline } from '../input/task-input.ts'
import { printLandingQueue } from '../output/landing-queue-view.ts'
import { formatLocalTime, print } from '../output/terminal.ts'
import { readResult } from './land.ts'
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
        entries: queue.list().filter(entry => all || isOpen(entry)),
        pause: readPause(config.home, now) ?? readLandingPause(queue.folder, now),
        isRunning: await hasLander(queue.folder),
      })),
    )
    const shown = queues.filter(({ entries, pause }) => entries.length > 0 || pause !== undefined)
    if (json) print(JSON.stringify({ queues: shown.map(({ pause = null, ...queue }) => ({ ...queue, pause })) }))
    else printLandingQueue(shown)
    return exitCodes.ok
  },

  async drop({ config, ids, json }) {
    await refuseAgent('land drop')
    if (ids.length === 0) throw new UsageError('which session? Name it', 'To see what waits: dispatch land ls')
    for (const id of ids.map(part => findWaiting(config, part))) {
      const queue = listLandingQueues(config.home).find(each => each.find(id) !== undefined)
      if (queue?.drop(id, 'a person took it out', ['waiting', 'sent back']) !== true && !forget(queue, id))
        throw new DispatchError(`session ${id} lands just now`, {
          exitCode: exitCodes.conflict,
          remedy: 'Wait for it, or end the process that lands it. `dispatch land ls` shows it.',
        })
      print(json ? JSON.stringify({ id, state: 'dropped' }) : `${id} does not wait any more. Its work stays.`)
    }
    return exitCodes.ok
  },

  async pause({ config, repo, until, json }) {
    await refuseAgent('land pause')
    const { folder } = await findQueue(config, repo)
    const now = new Date()
    const end = until === undefined ? null : parseDeadline(until, now)
    writeLandingPause(folder, { since: now.toISOString(), until: end, reason: '' })
    if (json) print(JSON.stringify({ until: end }))
    else
      print(
        `Nothing lands here${end === null ? '. To end it: dispatch land unpause' : ` until ${formatLocalTime(end)}`}`,
      )
    return exitCodes.ok
  },

  async unpause({ config, repo, json }) {
    await refuseAgent('land unpause')
    const wasPaused = endLandingPause((await findQueue(config, repo)).folder, new Date())
    wakeQueue(config.home)
    if (json) print(JSON.stringify({ wasPaused }))
    else print(wasPaused ? 'Landing goes on.' : 'It was not paused.')
    return exitCodes.ok
  },

  async run({ config, repo, json }) {
    await refuseAgent('land run')
    const queue = await findQueue(config, repo)
    const release = await becomeLander(queue.folder)
    if (release === undefined) return exitCodes.ok // Another one lands what waits.
    try {
      const say = (text: string) => void process.stderr.write(`${text}\n`)
      for await (const entry of runLander(config, queue, { askableSessions: new Set(), ignoresPause: false, say })) {
        const { session, outcome, reason } = entry
        const { landing } = outcome === 'landed' ? readResult(config, entry) : {}
        if (json) print(JSON.stringify({ id: session, outcome, commit: landing?.commit ?? null, reason }))
        else print(`${session}  ${outcome}${reason === '' ? '' : `: ${reason}`}`)
      }
    } finally {
      release()
    }
    return exitCodes.ok
  },
}

/** Exit 5 while dispatch, or landing on the repository of a session, is paused. */
export async function refuseLandingPause(config: Config, sessions: Session[], repo: string | undefined): Promise<void> {
  const now = new Date()
  const everything = readPause(config.home, now)
  const checkouts = new Set(sessions.flatMap(({ manifest }) => repo ?? manifest.repository?.path ?? []))
  const pauses = [...checkouts].map(async checkout => {
    const isThere = (await findCheckout(checkout)) !== undefined
    return isThere ? readLandingPause(await getLandingFolder(config.home, checkout), now) : undefined
  })
  const pause = everything ?? (await Promise.all(pauses)).find(each => each !== undefined)
  if (pause === undefined) return
  const until = pause.until === null ? '' : ` until ${formatLocalTime(pause.until)}`
  throw new DispatchError(`${everything ? 'dispatch' : 'landing on this repository'} is paused${until}`, {
    exitCode: exitCodes.conflict,
    remedy: `End it: dispatch ${everything ? '' : 'land '}unpause. Land all the same: --force. Have it wait: --queue`,
  })
}

// --- internal ---

/** Not ended, or ended so that a person must decide. */
function isOpen({ state, outcome }: Landing): boolean {
  return state !== 'ended' || outcome === 'needs you'
}

async function findQueue(config: Config, repo: string | undefined): Promise<LandingQueue> {
  const checkout = await findCheckout(repo ?? '.')
  if (checkout === undefined)
    throw new UsageError(`${repo ?? 'this folder'} is not a git repository with a work tree`, 'Name one: --repo DIR')
  return new LandingQueue(await getLandingFolder(config.home, checkout.path))
}

/** The id of a session that is in a queue, also if its folder is gone. Exit 4 if it does not wait. */
function findWaiting(config: Config, part: string): string {
  const waiting = listLandingQueues(config.home).flatMap(queue => queue.list().filter(isOpen))
  const matches = waiting.filter(({ session }) => session === part || session.endsWith(part))
  if (matches.length === 1 && matches[0]) return matches[0].session
  const { id } = findSession(config.workspace, part)
  if (waiting.some(({ session }) => session === id)) return id
  throw new DispatchError(`session ${id} does not wait to land`, {
    exitCode: exitCodes.notFound,
    remedy: 'To see what does: dispatch land ls',
  })
}

/** Take out what has ended, and needed a person. */
function forget(queue: LandingQueue | undefined, id: string): boolean {
  const entry = queue?.find(id)
  if (entry?.state !== 'ended') return false
  queue?.end(entry, { outcome: 'dropped', reason: 'a person took it out', error: null })
  return true
}
