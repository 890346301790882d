import fs from 'node:fs'
import { connectForge, type Forge } from '#forge'
import { type CommitVerdict, type ReportedVerdict, reportVerdict } from '#forge/actions'
import { createComment, editComment, readComments } from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import type { Session } from '#session'
import { auditSession } from '#session/audit'
import { readView } from '#session/status'
import { pickSession } from '../input/session.ts'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { openPullRequest } from '../pull-request/open.ts'
import { summarizeResult } from '../wait-for-result.ts'
import type { Job } from './job.ts'
import { chooseConclusion, type JobOutcome, renderReport, renderTitle } from './job-report.ts'

/** What was reported, and where. */
export interface JobReport {
  id: string
  state: string
  conclusion: CommitVerdict['conclusion']
  title: string
  commit: string
  reported: ReportedVerdict
  pullRequest: number | null
  problem: string | null
  /** That of the verdict; 13 for a damaged record; that of the failure where the pull request of a PASS could not be opened. */
  exitCode: ExitCode
}

/**
 * Report what came of the session of this home: on the page of the job, beside the commit, and on the issue that has started it. With
 * `opensPullRequest`, a PASS is opened as a pull request first, and the verdict is said of its commit.
 */
export async function reportJob(
  config: Config,
  job: Job,
  { opensPullRequest, say }: { opensPullRequest: boolean; say(text: string): void },
): Promise<JobReport> {
  const session = pickSession(config, undefined)
  const forge = await connectForge(job.address, config)
  const damage = await listDamage(session)
  const result = await summarizeResult(session, (await readView(session)).status)
  const isProved = result.exitCode === exitCodes.ok && damage.length === 0
  const opened = opensPullRequest && isProved ? await openForJob(config, session, job, say) : {}
  const view = await readView(session)
  const matrix = await readPublishedMatrix(config, view)
  const problem = opened.failure?.message
  const outcome = { view, state: result.state, matrix, damage, pullRequest: view.status.pullRequest, problem }
  const commit = view.status.pullRequest?.commit ?? job.commit
  const reported = await publish(config, forge, job, { outcome, commit })
  const exitCode = damage.length > 0 ? exitCodes.integrity : (opened.failure?.exitCode ?? result.exitCode)
  const [conclusion, title] = [chooseConclusion(outcome), renderTitle(outcome)]
  const pullRequest = view.status.pullRequest?.number ?? null
  return {
    ...{ id: session.id, state: result.state, conclusion, title, commit, reported, pullRequest },
    ...{ problem: problem ?? null, exitCode },
  }
}

// --- internal ---

/** A summary of a step takes 1 MiB, the text of a check run and a comment 65,535 characters. */
const MAX_REPORT_CHARS = 60_000

/** The first line of the one comment on an issue. */
const COMMENT_MARK = '<!-- dispatch:job -->'

/** What an audit finds damaged. Its notes, such as that there is no verdict yet, take nothing from a record. */
async function listDamage({ paths }: Session): Promise<string[]> {
  const { problems } = await auditSession(paths.folder)
  return problems.filter(({ isDamage }) => isDamage).map(({ part, message }) => `${part}: ${message}`)
}

/** A pull request that cannot be opened keeps no verdict from being reported. */
async function openForJob(
  config: Config,
  session: Session,
  { checkout, start }: Job,
  say: (text: string) => void,
): Promise<{ failure?: DispatchError }> {
  try {
    await openPullRequest(config, session, {
      ...{ base: undefined, branch: undefined, repo: checkout, isDraft: false, labels: [], reviewers: [] },
      ...{ closes: 'issue' in start ? [`#${start.issue}`] : [], author: 'me', isAtTerminal: false, say },
    })
    return {}
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return { failure: error }
  }
}

async function publish(
  config: Config,
  forge: Forge,
  { url, summaryFile, start }: Job,
  { outcome, commit }: { outcome: JobOutcome; commit: string },
): Promise<ReportedVerdict> {
  const redact = (text: string) => redactSecrets(text, listKnownSecrets(config)).text
  const summary = redact(renderReport(outcome, url, MAX_REPORT_CHARS))
  if (summaryFile !== undefined) fs.appendFileSync(summaryFile, `${summary}\n`)
  const reported = await reportVerdict(forge, {
    ...{ commit, conclusion: chooseConclusion(outcome), title: redact(renderTitle(outcome)) },
    ...{ summary, url, sessionId: outcome.view.session.id },
  })
  if ('issue' in start) await writeComment(forge, start.issue, `${COMMENT_MARK}\n${summary}`)
  return reported
}

/** One comment: that of an earlier run is edited. */
async function writeComment(forge: Forge, issue: number, body: string): Promise<void> {
  const own = (await readComments(forge, issue)).findLast(
    each => each.body.startsWith(COMMENT_MARK) && each.author.endsWith('[bot]'),
  )
  if (own === undefined || !(await editComment(forge, own.id, body))) await createComment(forge, issue, body)
}
