import { exitCodes } from '#host/error.ts'
import { readVerdictRecord, type VerdictRecord } from '#session/evidence'
import { importWork, listDifferences, listNestedRepositories } from '#session/repository'
import type { VerdictState } from '#session/status'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { recordVerdict, runJudgeRound } from './judge-round.ts'
/** `submit`: gates on a clean copy of the work, then the judge, then the verdict. */
export async function submitWork(context: RunnerContext, request: string): Promise<CommandReply> {
  const given = context.status.verdict?.requestId === request ? readVerdictRecord(context.session.paths) : undefined
  if (given) return createVerdictReply(context, given) // A runner that died before it could answer has judged already.
  const refused = refuseEarlySubmit(context)
  if (refused) return refused
  const { paths } = context.session
  const head = await importWork(paths)
  if (context.status.acceptedCommit !== undefined && head.commit !== context.status.acceptedCommit)
    return refuse(formatForeignCommit(head.commit, paths.outputs))
  const stray = await listDifferences(paths, head.commit)
  if (stray.length > 0) return refuse(formatStray(stray, paths.outputs))
  const nested = await findNewNested(context, head.commit)
  if (nested.length > 0) return refuse(formatNested(nested))
  const { verdict, clauses } = context.status
  if (isAmended(context)) return createVerdictReply(context, await runJudgeRound(context, head, request))
  const isUnmet = clauses.some(clause => clause.verdict === 'FAIL')
  if (verdict?.tree === head.tree && !verdict.isFinal && isUnmet) return repeatVerdict(context, verdict, request)
  if (verdict?.tree === head.tree && verdict.verdict !== 'INCONCLUSIVE')
    return {
      exit: exitCodes.conflict,
      text: `This very tree has been judged already: ${verdict.verdict}. ${verdict.reason} A new verdict needs new work.`,
    }
  return createVerdictReply(context, await runJudgeRound(context, head, request))
}

/** Was the contract amended since the last verdict? Then the same tree is another case. */
function isAmended({ session, status }: RunnerContext): boolean {
  return status.verdict !== undefined && readVerdictRecord(session.paths)?.contractSha256 !== status.contract?.sha256
}

function createVerdictReply(context: RunnerContext, record: VerdictRecord): CommandReply {
  const exit =
    record.verdict === 'PASS' ? exitCodes.ok : record.verdict === 'FAIL' ? exitCodes.fail : exitCodes.inconclusive
  return { exit, text: formatVerdict(context, record) }
}

/**
 * The same tree again, with a clause that was not met: the verdict stands and a round is gone. It is not judged anew, or a
 * flaky check could be asked until it says yes.
 */
function repeatVerdict(context: RunnerContext, verdict: VerdictState, request: string): CommandReply {
  const before = readVerdictRecord(context.session.paths)
  if (!before) throw new Error('verdict.json does not read')
  const reason = `nothing has changed since the last round. ${verdict.reason.replace(/^nothing has changed since the last round\. /, '')}`
  const record = { ...before, round: verdict.round + 1, reason, time: new Date().toISOString() }
  recordVerdict(context, record, request)
  return createVerdictReply(context, record)
}

function refuseEarlySubmit({ status }: RunnerContext): CommandReply | undefined {
  if (!status.contract)
    return refuse(
      'There is nothing to judge yet: no contract is sealed. Fill in contract.md, run `contract check`, then spawn-worker.',
    )
  const busy = status.workers.filter(worker => worker.endedAt === undefined)
  if (busy.length > 0)
    return refuse(`Still at work: ${busy.map(worker => worker.name).join(', ')}. Run wait-workers first.`)
  if (status.workers.length === 0) return refuse('No worker has run, so there is nothing to judge. Spawn one.')
  if (status.phase !== 'judging' && status.round - status.roundOffset >= status.maxRounds)
    return {
      exit: exitCodes.conflict,
      text: `All ${status.maxRounds} rounds are used. The verdict stands: ${status.verdict?.verdict}. Tell the human, and stop. What they say with \`dispatch say\` gives new rounds.`,
    }
  return undefined
}

function formatForeignCommit(commit: string, outputs: string): string {
  return `Nothing was judged: ${outputs} stands at commit ${commit.slice(0, 10)}, which no worker handed in, and only workers' work counts.\nSpawn a code worker: that commit is set aside first (refs/set-aside/…), and its brief can say what to take from it.`
}

/** A submodule that the user's repository has had all along is not the worker's doing. */
async function findNewNested({ session, status }: RunnerContext, commit: string): Promise<string[]> {
  const before = status.base ? await listNestedRepositories(session.paths, status.base.commit) : []
  return (await listNestedRepositories(session.paths, commit)).filter(file => !before.includes(file))
}

function formatNested(nested: string[]): string {
  return `Nothing was judged: ${nested.join(', ')} was committed as a repository of its own, so none of its files is in the work.\nSpawn a code worker that does \`git rm --cached\` on it, removes the .git in it and commits the files themselves.`
}

function formatStray(stray: string[], outputs: string): string {
  return `Nothing was judged: these files in ${outputs} were changed by no worker, and only workers' work counts:\n${stray
    .slice(0, 20)
    .map(file => `  ${file}`)
    .join(
      '\n',
    )}\nIf they are rubbish, remove them. If they are wanted, spawn a code worker whose brief says so; it will find them in git's stash.`
}

function formatVerdict({ status }: RunnerContext, record: VerdictRecord): string {
  const lines = record.clauses.map(clause => `  ${clause.id} ${clause.verdict}: ${clause.reason}`)
  const left = status.maxRounds - (record.round - status.roundOffset)
  const next =
    record.verdict !== 'PASS' && left > 0 && status.verdict?.isFinal === false
      ? `Give these findings to a worker (spawn-worker …), then submit again. Rounds left: ${left}.`
      : 'This is final. Tell the human in a few lines, and stop.'
  const findings =
    record.findings.length > 0 ? `\nFindings:\n${record.findings.map(finding => `- ${finding}`).join('\n')}` : ''
  return `${record.verdict}: ${record.reason}\n${lines.join('\n')}${findings}\n${next}`
}
