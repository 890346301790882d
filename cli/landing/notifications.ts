import path from 'node:path'
import type { Config } from '#host/config'
import { formatNames } from '#host/text.ts'
import type { Landing, LandingQueue } from '#landing'
import { enqueueHomeNotification } from '../home-notification.ts'
import { NotifyOnce } from '../notify-once.ts'
import { listStaleSiblings } from './overlaps.ts'

/**
 * Queue one notification for each entry that has landed without a person at a shell, needs one, or cannot land for a while because
 * something is out of reach. The deliverer is started by others.
 */
export async function notifyLandings(config: Config, queue: LandingQueue): Promise<void> {
  const entries = queue.list().filter(entry => getSubject(entry) !== undefined)
  const folder = path.basename(queue.folder)
  const told = new NotifyOnce(config.home, 'landing')
  const getKey = ({ session }: Landing) => `${folder}/${session}`
  for (const entry of entries) {
    // What is late is told once, however often it is tried.
    const [stamp, reason] = entry.state === 'ended' ? [entry.since, entry.reason] : [entry.addedAt, 'late']
    if (told.isDone(getKey(entry), stamp, reason)) continue
    const siblings = entry.outcome === 'landed' ? await listStaleSiblings(config, entry.session) : []
    told.tell(getKey(entry), stamp, reason, (id, at) => write(config, entry, { id, at, siblings }))
  }
  told.keep(folder, new Set(entries.map(getKey)))
}

// --- internal ---

/** For about a quarter of an hour. */
const MIN_LATE_COUNT = 4

function isLate({ failures, undecided }: Pick<Landing, 'failures' | 'undecided'>): boolean {
  return Math.max(failures, undecided) >= MIN_LATE_COUNT
}

function getSubject({ state, outcome, attendedBy, failures, undecided }: Landing): string | undefined {
  if (state === 'waiting' || state === 'landing')
    return isLate({ failures, undecided }) ? 'A landing is late' : undefined
  if (outcome === 'landed') return attendedBy === null ? 'Work has landed' : undefined
  return outcome === 'needs you' ? 'A landing needs you' : undefined
}

/** By default it has the name of the repository, and nothing of the task or of a reason. */
function write(
  config: Config,
  entry: Landing,
  { id, at, siblings }: { id: string; at: string; siblings: string[] },
): void {
  const { session, checkout, outcome, reason } = entry
  const short = session.slice(-4)
  const where = path.basename(checkout)
  const isLanded = outcome === 'landed'
  const first = isLanded
    ? `${short} has landed (${where}).`
    : outcome === 'needs you'
      ? `${short} has not landed (${where}). Next: dispatch land ls`
      : `${short} cannot land for now, and is tried again (${where}). To see why: dispatch land ls`
  const stale = `${formatNames(siblings.map(each => each.slice(-4)))} changed the same files, and will be proved again.`
  const lines = [first, ...(siblings.length > 0 ? [stale] : [])]
  const words = !isLanded && config.NOTICE_DETAIL === 'full' ? { of: [session], lines: [reason] } : undefined
  enqueueHomeNotification(config, {
    ...{ id, at, sessionId: session, title: getSubject(entry) ?? '', lines, words },
    priority: isLanded ? 3 : 4,
    tags: [isLanded ? 'airplane_arriving' : 'warning'],
  })
}
