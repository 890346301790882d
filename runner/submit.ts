import { exits } from '../host/index.ts'
import {
  differences,
  importHead,
  nestedRepositories,
  readVerdict,
  type Verdict,
  type VerdictRecord,
} from '../session/index.ts'
import { judgeWork, settle } from './judging.ts'
import { type Reply, type Running, refuse } from './running.ts'

/** `submit`: gates on a clean copy of the work, then the judge, then the verdict. */
export async function submit(running: Running, request: string): Promise<Reply> {
  const given = running.status.verdict?.request === request ? readVerdict(running.session.paths) : undefined
  if (given) return told(running, given) // A runner that died before it could answer has judged already.
  const refused = tooEarly(running)
  if (refused) return refused
  const { paths } = running.session
  const head = await importHead(paths)
  if (running.status.accepted !== undefined && head.commit !== running.status.accepted)
    return refuse(foreignWords(head.commit, paths.outputs))
  const stray = await differences(paths, head.commit)
  if (stray.length > 0) return refuse(strayWords(stray, paths.outputs))
  const nested = await newlyNested(running, head.commit)
  if (nested.length > 0) return refuse(nestedWords(nested))
  const { verdict, clauses } = running.status
  if (isAmended(running)) return told(running, await judgeWork(running, head, request))
  const isUnmet = clauses.some(clause => clause.verdict === 'FAIL')
  if (verdict?.tree === head.tree && !verdict.final && isUnmet) return repeat(running, verdict, request)
  if (verdict?.tree === head.tree && verdict.verdict !== 'INCONCLUSIVE')
    return {
      exit: exits.conflict,
      text: `This very tree has been judged already: ${verdict.verdict}. ${verdict.reason} A new verdict needs new work.`,
    }
  return told(running, await judgeWork(running, head, request))
}

/** Was the contract amended since the last verdict? Then the same tree is another case. */
function isAmended({ session, status }: Running): boolean {
  return status.verdict !== undefined && readVerdict(session.paths)?.contractSha256 !== status.contract?.sha256
}

function told(running: Running, record: VerdictRecord): Reply {
  const exit = record.verdict === 'PASS' ? exits.ok : record.verdict === 'FAIL' ? exits.fail : exits.inconclusive
  return { exit, text: verdictWords(running, record) }
}

/**
 * The same tree again, with a clause that was not met: the verdict stands and a round is gone. It is not judged anew, or a
 * flaky check could be asked until it says yes.
 */
function repeat(running: Running, verdict: Verdict, request: string): Reply {
  const before = readVerdict(running.session.paths)
  if (!before) throw new Error('verdict.json does not read')
  const reason = `nothing has changed since the last round. ${verdict.reason.replace(/^nothing has changed since the last round\. /, '')}`
  const record = { ...before, round: verdict.round + 1, reason, at: new Date().toISOString() }
  settle(running, record, request)
  return told(running, record)
}

function tooEarly({ status }: Running): Reply | undefined {
  if (!status.contract)
    return refuse(
      'There is nothing to judge yet: no contract is sealed. Fill in contract.md, run `contract check`, then spawn-worker.',
    )
  const busy = status.workers.filter(worker => worker.endedAt === undefined)
  if (busy.length > 0)
    return refuse(`Still at work: ${busy.map(worker => worker.name).join(', ')}. Run wait-workers first.`)
  if (status.workers.length === 0) return refuse('No worker has run, so there is nothing to judge. Spawn one.')
  if (status.phase !== 'judging' && status.round - status.roundBase >= status.rounds)
    return {
      exit: exits.conflict,
      text: `All ${status.rounds} rounds are used. The verdict stands: ${status.verdict?.verdict}. Tell the human, and stop. What they say with \`dispatch say\` gives new rounds.`,
    }
  return undefined
}

function foreignWords(commit: string, outputs: string): string {
  return `Nothing was judged: ${outputs} stands at commit ${commit.slice(0, 10)}, which no worker handed in, and only workers' work counts.\nSpawn a code worker: that commit is set aside first (refs/set-aside/…), and its brief can say what to take from it.`
}

/** A submodule that the user's repository has had all along is not the worker's doing. */
async function newlyNested({ session, status }: Running, commit: string): Promise<string[]> {
  const before = status.base ? await nestedRepositories(session.paths, status.base.commit) : []
  return (await nestedRepositories(session.paths, commit)).filter(file => !before.includes(file))
}

function nestedWords(nested: string[]): string {
  return `Nothing was judged: ${nested.join(', ')} was committed as a repository of its own, so none of its files is in the work.\nSpawn a code worker that does \`git rm --cached\` on it, removes the .git in it and commits the files themselves.`
}

function strayWords(stray: string[], outputs: string): string {
  return `Nothing was judged: these files in ${outputs} were changed by no worker, and only workers' work counts:\n${stray
    .slice(0, 20)
    .map(file => `  ${file}`)
    .join(
      '\n',
    )}\nIf they are rubbish, remove them. If they are wanted, spawn a code worker whose brief says so; it will find them in git's stash.`
}

function verdictWords({ status }: Running, record: VerdictRecord): string {
  const lines = record.clauses.map(clause => `  ${clause.id} ${clause.verdict}: ${clause.because}`)
  const left = status.rounds - (record.round - status.roundBase)
  const next =
    record.verdict !== 'PASS' && left > 0 && status.verdict?.final === false
      ? `Give these findings to a worker (spawn-worker …), then submit again. Rounds left: ${left}.`
      : 'This is final. Tell the human in a few lines, and stop.'
  const findings =
    record.findings.length > 0 ? `\nFindings:\n${record.findings.map(finding => `- ${finding}`).join('\n')}` : ''
  return `${record.verdict}: ${record.reason}\n${lines.join('\n')}${findings}\n${next}`
}
