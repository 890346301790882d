import path from 'node:path'
import { setImmediate as nextPoll } from 'node:timers/promises'
import type { Config } from '#host/config'
import { sanitize } from '#host/text.ts'
import { MINUTE_MS } from '#host/time.ts'
import {
  type ClaimedFile,
  claimFile,
  type DoubtfulClaim,
  findFolderProblem,
  findTracked,
  getInbox,
  getTakenFolder,
  giveBack,
  inspectTaskFile,
  keepClaim,
  listClaims,
  listPendingFolders,
  listTaskNames,
  rejectClaim,
  STILL_MS,
  Stillness,
} from '#intake'
import type { RegisteredProject } from '#projects'
import { type NewItem, wakeQueue } from '#queue'
import { NotifyOnce } from '../notify-once.ts'
import { buildInboxItem } from './inbox-item.ts'
import { notifyRefusal } from './inbox-notification.ts'
import { withQueue } from './open.ts'

/** What the looks at the inboxes of a home keep from one to the next. */
export class InboxMemory {
  readonly stillness = new Stillness()
  /** The same for what can be no task. A file with two names may be on its way from one to the other, so no event counts. */
  readonly refusals = new Stillness({ openForWriting: () => false })
  readonly told: NotifyOnce
  /** Files that are looked at again only in a thorough look, unless they change: their stamps. */
  readonly resting = new Map<string, string>()
  /** How often git was at work in a repository, in a row. */
  readonly gitWaits = new Map<string, number>()

  constructor(home: string) {
    this.told = new NotifyOnce(home, 'inbox')
  }
}

/** One look at an inbox. */
export interface InboxLook {
  config: Config
  project: RegisteredProject
  memory: InboxMemory
  /** Look also at what rests. Once a minute. */
  isThorough: boolean
  /** Ends the look early: what it has not taken stays. */
  end?: AbortSignal
  /** Gets a line for each task that was taken, and for each refusal. */
  say(line: string): void
}

/**
 * Take what is complete in an inbox, and put it into the queue. Returns in how many ms something may be complete; undefined if
 * only an event can change that. An inbox that cannot be read is told once. The caller starts the deliverer.
 */
export async function takeFromInbox(look: InboxLook): Promise<number | undefined> {
  try {
    return await take(look)
  } catch (error) {
    tell(look, getInbox(look.project.path), '', error instanceof Error ? error.message : String(error))
    return undefined
  }
}

// --- internal ---

const MAX_GIT_TRIES = 9
const FROM_GIT = 'it came with the repository: git tracks it'

async function take(look: InboxLook): Promise<number | undefined> {
  const { config, project, memory, isThorough } = look
  const inbox = getInbox(project.path)
  const problem = findFolderProblem(project.path)
  if (problem !== undefined) {
    tell(look, inbox, '', `${problem}. No task is taken from it`)
    return undefined
  }
  const pending = await listClaims(config.home, project.path)
  if (pending === undefined) return waitForGit(look)
  for (const claim of pending.claims) await takeUp(look, claim)
  for (const each of pending.doubtful) await leave(look, each)
  const { ready, restMs } = await findComplete(look)
  const tracked = ready.size === 0 ? [] : await findTracked(project.path, [...ready.keys()])
  if (tracked === undefined) return waitForGit(look)
  memory.gitWaits.delete(project.path)
  let isChanging = false
  for (const [name, stamp] of ready) {
    if (look.end?.aborted) return undefined
    const file = path.join(inbox, name)
    // Git may forget what it brought, such as by `git reset`, and the file stays as it came.
    if (tracked.includes(name) || memory.told.wasTold(file, stamp, FROM_GIT)) refuse(look, name, FROM_GIT)
    else if (inspectTaskFile(project.path, name).stamp !== stamp) isChanging = true
    else {
      const claim = claimFile(config.home, project.path, name)
      if (claim !== undefined) await enqueue(look, claim)
    }
  }
  if (isThorough) forget(look)
  return isChanging ? 0 : restMs
}

