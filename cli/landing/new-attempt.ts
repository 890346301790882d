import fs from 'node:fs'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import type { Landing, LandingQueue } from '#landing'
import { type Item, wakeQueue } from '#queue'
import { findSession } from '#session'
import { requirePass } from '#session/landing'
import { readView } from '#session/status'
import { readStatus } from '../input/session.ts'
import { withQueue } from '../queue/open.ts'
import { buildRetryItem } from '../queue/retry-item.ts'
import { measureWork } from './enqueue.ts'

/**
 * Have the task of a session done again on the newest state of the branch, told why its work did not land. Returns the item of the
 * queue; asked for twice, it is the same one.
 */
export async function startRetry(config: Config, entry: Landing): Promise<string> {
  const session = findSession(config.workspace, entry.session)
  const { checkout, addedAt, retries } = entry
  const work = await buildRetryItem(session, {
    checkout,
    key: `landing/${session.id}/${addedAt}`, // The same after a kill, another one if a person puts it in again.
    task: fs.readFileSync(session.paths.task),
    title: session.manifest.task.title,
    source: `landing of ${session.id}, new attempt ${retries + 1}`,
  })
  const [item = ''] = await withQueue(config, queue => queue.enqueue([work]))
  wakeQueue(config.home)
  return item
}

/**
 * Have each entry that was sent back wait again, as soon as its new attempt has a PASS: also where that was given up before, and a person
 * had it tried again.
 */
export async function advanceRetries(config: Config, queue: LandingQueue): Promise<void> {
  const entries = queue.list(['sent back', 'ended']).filter(hasRetry)
  if (entries.length === 0) return
  const items = await withQueue(config, starts =>
    Promise.all(entries.map(({ retryItem }) => starts.find(retryItem ?? ''))),
  )
  for (const [index, entry] of entries.entries()) {
    try {
      await advance(config, queue, entry, items[index])
    } catch (error) {
      // Its session was removed, or its PASS does not hold any more: nothing else must wait for that.
      if (!(error instanceof DispatchError)) throw error
      const reason = `its new attempt ${entry.retryItem} cannot land: ${error.message}`
      queue.end({ ...entry, retryItem: null }, { outcome: 'needs you', reason, error: null })
    }
  }
}

/** Does a new attempt at the task of this entry run, or may it be tried again? */
export function hasRetry({ state, outcome, retryItem }: Landing): boolean {
  return retryItem !== null && (state === 'sent back' || (state === 'ended' && outcome === 'needs you'))
}

/** Is there something to do about the new attempt of this entry: has it a PASS, or does it not go on by itself? Pure. */
export function isRetryOver({ state }: Landing, item: Item | undefined): boolean {
  if (item?.state === 'done') return true
  return state === 'sent back' && (item === undefined || item.state === 'cancelled' || item.state === 'needs you')
}

// --- internal ---

async function advance(config: Config, queue: LandingQueue, entry: Landing, item: Item | undefined): Promise<void> {
  if (item?.state === 'done' && item.sessionId !== null) return replaceByRetry(config, queue, entry, item.sessionId)
  if (isRetryOver(entry, item)) queue.end(entry, { outcome: 'needs you', reason: describeLostRetry(item), error: null })
}

async function replaceByRetry(config: Config, queue: LandingQueue, entry: Landing, id: string): Promise<void> {
  const session = findSession(config.workspace, id)
  const work = await requirePass(session, (await readView(session)).status)
  queue.replace(entry, {
    session: id,
    ...(await measureWork(session, work)),
    into: entry.into ?? (await findBranch(config, entry)),
    retries: entry.retries + 1,
  })
}

/** The branch on which the earlier session was tried, which the new one need not have started from. */
async function findBranch(config: Config, { session }: Landing): Promise<string | null> {
  return readStatus(findSession(config.workspace, session)).landing?.branch ?? null
}

function describeLostRetry(item: Item | undefined): string {
  if (item === undefined) return 'the new attempt is not in the queue any more'
  return `the new attempt ${item.id} ${item.state === 'cancelled' ? 'was taken out' : 'needs you'}: ${item.reason}`
}
