import { type ExitCode, exitCodes } from '#host/error.ts'
import { formatNames } from '#host/text.ts'
import { verdictName } from './actions/commit-verdict.ts'
import { FIRST_CHECK_MS } from './check-reports.ts'
import type { MergeState } from './merge-state.ts'

/** What follows from the state of a pull request. `refuse` is the exit code for what no waiting changes. */
export type MergeDecision =
  | { kind: 'merge' }
  | { kind: 'merged'; commit: string }
  | { kind: 'wait'; reason: string }
  | { kind: 'refuse'; reason: string; exitCode: ExitCode; remedy: string }

/** What a person asked for. */
export interface MergeWish {
  /** The commit that was judged and pushed. Nothing else is merged. */
  commit: string
  /** Merge also where no check at all is reported. */
  allowsNoChecks: boolean
  /** How long it has been waited so far. */
  waitedMs: number
  /** The session by which it is settled, as a person types it. */
  letters: string
}

/**
 * Decide: every check that the branch asks for must be green for exactly this commit, and every approval be there. Where it asks for no
 * check, all that are reported must be green, no check at all is not green, and those that come a moment later are waited for. A verdict
 * that dispatch itself has reported says nothing of CI: where it is green, it counts only if the branch asks for it. Pure.
 */
export function decideMerge(state: MergeState, wish: MergeWish): MergeDecision {
  const { commit } = wish
  const settle = `Have it settled on the same branch: dispatch pr ${wish.letters} --follow`
  if (state.state === 'merged' && state.mergeCommit !== undefined) return { kind: 'merged', commit: state.mergeCommit }
  if (state.state !== 'open') return refuse('it was closed', 'Reopen it on GitHub, then run the same command again.')
  if (state.headCommit !== commit)
    return refuse(
      `its branch has another commit (${state.headCommit.slice(0, 10)}) than the judged one (${commit.slice(0, 10)})`,
      'Another person has pushed there. Only the judged commit is merged.',
    )
  if (state.isDraft) return refuse('it is a draft', 'Mark it as ready on GitHub, then run the same command again.')
  if (state.hasConflicts) return refuse(`it does not merge into ${state.base}`, settle)
  // A merge queue brings it up to date by itself.
  if (state.isBehind && !state.hasQueue)
    return refuse(`its branch is not up to date with ${state.base}, which asks for that`, settle)
  if (state.review === 'refused') return refuse('a reviewer has asked for changes', settle)
  const checks = decideChecks(state, wish, settle)
  if (checks !== undefined) return checks
  if (state.review === 'missing') return { kind: 'wait', reason: 'a review' }
  return state.isQueued ? { kind: 'wait', reason: 'the merge queue' } : { kind: 'merge' }
}

// --- internal ---

function refuse(reason: string, remedy: string, exitCode: ExitCode = exitCodes.conflict): MergeDecision {
  return { kind: 'refuse', reason, remedy, exitCode }
}

/** Why the checks do not let it through; undefined if they do. */
function decideChecks(
  { checks, required, reportedForMs }: MergeState,
  { allowsNoChecks, waitedMs }: MergeWish,
  settle: string,
): MergeDecision | undefined {
  const isOwnVerdict = (name: string) => name === verdictName && checks.get(name) === 'green'
  const names = required.length > 0 ? required : [...checks.keys()].filter(name => !isOwnVerdict(name))
  const red = names.filter(name => checks.get(name) === 'red')
  if (red.length > 0) return refuse(`not green: ${formatNames(red)}`, settle, exitCodes.fail)
  const pending = names.filter(name => checks.get(name) !== 'green')
  if (pending.length > 0) return { kind: 'wait', reason: `checks: ${formatNames(pending)}` }
  if (required.length > 0) return undefined
  if (names.length > 0)
    return Math.max(waitedMs, reportedForMs ?? 0) < FIRST_CHECK_MS
      ? { kind: 'wait', reason: 'further checks, for a minute after the first' }
      : undefined
  if (allowsNoChecks) return undefined
  if (waitedMs < FIRST_CHECK_MS) return { kind: 'wait', reason: 'the first check' }
  return refuse(
    'no check is reported for it, and that is not green',
    'If the repository has no checks, say so: --without-checks',
  )
}