/** Which names are complete, with their stamps, and when the next may be. What can never be a task is told once it has stayed as it is. */
async function findComplete(look: InboxLook): Promise<{ ready: Map<string, string>; restMs: number | undefined }> {
  const { project, memory, isThorough } = look
  const seen = listTaskNames(project.path).map(name => ({ name, ...inspectTaskFile(project.path, name) }))
  // A write comes with an event, which is there before the size that it has changed. After two polls it has been noted.
  if (seen.length > 0) for (let poll = 0; poll < 2; poll++) await nextPoll()
  const ready = new Map<string, string>()
  const rests: number[] = []
  for (const each of seen) {
    const file = path.join(getInbox(project.path), each.name)
    const isResting = memory.resting.get(file) === each.stamp
    if (each.kind === 'nothing yet' || (isResting && !isThorough)) continue
    const restMs =
      each.kind === 'refused'
        ? memory.refusals.getRestMs(file, `${each.stamp} ${each.reason}`, performance.now())
        : memory.stillness.getRestMs(file, each.stamp, performance.now())
    if (restMs > 0) rests.push(restMs)
    else if (each.kind === 'refused') refuse(look, each.name, each.reason)
    else ready.set(each.name, each.stamp)
  }
  return { ready, restMs: rests.length > 0 ? Math.min(...rests) : undefined }
}

/** Git at work for a minute is more likely a lock that a dead git has left. */
function waitForGit(look: InboxLook): number {
  const { project, memory } = look
  const waits = (memory.gitWaits.get(project.path) ?? 0) + 1
  memory.gitWaits.set(project.path, waits)
  if (waits > MAX_GIT_TRIES)
    tell(
      look,
      getInbox(project.path),
      '',
      'git has been at work in the repository for a minute: it has an index.lock, or no index. If no git runs there, remove .git/index.lock',
    )
  return Math.min(MINUTE_MS, STILL_MS * 2 ** (waits - 1))
}

/** Go on with a claim of a process that has ended. It may be in the queue. */
async function takeUp(look: InboxLook, claim: ClaimedFile): Promise<void> {
  const item = await withQueue(look.config, queue => queue.find(claim.key))
  if (item === undefined) await enqueue(look, claim)
  else keepClaim(claim, item.id)
}

/** What may be a claim, and may have come with the repository, stays as it is. It is told unless it is in the queue. */
async function leave(look: InboxLook, { folder, key, reason }: DoubtfulClaim): Promise<void> {
  if (look.memory.told.isDone(folder, '', reason)) return
  const item = await withQueue(look.config, queue => queue.find(key))
  if (item === undefined) tell(look, folder, '', reason)
}

async function enqueue(look: InboxLook, claim: ClaimedFile): Promise<void> {
  const { config, project, memory, say } = look
  const built = await buildInboxItem(config, claim).catch(toObstacle)
  if ('fault' in built) {
    tell(look, path.join(getInbox(project.path), claim.name), claim.stamp, built.fault)
    rejectClaim(claim, built.fault)
    return
  }
  const added = 'obstacle' in built ? built : await add(config, built.item)
  if (typeof added !== 'string') {
    const file = path.join(getInbox(project.path), giveBack(claim))
    memory.resting.set(file, claim.stamp)
    tell(look, file, claim.stamp, `nothing can start there now: ${added.obstacle}`)
    return
  }
  keepClaim(claim, added)
  wakeQueue(config.home)
  say(sanitize(`${added}: ${project.name}, ${claim.name}`))
}

/** The id of the item; or what keeps the queue from taking it. */
async function add(config: Config, item: NewItem): Promise<string | { obstacle: string }> {
  try {
    const [id = ''] = await withQueue(config, queue => queue.enqueue([item]))
    return id
  } catch (error) {
    return toObstacle(error)
  }
}

function toObstacle(error: unknown): { obstacle: string } {
  return { obstacle: error instanceof Error ? error.message : String(error) }
}

/** A file that stays where it is, and is not taken. */
function refuse(look: InboxLook, name: string, reason: string): void {
  const { project, memory } = look
  const file = path.join(getInbox(project.path), name)
  const { stamp } = inspectTaskFile(project.path, name)
  memory.resting.set(file, stamp)
  tell(look, file, stamp, reason)
}

function tell({ config, project, memory, say }: InboxLook, file: string, stamp: string, reason: string): void {
  memory.told.tell(file, stamp, reason, (id, at) => {
    const isWholeInbox = file === getInbox(project.path)
    notifyRefusal(config, { project: project.name, file, isWholeInbox, reason }, id, at)
    say(sanitize(`${project.name}: ${file}: ${reason}`))
  })
}

/** Forget files that are gone. */
function forget({ config, project, memory }: InboxLook): void {
  memory.told.keep(getTakenFolder(project.path), new Set(listPendingFolders(config.home, project.path)))
  const inbox = getInbox(project.path)
  const known = new Set(listTaskNames(project.path).map(name => path.join(inbox, name)))
  for (const each of [memory.told, memory.stillness, memory.refusals]) each.keep(inbox, known)
  for (const file of memory.resting.keys())
    if (file.startsWith(`${inbox}/`) && !known.has(file)) memory.resting.delete(file)
}
