import fs from 'node:fs'
import path from 'node:path'
import { buildChildEnvironment, buildProgramCommand, type Config, readConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { identify } from '#host/process'
import { isSqliteError } from '#host/sqlite.ts'
import { toOneLine } from '#host/text.ts'
import { MINUTE_MS } from '#host/time.ts'
import { type Claim, type Item, type Queue, type Room, readPause } from '#queue'
import { findSession, type Session } from '#session'
import { readLog } from '#session/log'
import { listOpenSessions } from '#session/search-index'
import { computeStatus } from '#session/status'
import { CLAIM_VARIABLE, findStarted } from './claim.ts'
import { closeLongestFinished } from './free-memory.ts'
import { findRoom, listCapabilities } from './load.ts'
import { notifyNeeds } from './needs-notifications.ts'
import { withQueue } from './open.ts'
import { decideFailedStart, settleEnded } from './settle.ts'
import { notifyStops } from './stop-notifications.ts'

/**
 * One look at the queue: settle what has ended, take up what another process left, and claim what may start now. Returns the
 * starts, which go on. `say` gets a line for each change.
 */
export async function runQueue(config: Config, say: (line: string) => void): Promise<Promise<void>[]> {
  const claims = await withQueue(config, async queue => {
    for (const line of await settleEnded(config, queue)) say(line)
    for (const item of await takeUp(config, queue)) say(`${item}: waits again, the start was interrupted`)
    await notifyNeeds(config, queue).catch(error => say(describeUnwritten(error)))
    return claimNext(config, queue, say)
  })
  return claims.map(claim => startSession(config, claim, say))
}

/**
 * Take up what was starting when its process ended, and with `isHostGone` also what another machine was starting. Returns the ids of the
 * items that wait again, because they have no session.
 */
export async function takeUp(config: Config, queue: Queue, { isHostGone = false } = {}): Promise<string[]> {
  if ((await queue.list(['starting'])).length === 0) return []
  const leftOut: { session: Session }[] = []
  const onLeftOut = (id: string) => void leftOut.push({ session: findSession(config.workspace, id) })
  const views = await listOpenSessions(config, { onLeftOut })
  const all = [...views, ...leftOut] // Also one that cannot be compared now has started.
  const released = await queue.releaseAbandoned(fence => findStarted(all, fence), { isHostGone })
  return released.map(({ item }) => item)
}

/**
 * Options by which the next attempt is told what came of the one before, unless that was removed since. One that never started has
 * nothing to tell but what it was told itself.
 */
export function buildRetryOptions({ previousSessionId }: Pick<Item, 'previousSessionId'>, workspace: string): string[] {
  if (previousSessionId === null || !fs.existsSync(path.join(workspace, previousSessionId))) return []
  const { paths, manifest } = findSession(workspace, previousSessionId)
  const hasStarted = computeStatus(readLog(paths.events).events).phase !== 'failed'
  return hasStarted || manifest.retryOf !== null ? ['--retry', previousSessionId] : []
}

/** Its options. The branch that is checked out now may lack the folder in which the task was given: then it starts at the top. */
export function placeOptions({ options, repository }: Pick<Item, 'options' | 'repository'>): string[] {
  return options.map((option, at) =>
    options[at - 1] === '--repo' && repository !== null && !fs.existsSync(option) ? repository : option,
  )
}

/** Why a start was refused, with its remedy: the last message in its errors, and no notice before it. Empty without a word. Pure. */
export function readRefusal(errors: string): string {
  const lines = errors.split('\n').filter(line => line.trim() !== '' && !/^ +at /.test(line))
  const first = Math.max(
    0,
    lines.findLastIndex(line => line.startsWith(MESSAGE_START)),
  )
  const [message = '', ...rest] = lines.slice(first).map(line => line.trim())
  const join = (text: string, line: string) => `${text}${/[.:;,!?]$/.test(text) ? '' : '.'} ${line}`
  return toOneLine(rest.reduce(join, message.replace(MESSAGE_START, '')), MAX_REASON_CHARS)
}

// --- internal ---

const MESSAGE_START = 'dispatch: '
const MAX_REASON_CHARS = 600

/** The command waits for the first answer for START_TIMEOUT_SEC; this is for one that hangs. */
const MAX_START_MS = 30 * MINUTE_MS

async function claimNext(config: Config, queue: Queue, say: (line: string) => void): Promise<Claim[]> {
  const waiting = await queue.list(['waiting'])
  const room = waiting.length === 0 || !canReadSettings() ? undefined : await findRoom(config, queue)
  await notifyStops(config, queue, { waiting, room, now: new Date() }).catch(error => say(describeUnwritten(error)))
  if (room === undefined) return []
  const { slots, roomByRepository, defaultRoom } = room
  if (room.lacksMemory && waiting.some(item => mayStart(item, room, config))) {
    const closed = await closeLongestFinished(config, await listOpenSessions(config))
    if (closed !== undefined) say(`closed ${closed}, which has its verdict: the next item needs its memory`)
  }
  const process_ = await identify(process.pid)
  if (slots === 0 || process_ === undefined) return []
  return queue.claim({
    process: process_,
    capabilities: listCapabilities(config),
    slots,
    roomByRepository,
    defaultRoom,
  })
}

/** Is memory all that the item waits for? What it comes after is not looked at. */
function mayStart(item: Item, room: Room, config: Config): boolean {
  const isDue = item.notBefore === null || Date.parse(item.notBefore) <= Date.now()
  const hasRoom = (room.roomByRepository[item.repository ?? ''] ?? room.defaultRoom) > 0
  const capabilities = listCapabilities(config)
  return isDue && hasRoom && item.needs.every(need => capabilities.includes(need))
}

/** A start reads `.env` itself. While that has a mistake, which is in the log, it would be refused. */
function canReadSettings(): boolean {
  try {
    readConfig()
    return true
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return false
  }
}

/** The next look tries it again. What waits is not kept by it. */
function describeUnwritten(error: unknown): string {
  if (isSqliteError(error)) throw error
  return `a notification could not be queued: ${error instanceof Error ? error.message : error}`
}

/** Run `dispatch` for it, as a person would. It has no terminal, so it asks nothing. */
async function startSession(config: Config, claim: Claim, say: (line: string) => void): Promise<void> {
  const { item, attempt, work } = claim
  const [program = '', ...args] = buildProgramCommand('bin/dispatch')
  const ran = await runProgram(
    program,
    [...args, '-', '--json', ...placeOptions(work), ...buildRetryOptions(work, config.workspace)],
    {
      cwd: config.home,
      env: { ...buildChildEnvironment(), [CLAIM_VARIABLE]: JSON.stringify({ item, attempt }) },
      input: work.task,
      timeoutMs: MAX_START_MS,
    },
  )
  if (ran.exitCode === 0) return say(`${item}: started ${readId(ran.stdout)}`)
  const message = readRefusal(ran.stderr) || `its start ended with ${ran.signal ?? `exit ${ran.exitCode}`}`
  const now = new Date()
  // It may have been killed when there was a session already, which goes on. Another one would do the work twice.
  const open = (await listOpenSessions(config)).filter(
    ({ status }) => status.closed === undefined && status.phase !== 'failed',
  )
  const started = findStarted(open, claim)
  if (started !== undefined && (await withQueue(config, queue => queue.start(claim, started))) === 'held')
    return say(`${item}: started ${started}, but: ${message}`)
  const result = await withQueue(config, async queue => {
    if ((await queue.find(item))?.state === 'running') return 'stale' // Its session says how it ended.
    return queue.settle(
      claim,
      decideFailedStart(ran.exitCode, message, { now, isPaused: readPause(config.home, now) !== undefined }),
    )
  })
  say(`${item}: not started${result === 'stale' ? '' : `, ${message}`}`)
}

function readId(json: string): string {
  try {
    return String((JSON.parse(json) as { id: unknown }).id)
  } catch {
    return ''
  }
}
