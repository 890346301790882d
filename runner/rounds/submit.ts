import { exitCodes } from '#host/error.ts'
import { readVerdictRecord, type VerdictRecord } from '#session/evidence'
import { importWork, listDifferences, listNestedRepositories } from '#session/repository'
import type { VerdictState } from '#session/status'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { recordVerdict, runJudgeRound } from './judge-round.ts'

const MAX_LISTED_FILES = 20
const UNCHANGED_PREFIX = 'nothing has changed since the last round. '

/** Answer `submit`: run the gates on a clean copy of the work, ask the judge, and give the verdict. */
export async function submitWork(context: RunnerContext, requestId: string): Promise<CommandReply> {
  // A runner that died before it could reply may have judged already.
  const given = context.status.verdict?.requestId === requestId ? readVerdictRecord(context.session.paths) : undefined
  if (given) return createVerdictReply(context, given)
  const refused = refuseEarlySubmit(context)
  if (refused) return refused
  const { paths } = context.session
  const head = await importWork(paths)
  if (context.status.acceptedCommit !== undefined && head.commit !== context.status.acceptedCommit)
    return refuse(formatForeignCommit(head.commit, paths.outputs))
  const strayFiles = await listDifferences(paths, head.commit)
  if (strayFiles.length > 0) return refuse(formatStrayFiles(strayFiles, paths.outputs))
  const nested = await listNewNestedRepositories(context, head.commit)
  if (nested.length > 0) return refuse(formatNestedRepositories(nested))
  const { verdict, clauses } = context.status
  const isSameTree = verdict?.tree === head.tree && !isAmended(context)
  if (isSameTree && !verdict.isFinal && clauses.some(clause => clause.verdict === 'FAIL'))
    return repeatVerdict(context, verdict, requestId)
  if (isSameTree && verdict.verdict !== 'INCONCLUSIVE')
    return {
      exitCode: exitCodes.conflict,
      text: `This tree already has a verdict: ${verdict.verdict}. ${verdict.reason} A new verdict needs new work.`,
    }
  return createVerdictReply(context, await runJudgeRound(context, head, requestId))
}

/** True if the contract was amended since the last verdict. Then the same tree is judged again. */
function isAmended({ session, status }: RunnerContext): boolean {
  return status.verdict !== undefined && readVerdictRecord(session.paths)?.contractSha256 !== status.contract?.sha256
}

function createVerdictReply(context: RunnerContext, record: VerdictRecord): CommandReply {
  const exitCode = { PASS: exitCodes.ok, FAIL: exitCodes.fail, INCONCLUSIVE: exitCodes.inconclusive }[record.verdict]
  return { exitCode, text: formatVerdict(context, record) }
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
  recordVerdict(context, record, requestId)
  return createVerdictReply(context, record)
}

function refuseEarlySubmit({ status }: RunnerContext): CommandReply | undefined {
  if (!status.contract)
    return refuse(
      'There is nothing to judge: no contract is sealed. Fill in contract.md, run `contract check`, then spawn-worker.',
    )
  const running = status.workers.filter(worker => worker.endedAt === undefined)
  if (running.length > 0)
    return refuse(`Still working: ${running.map(worker => worker.name).join(', ')}. Run wait-workers first.`)
  if (status.workers.length === 0) return refuse('There is nothing to judge: no worker has run. Run spawn-worker.')
  if (status.phase !== 'judging' && status.round - status.roundOffset >= status.maxRounds)
    return {
      exitCode: exitCodes.conflict,
      text: `All ${status.maxRounds} rounds are used. The verdict is ${status.verdict?.verdict}. Report it to the human, and stop. A message from the human gives new rounds.`,
    }
  return undefined
}

/** Nested repositories that the base does not have. A submodule of the user's own repository is not the workers' doing. */
async function listNewNestedRepositories({ session, status }: RunnerContext, commit: string): Promise<string[]> {
  const before = status.base ? await listNestedRepositories(session.paths, status.base.commit) : []
  return (await listNestedRepositories(session.paths, commit)).filter(file => !before.includes(file))
}

function formatForeignCommit(commit: string, outputs: string): string {
  return `Nothing was judged: ${outputs} is at commit ${commit.slice(0, 10)}, which no worker handed in. Only workers' work counts.\nSpawn a code worker: the commit is quarantined first (refs/quarantine/…), and its brief can say what to take from it.`
}

function formatNestedRepositories(nested: string[]): string {
  return `Nothing was judged: ${nested.join(', ')} was committed as a repository of its own, so none of its files is in the work.\nSpawn a code worker that runs \`git rm --cached\` on it, removes the .git in it and commits the files themselves.`
}

function formatStrayFiles(files: string[], outputs: string): string {
  const list = files.slice(0, MAX_LISTED_FILES).map(file => `  ${file}`)
  return `Nothing was judged: no worker changed these files in ${outputs}, and only workers' work counts:\n${list.join('\n')}\nRemove them if they are not needed. If they are, spawn a code worker whose brief says so; it finds them in git's stash.`
}

function formatVerdict({ status }: RunnerContext, record: VerdictRecord): string {
  const clauses = record.clauses.map(clause => `  ${clause.id} ${clause.verdict}: ${clause.reason}`)
  const roundsLeft = status.maxRounds - (record.round - status.roundOffset)
  const next =
    record.verdict !== 'PASS' && roundsLeft > 0 && status.verdict?.isFinal === false
      ? `Give these findings to a worker (spawn-worker …), then submit again. Rounds left: ${roundsLeft}.`
      : 'This is final. Report it to the human in a few lines, and stop.'
  const findings =
    record.findings.length > 0 ? `\nFindings:\n${record.findings.map(finding => `- ${finding}`).join('\n')}` : ''
  return `${record.verdict}: ${record.reason}\n${clauses.join('\n')}${findings}\n${next}`
}
