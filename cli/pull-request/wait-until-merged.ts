import { setTimeout as sleep } from 'node:timers/promises'
import { decideMerge, type Forge, type MergePlan, mergePullRequest, type PullRequest, readMergeState } from '#forge'
import { DispatchError, exitCodes } from '#host/error.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'

/** What was judged: its commit, and its session as a person types it. */
export interface JudgedCommit {
  commit: string
  letters: string
}

export interface WaitOptions {
  method: MergePlan['method']
  /** Merge also where no check is reported. */
  allowsNoChecks: boolean
  say(text: string): void
  /** The pause before the second look. Each later one is longer, up to a minute. */
  firstPauseMs?: number
}

/** Have exactly the judged commit merged as soon as nothing is in the way any more. Resolves to the commit on the branch. */
export async function waitUntilMerged(
  forge: Forge,
  { number, nodeId }: Pick<PullRequest, 'number' | 'nodeId'>,
  { commit, letters }: JudgedCommit,
  { method, allowsNoChecks, say, firstPauseMs = FIRST_PAUSE_MS }: WaitOptions,
): Promise<{ merged: string; base: string }> {
  const startedMs = performance.now()
  const queue = new QueueWatch(number)
  let [told, moveCount] = ['', 0]
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * PAUSE_GROWTH_RATIO)) {
    const state = await readMergeState(forge, number, commit)
    const waitedMs = performance.now() - startedMs
    const decision = decideMerge(state, { commit, allowsNoChecks, waitedMs, letters })
    if (decision.kind === 'merged') return { merged: decision.commit, base: state.base }
    if (decision.kind === 'refuse')
      throw new DispatchError(`pull request ${number} is not merged: ${decision.reason}`, decision)
    queue.look(state.isQueued)
    if (decision.kind === 'merge' && !queue.isIn) {
      say(state.hasQueue ? 'Putting it into the merge queue …' : 'Merging it …')
      const answer = await mergePullRequest(forge, { number, nodeId }, { commit, method, hasQueue: state.hasQueue })
      if (answer === 'moved' && ++moveCount >= MAX_MOVE_COUNT) throw createMovingError(number, state.base)
      if (answer === 'asked for' && !state.hasQueue) continue
      if (state.hasQueue) queue.enter()
      pauseMs = firstPauseMs
    }
    const reason = decision.kind === 'wait' ? decision.reason : queue.isIn ? 'the merge queue' : `${state.base} to rest`
    if (reason !== told) say(`Waiting for ${reason} …`)
    told = reason
    await sleep(pauseMs)
  }
}

// --- internal ---

const FIRST_PAUSE_MS = 2 * SECOND_MS
const LONGEST_PAUSE_MS = MINUTE_MS
const PAUSE_GROWTH_RATIO = 1.3
/** So often another commit may come onto the branch in the moment of the merge. */
const MAX_MOVE_COUNT = 10
/** So many looks in a row must miss it in the queue: after it was seen there, and before that. GitHub tells of it a moment later. */
const MISSED_LOOK_COUNT = 3
const UNSEEN_LOOK_COUNT = 10

/** Whether a pull request that was put into the merge queue is still there. */
class QueueWatch {
  isIn = false
  private readonly number: number
  private wasSeen = false
  private missCount = 0

  constructor(number: number) {
    this.number = number
  }

  enter(): void {
    this.isIn = true
  }

  /** Exit 3 once it is clear that GitHub has taken it out. */
  look(isQueued: boolean): void {
    this.wasSeen ||= isQueued
    if (!this.isIn) return
    this.missCount = isQueued ? 0 : this.missCount + 1
    if (this.missCount < (this.wasSeen ? MISSED_LOOK_COUNT : UNSEEN_LOOK_COUNT)) return
    throw new DispatchError(`GitHub's merge queue removed pull request ${this.number}`, {
      exitCode: exitCodes.fail,
      remedy: 'Its checks on GitHub say why. Settle that, then run the same command again.',
    })
  }
}

function createMovingError(number: number, base: string): DispatchError {
  return new DispatchError(`pull request ${number} is not merged: ${base} has moved in each moment of the merge`, {
    exitCode: exitCodes.conflict,
    remedy: 'Nothing was merged. Run the same command again.',
  })
}
