import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type Entry, getLandingFolder, LandingQueue, LOOK_BACK_MS, listLandingQueues } from '#landing'
import { listProjects, type RegisteredProject } from '#projects'
import type { Session } from '#session'
import { readBaseBranch } from '#session/landing'
import { listOpenSessions } from '#session/search-index'
import { readView, type SessionView } from '#session/status'
import { toDispatchError } from '../to-dispatch-error.ts'
import { buildEntry, createEntry, type LandingWish } from './enqueue.ts'
import { findTargetBranch } from './land-one.ts'

/**
 * Put in each session with a PASS whose project lands by itself, if it began after that was said. One for another branch is left alone.
 * One that cannot be put in needs a person. Neither is tried again. Without the sessions that were just listed, it looks back for a week.
 */
export async function addAutomatic(
  config: Config,
  listed: SessionView[] | undefined,
  say: (text: string) => void,
): Promise<void> {
  const projects = listProjects(config.home).filter(({ landing }) => landing !== null)
  if (projects.length === 0) return
  const orSince = new Date(Date.now() - LOOK_BACK_MS).toISOString()
  const views = listed ?? (await listOpenSessions(config, { orSince }))
  const known = listKnown(config)
  const retried = new Set(views.map(({ session }) => session.manifest.retryOf?.session))
  for (const { session, status } of views) {
    const { repository, queueItem, openedAt } = session.manifest
    const project = projects.find(({ path }) => path === repository?.path)
    if (project?.landing == null || openedAt < project.landing.since) continue
    const isProved = status.verdict?.isFinal && status.phase === 'PASS' && status.landed.length === 0
    // A new attempt lands in place of the earlier one, by the queue that has asked for it.
    if (!isProved || known.has(session.id) || known.has(queueItem?.item ?? null) || retried.has(session.id)) continue
    if ((await readView(session)).state !== 'PASS') continue // The work was changed since.
    const added = addSession(config, session, project, project.landing)
    // Its checkout may be gone. The sessions of other projects do not wait for that.
    const text = await added.catch(thrown => `${session.id} cannot land by itself: ${toDispatchError(thrown).message}`)
    if (text !== undefined) say(text)
  }
}

// --- internal ---

/** The sessions that are in a queue or were, and the items with new attempts. */
function listKnown(config: Config): Set<string | null> {
  const entries = listLandingQueues(config.home).flatMap(queue => queue.list())
  return new Set(entries.flatMap(({ session, retryItem }) => (retryItem === null ? [session] : [session, retryItem])))
}

/** A person may have put it in while git was asked, or taken it out again. */
function isKnown({ home }: Config, { id }: Session): boolean {
  return listLandingQueues(home).some(queue => queue.find(id) !== undefined)
}

/** Returns what happened, for the log; undefined if it was put in by another process meanwhile. */
async function addSession(
  config: Config,
  session: Session,
  project: RegisteredProject,
  { method, author }: NonNullable<RegisteredProject['landing']>,
): Promise<string | undefined> {
  const { path, targetBranch } = project
  const wish: LandingWish = {
    method,
    author,
    attendedBy: null,
    sendsBack: true,
    into: undefined,
    repo: path,
    after: [],
  }
  const keep = async (ended: Partial<Entry>) => {
    const queue = new LandingQueue(await getLandingFolder(config.home, path))
    if (isKnown(config, session)) return undefined
    queue.addEnded({ ...createEntry(session.id, path, wish), ...ended })
    return `${session.id} does not land by itself: ${ended.reason}`
  }
  try {
    const own = await readBaseBranch(session)
    if (targetBranch !== null && own !== targetBranch) {
      const reason = `it is for ${own ?? 'no branch'}, and its project lands on ${targetBranch}`
      return await keep({ outcome: 'not landed', reason })
    }
    await requireTarget(session, project)
    const { queue, entry } = await buildEntry(config, session, wish)
    if (isKnown(config, session)) return undefined
    queue.add(entry)
    return `${session.id} waits to land on ${targetBranch}`
  } catch (thrown) {
    const { message, remedy = '', exitCode } = toDispatchError(thrown)
    return keep({ outcome: 'needs you', reason: message, error: { message, remedy, exitCode } })
  }
}

/** Only onto the branch of the project: work that began on another one may build on what is not there. */
async function requireTarget(session: Session, project: RegisteredProject): Promise<void> {
  const { remote, branch } = await findTargetBranch(session, project.path, undefined)
  if (branch === project.targetBranch && (project.remote === null || remote === project.remote)) return
  const target = [project.remote, project.targetBranch].filter(part => part !== null).join('/')
  throw new DispatchError(
    `it would land on ${remote}/${branch}, and its project lands on ${target || 'no known branch'}`,
    {
      exitCode: exitCodes.conflict,
      remedy: `To land it there all the same: dispatch land ${session.id.slice(-4)} --into ${branch}`,
    },
  )
}
