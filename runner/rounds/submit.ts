import { exitCodes } from '#host/error.ts'
import { isUndecidedGate, readVerdictRecord, type VerdictRecord } from '#session/evidence'
import { importWork } from '#session/repository'
import type { VerdictState } from '#session/status'
import { type CommandReply, listActiveWorkers, type RunnerContext, refuse } from '../context.ts'
import { restoreVerdict } from '../verdict-watch.ts'
import { refuseForeignWork } from './foreign-work.ts'
import { recordVerdict, runJudgeRound } from './judge-round.ts'
import { createVerdictReply } from './verdict-reply.ts'

const UNCHANGED_PREFIX = 'nothing has changed since the last round. '

/**
 * Answer `submit`: run the gates on a clean copy of the work, ask the judge, and give the verdict. Undefined while the round is
 * parked: then the orchestrator goes on waiting, which costs nothing, and the verdict is its reply.
 */
export async function submitWork(context: RunnerContext, requestId: string): Promise<CommandReply | undefined> {
  // A runner that died before it could reply may have judged already.
  const given = context.status.verdict?.requestId === requestId ? readVerdictRecord(context.session.paths) : undefined
  if (given) return createVerdictReply(context, given)
  const spent = refuseSpentRounds(context)
  // A void verdict can hold again, which uses no round.
  const refused = refuseEarlySubmit(context) ?? (context.status.verdict?.voidReason ? undefined : spent)
  if (refused) return refused
  const { paths } = context.session
  const head = await importWork(paths)
  const notWork = await refuseForeignWork(context, head.commit)
  if (notWork) return notWork
  const { verdict, clauses, contract } = context.status
  // After an amendment the same tree is judged again.
  const record = readVerdictRecord(paths)
  const isAmended = verdict !== undefined && record?.contractSha256 !== contract?.sha256
  const isSameTree = verdict?.tree === head.tree && !isAmended
  if (isSameTree && record && (await restoreVerdict(context))) return createVerdictReply(context, record)
  if (spent) return spent
  if (isSameTree && !verdict.isFinal && clauses.some(clause => clause.verdict === 'FAIL'))
    return repeatVerdict(context, verdict, requestId)
  if (isSameTree && isAnswered(verdict, record))
    return refuse(
      `This tree already has a verdict: ${verdict.verdict}. ${verdict.reason} A new verdict needs new work.`,
      exitCodes.conflict,
    )
  const judged = await runJudgeRound(context, head, requestId)
  return judged && createVerdictReply(context, judged)
}

/**
 * The same tree again, with a clause that failed: the verdict is repeated and a round is used. The tree is not judged again, or a
 * flaky check could be repeated until it passes.
 */
function repeatVerdict(context: RunnerContext, verdict: VerdictState, requestId: string): CommandReply {
  const previous = readVerdictRecord(context.session.paths)
  if (!previous) throw new Error('verdict.json cannot be read')
  const reason = `${UNCHANGED_PREFIX}${verdict.reason.replace(UNCHANGED_PREFIX, '')}`
  const record = { ...previous, round: verdict.round + 1, reason, time: new Date().toISOString() }
  recordVerdict(context, record, { requestId })
  return createVerdictReply(context, record)
}

/**
 * Is this verdict the last word on its tree? PASS and FAIL are. INCONCLUSIVE is where the judge has answered and no check was left
 * undecided: asked again and again, a judge says yes in the end.
 */
function isAnswered({ verdict, isUnanswered }: VerdictState, record: VerdictRecord | undefined): boolean {
  if (verdict !== 'INCONCLUSIVE') return true
  if (isUnanswered || record === undefined || record.packetSha256 === null) return false
  return !record.clauses.some(({ gate }) => isUndecidedGate(gate))
}

function refuseEarlySubmit({ status }: RunnerContext): CommandReply | undefined {
  if (!status.contract)
    return refuse(
      'There is nothing to judge: no contract is sealed. Fill in contract.md, run `contract check`, then spawn-worker.',
    )
  const running = listActiveWorkers(status).map(worker => worker.name)
  if (running.length > 0) return refuse(`Still working: ${running.join(', ')}. Run wait-workers first.`)
  if (status.workers.length === 0) return refuse('There is nothing to judge: no worker has run. Run spawn-worker.')
  return undefined
}

function refuseSpentRounds({ status }: RunnerContext): CommandReply | undefined {
  if (status.phase === 'judging' || status.round - status.roundOffset < status.maxRounds) return undefined
  return refuse(
    `All ${status.maxRounds} rounds are used. The verdict is ${status.verdict?.verdict}. Report it to the human, and stop. A message from the human gives new rounds.`,
    exitCodes.conflict,
  )
}
