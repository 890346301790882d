import fs from 'node:fs'
import { connectForge, type Forge } from '#forge'
import { type CommitVerdict, type ReportedVerdict, reportVerdict } from '#forge/actions'
import { createComment, editComment, readComments } from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { findCheckout } from '#host/git'
import { listKnownSecrets, redactAll } from '#host/secrets'
import { listSessions, type Session } from '#session'
import { auditSession } from '#session/audit'
import { listSessionSecrets } from '#session/secrets'
import { readView } from '#session/status'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { openPullRequest } from '../pull-request/open.ts'
import { summarizeResult } from '../wait-for-result.ts'
import type { Job } from './job.ts'
import { chooseConclusion, renderReport, renderTitle, renderUnstarted, UNSTARTED_TITLE } from './job-report.ts'

/** What was reported, and where. */
export interface JobReport {
  /** Null where no session has started. */
  id: string | null
  state: string
  conclusion: CommitVerdict['conclusion']
  title: string
  commit: string
  reported: ReportedVerdict
  pullRequest: number | null
  problem: string | null
  /**
   * That of the verdict; 12 where no session has started; 13 for a damaged record; that of the failure where the pull request of a PASS
   * could not be opened.
   */
  exitCode: ExitCode
}

/** What a person, or the workflow, wants of a report. */
export interface ReportRequest {
  opensPullRequest: boolean
  /** What the job has said where no session has started. */
  problemFile: string | undefined
  say(text: string): void
}

/**
 * Report what came of the session of this home: on the page of the job, beside the commit, and on the issue that has started it. With
 * `opensPullRequest`, a PASS is opened as a pull request first, and the verdict is said of its commit.
 */
export async function reportJob(config: Config, job: Job, request: ReportRequest): Promise<JobReport> {
  const forge = await connectForge(job.address, config)
  const [session] = listSessions(config.workspace)
  return session === undefined
    ? reportUnstarted(config, forge, job, request.problemFile)
    : reportSession(config, forge, job, session, request)
}

// --- internal ---

/** A summary of a step takes 1 MiB, the text of a check run and a comment 65,535 characters. */
const MAX_REPORT_CHARS = 60_000

/** The first line of the one comment on an issue. */
const COMMENT_MARK = '<!-- dispatch:job -->'

async function reportUnstarted(
  config: Config,
  forge: Forge,
  job: Job,
  problemFile: string | undefined,
): Promise<JobReport> {
  const problem = problemFile === undefined ? '' : (readIfPresent(problemFile) ?? '')
  const [conclusion, title, commit] = ['action_required' as const, UNSTARTED_TITLE, job.commit]
  const summary = renderUnstarted(redactAll(problem, listKnownSecrets(config)), job.url)
  const reported = await publish(forge, job, { commit, conclusion, title, summary, sessionId: undefined })
  return {
    ...{ id: null, state: 'failed', conclusion, title, commit, reported, pullRequest: null, problem: null },
    exitCode: exitCodes.inconclusive,
  }
}

async function reportSession(
  config: Config,
  forge: Forge,
  job: Job,
  session: Session,
  { opensPullRequest, say }: ReportRequest,
): Promise<JobReport> {
  const damage = await listDamage(session)
  const result = await summarizeResult(session, (await readView(session)).status)
  const isProved = result.exitCode === exitCodes.ok && damage.length === 0
  const opened = opensPullRequest && isProved ? await openForJob(config, session, job, say) : {}
  const view = await readView(session)
  const matrix = await readPublishedMatrix(config, view)
  const problem = opened.failure?.message
  const secrets = listSessionSecrets(config, session.paths)
  const said = redactAll({ state: result.state, damage, problem }, secrets)
  const shown = { ...view, status: redactAll(view.status, secrets) }
  const outcome = { ...said, view: shown, matrix, pullRequest: view.status.pullRequest }
  const commit = view.status.pullRequest?.commit ?? job.commit
  const [conclusion, title] = [chooseConclusion(outcome), renderTitle(outcome)]
  const summary = renderReport(outcome, job.url, MAX_REPORT_CHARS)
  const reported = await publish(forge, job, { commit, conclusion, title, summary, sessionId: session.id })
  const exitCode = damage.length > 0 ? exitCodes.integrity : (opened.failure?.exitCode ?? result.exitCode)
  const pullRequest = view.status.pullRequest?.number ?? null
  return {
    ...{ id: session.id, state: result.state, conclusion, title, commit, reported, pullRequest },
    ...{ problem: said.problem ?? null, exitCode }, // The log of a job is as public as its repository.
  }
}

/** What an audit finds damaged. Its notes, such as that there is no verdict yet, take nothing from a record. */
async function listDamage({ paths }: Session): Promise<string[]> {
  const { problems } = await auditSession(paths.folder)
  return problems.filter(({ isDamage }) => isDamage).map(({ part, message }) => `${part}: ${message}`)
}

/**
 * A pull request that cannot be opened keeps no verdict from being reported. Agents could write what this home was restored from, so
 * nothing in it names the branches, or a commit of the remote that may be replaced.
 */
async function openForJob(
  config: Config,
  session: Session,
  { checkout, start }: Job,
  say: (text: string) => void,
): Promise<{ failure?: DispatchError }> {
  try {
    const base = (await findCheckout(checkout))?.branch ?? undefined
    if (base === undefined)
      throw new DispatchError('the job has checked out no branch, into which a pull request could be merged', {
        exitCode: exitCodes.usage,
        remedy: 'Start the workflow on a branch.',
      })
    await openPullRequest(config, session, {
      ...{ base, keepsBase: true, branch: `dispatch/${session.id}`, replaceable: [], ignoresRecords: true },
      ...{ repo: checkout, isDraft: false, labels: [], reviewers: [] },
      ...{ closes: 'issue' in start ? [`#${start.issue}`] : [], author: 'me', isAtTerminal: false, say },
    })
    return {}
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return { failure: error }
  }
}

async function publish(
  forge: Forge,
  { url, summaryFile, start }: Job,
  said: Omit<CommitVerdict, 'url'>,
): Promise<ReportedVerdict> {
  const { summary } = said
  if (summaryFile !== undefined) fs.appendFileSync(summaryFile, `${summary}\n`)
  const reported = await reportVerdict(forge, { ...said, url })
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
