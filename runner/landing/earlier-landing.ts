import { isAncestor } from '#host/git/upstream'
import { type LandingRecord, readLanding } from '#session/evidence'
import { type Event, readLog } from '#session/log'
import type { Commit } from '#session/repository'
import type { RunnerContext } from '../context.ts'

/** A commit of this session that is on the branch. `isNew`: that was not known before. */
interface EarlierLanding extends Pick<LandingRecord, 'judged'> {
  isNew: boolean
}

/**
 * The commit of this session that is on the branch already; undefined if none is. A process that was killed after its push has not
 * recorded it, and a push that it left behind may have arrived later: so every commit that was ready counts, and is recorded now.
 */
export async function findEarlierLanding(
  context: RunnerContext,
  { remote, branch, target }: { remote: string; branch: string; target: Commit },
): Promise<EarlierLanding | undefined> {
  const { paths } = context.session
  const { events } = readLog(paths.events)
  const ready = events.filter(
    (event): event is Event<'landing.checked'> =>
      event.type === 'landing.checked' && event.result === 'ready' && event.branch === branch,
  )
  for (const event of ready.toReversed()) {
    const record = readLanding(paths, event.number, event.sha256)
    if (record?.remote !== remote) continue
    if (!(await isAncestor(paths.bareRepository, event.commit, target.commit))) continue
    const { number, commit, tree } = event
    const isNew = context.status.landed.every(each => each.commit !== commit)
    if (isNew) context.record({ type: 'landing.pushed', number, branch, commit, tree })
    return { judged: record.judged, isNew }
  }
  return undefined
}
