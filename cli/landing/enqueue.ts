import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { checkLiveness } from '#host/process'
import { requireGitToLand } from '#host/versions.ts'
import { type Entry, getLandingFolder, type Landing, LandingQueue, listLandingQueues } from '#landing'
import { findSession, type Session } from '#session'
import { requirePass } from '#session/landing'
import { listChangedPaths } from '#session/repository'
import { readView } from '#session/status'
import { toDispatchError } from '../to-dispatch-error.ts'
import type { OwnLandings } from './interrupt.ts'
import { findCheckoutToLand, findTargetBranch } from './land-one.ts'

/** What is to land, as a person or the daemon asks for it. */
export type LandingWish = Pick<Entry, 'method' | 'author' | 'attendedBy' | 'sendsBack'> & {
  into: string | undefined
  repo: string | undefined
  /** Sessions that must have landed before, by their ids or a part of them. */
  after: string[]
}

/** What a session would be in the queue of its repository. Exit 5 without a valid PASS, 2 where the branch is not known, 6 for an old git. */
export async function buildEntry(
  config: Config,
  session: Session,
  wish: LandingWish,
): Promise<{ queue: LandingQueue; entry: Entry }> {
  const { into, repo, after } = wish
  await requireGitToLand(config)
  const checkout = await findCheckoutToLand(config, session, repo)
  const work = await requirePass(session, (await readView(session)).status)
  await findTargetBranch(session, checkout, into)
  const awaited = after.map(id => findSession(config.workspace, id).id)
  const entry: Entry = {
    ...createEntry(session.id, checkout, wish),
    ...(await measureWork(session, work)),
    after: awaited.map(id => findReplacement(config, id)),
  }
  return { queue: new LandingQueue(await getLandingFolder(config.home, checkout)), entry }
}

/** The files that the work changes, and how many they are. */
export async function measureWork(
  { paths }: Session,
  { base, commit }: { base: string; commit: string },
): Promise<Pick<Entry, 'files' | 'size'>> {
  const files = (await listChangedPaths(paths, base, commit)).map(({ path }) => path)
  return { files: files.slice(0, MAX_FILES), size: files.length }
}

/** A session that waits, as far as the wish says it. */
export function createEntry(session: string, checkout: string, wish: LandingWish): Entry {
  const { into = null, method, author, attendedBy, sendsBack } = wish
  const now = new Date().toISOString()
  return {
    format: 1,
    session,
    checkout,
    ...{ into, method, author, attendedBy, sendsBack },
    after: [],
    files: [],
    size: 0,
    addedAt: now,
    retries: 0,
    retryItem: null,
    failures: 0,
    refusals: 0,
    undecided: 0,
    notBefore: null,
    reason: '',
    since: now,
    outcome: null,
    replacedBy: null,
    error: null,
  }
}

/**
 * Put sessions into the queues of their repositories, each a millisecond after the one before, so that the order stays. `keepsOrder`: the
 * sizes do not change it. Calls `refuse` for each one that is not put in. What was put in, or is followed, is in `groups` at once.
 */
export async function putIn(
  config: Config,
  sessions: Session[],
  wish: LandingWish & { keepsOrder: boolean },
  refuse: (session: Session, error: DispatchError) => void,
  groups: OwnLandings[] = [],
): Promise<OwnLandings[]> {
  const built: { session: Session; queue: LandingQueue; entry: Entry }[] = []
  const attempt = (session: Session, work: Promise<void>) =>
    work.catch(thrown => refuse(session, toDispatchError(thrown)))
  for (const session of sessions)
    await attempt(
      session,
      buildEntry(config, session, wish).then(each => void built.push({ session, ...each })),
    )
  const largest = Math.max(...built.map(({ entry }) => entry.size))
  const startMs = Date.now()
  for (const [index, { session, queue, entry }] of built.entries())
    await attempt(
      session,
      decideAdding(queue, entry).then(decision => {
        const addedAt = new Date(startMs + index).toISOString()
        if (decision === 'add') queue.add({ ...entry, addedAt, ...(wish.keepsOrder && { size: largest }) })
        const known = groups.find(group => group.queue.folder === queue.folder)
        if (known) known.own.add(session.id)
        else groups.push({ queue, own: new Set([session.id]), isLander: false })
      }),
    )
  return groups
}

// --- internal ---

/** Overlaps are compared with so many files. */
const MAX_FILES = 2000

/** The session that lands in place of this one, after new attempts; itself without one. */
function findReplacement(config: Config, id: string): string {
  const entries = listLandingQueues(config.home).flatMap(queue => queue.list(['ended']))
  const next = entries.find(({ session, replacedBy }) => session === id && replacedBy !== null)?.replacedBy
  return next == null ? id : findReplacement(config, next)
}

/** Does one of these, or what it waits for in turn, wait for this session? */
function waitsFor(open: Landing[], after: string[], session: string, seen = new Set<string>()): boolean {
  return after.some(id => {
    if (id === session) return true
    if (seen.has(id)) return false
    seen.add(id)
    return waitsFor(open, open.find(entry => entry.session === id)?.after ?? [], session, seen)
  })
}

/**
 * Put in, or follow what another process has put in? `follow` where it lands just now as it was asked for, or waits so in the background:
 * that stays what it is, also if this command is interrupted, and is tried at once. Exit 5 where it waits in another way, where a new
 * attempt at its task is made, or where it would wait for itself.
 */
async function decideAdding(queue: LandingQueue, entry: Entry): Promise<'add' | 'follow'> {
  const known = queue.find(entry.session)
  const refuse = (message: string, remedy: string) => {
    throw new DispatchError(`session ${entry.session} ${message}`, { exitCode: exitCodes.conflict, remedy })
  }
  const short = entry.session.slice(-4)
  if (waitsFor(queue.listOpen(), entry.after, entry.session)) refuse('would wait for itself', 'Name another --after.')
  if (known === undefined || known.state === 'ended') return 'add'
  if (known.state === 'sent back')
    refuse(
      `did not land, and a new attempt is made: ${known.retryItem}`,
      `To land this one all the same: dispatch land drop ${short}, then the same command again`,
    )
  const describeWish = ({ into, method, author, after }: Entry) => [into, method, author, ...after].join('\n')
  const isSame = describeWish(known) === describeWish(entry)
  if (known.state === 'landing') {
    if (!isSame) refuse('lands just now, in another way', 'To see how: dispatch land ls')
    return 'follow'
  }
  const isWaitedFor = known.attendedBy !== null && (await checkLiveness(known.attendedBy)) === 'alive'
  if (isWaitedFor) refuse(`is waited for by process ${known.attendedBy?.pid}`, 'Wait for that command, or end it.')
  if (!isSame) refuse('waits to land in another way', `Take that out first: dispatch land drop ${short}`)
  if (known.attendedBy !== null) return 'add' // Its command was killed.
  if (known.notBefore !== null) queue.putBack(known, { notBefore: null })
  return 'follow'
}
