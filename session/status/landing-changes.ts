import type { EventTable } from '../log/event.ts'
import type { SessionStatus } from './status-types.ts'

type Changes = EventTable<Partial<SessionStatus>, [before: SessionStatus]>

/** What each event on the way to a branch changes in a status. */
export const landingChanges: Pick<Changes, Extract<keyof Changes, `landing.${string}` | `pull-request.${string}`>> = {
  'landing.checked': (
    { number, branch, commit, tree, target, result, reason, sha256, time, isOnBranch, isDryRun },
    { landed },
  ) => {
    if (isDryRun) return {}
    const isUnproved = isOnBranch === true && result !== 'ready'
    // What could not be decided may be green all the same, and what was broken before may be repaired: it is looked at again.
    const isOpen = result === 'undecided' || result === 'blocked'
    const state = isUnproved ? (isOpen ? ('merged' as const) : ('unproved' as const)) : result
    return {
      landing: { number, branch, commit, tree, target, state, reason, sha256, time },
      ...(isUnproved && { landed: addLanded(landed, { number, branch, commit, tree, time }) }),
    }
  },
  'landing.refused': ({ branch, target, cause, reason, time, isDryRun }, { landing }) =>
    isDryRun ? {} : { landing: { number: landing?.number ?? 0, branch, target, state: cause, reason, time } },
  'landing.pushed': ({ number, branch, commit, tree, time }, { landing, landed }) => ({
    landed: addLanded(landed, { number, branch, commit, tree, time }),
    landing: { ...landing, number, branch, commit, tree, state: 'landed', reason: '', time },
  }),
  'landing.overlapped': ({ session, branch, files }, { overlaps }) => ({
    overlaps: [...overlaps.filter(each => each.session !== session), { session, branch, files }],
  }),
  'pull-request.prepared': () => ({}),
  'pull-request.opened': ({ seq: _, type: __, isNew: ___, ...pullRequest }) => ({ pullRequest }),
}

// --- internal ---

type Landed = SessionStatus['landed']

/** A commit that is proved only later is on the branch once. */
function addLanded(landed: Landed, added: Landed[number]): Landed {
  return [...landed.filter(({ commit }) => commit !== added.commit), added]
}
