import fs from 'node:fs'
import { formatStopBlock } from '#agents'
import { readIfPresent, writeAtomic } from '#host/fs'
import { isSettled, type SessionStatus } from '#session/status'
import { listActiveWorkers, type RunnerContext } from './context.ts'

/** Write what the Stop hook prints to keep the turn going, or remove it. Written before an agent can learn of the event. */
export function writeStopGate({ session, status }: Pick<RunnerContext, 'session' | 'status'>): void {
  const { stopGate } = session.paths
  const reason = explainStopBlock(status)
  const text = reason === undefined ? '' : formatStopBlock(reason)
  if (text === (readIfPresent(stopGate) ?? '')) return
  if (reason === undefined) fs.rmSync(stopGate, { force: true })
  else writeAtomic(stopGate, text)
}

/** Why the orchestrator may not end its turn yet, as the next thing to do; undefined if it may. Pure. */
export function explainStopBlock(status: SessionStatus): string | undefined {
  if (status.verdict?.voidReason && status.phase === status.verdict.verdict && !status.closed) {
    return 'outputs/ has changed since the verdict, which is void now. Undo that change, or have a worker make it (spawn-worker), and run `submit` again.'
  }
  if (isSettled(status)) return undefined
  const working = listActiveWorkers(status).map(worker => worker.name)
  if (!status.contract && status.approval?.state === 'given')
    return 'The human has approved the contract. Run the same spawn-worker again.'
  if (!status.contract)
    return 'There is no verdict yet, and the contract is not sealed. Fill in contract.md, run `contract check`, then spawn-worker. If you cannot go on without the human, run `ask "your question"`.'
  if (status.phase === 'judging') return 'The work is being judged. Run `submit` and wait for its answer.'
  if (working.length > 0)
    return `There is no verdict yet. Still working: ${working.join(', ')}. Run \`wait-workers\`, then \`submit\`.`
  if (status.workers.length === 0)
    return 'There is no verdict yet, and no worker has run. Use spawn-worker; you do not write the product yourself.'
  if (status.verdict && status.verdict.verdict !== 'PASS')
    return `The verdict was ${status.verdict.verdict} in round ${status.verdict.round} of ${status.maxRounds}. Give the findings to a worker (spawn-worker), wait for it, and run \`submit\` again.`
  return 'The workers have ended, and their work has no verdict yet. Run `submit`.'
}

/** A person is called when the orchestrator has tried this often in a row to end its turn. */
export const STOP_ATTEMPTS = 5

/** A person is called when this many drafts of the contract were rejected. */
export const DRAFT_ATTEMPTS = 15
