import { isDenied } from './errors.ts'
import type { Forge } from './forge.ts'
import type { GitHubClient } from './octokit.ts'

/** What a check or a status says of a commit. */
export type CheckState = 'green' | 'red' | 'pending'

/** A check run or a status of a commit, as it was reported. */
export interface CheckReport {
  name: string
  state: CheckState
  /** It has ended, and says nothing of the work: it was cancelled, is out of date, or waits for a person. A merge takes it for red. */
  isWithoutVerdict: boolean
  /** Title, summary and text, as far as there are any. */
  text: string
  url: string
  /** When it began, by GitHub's clock: ISO 8601; empty if that is not known. */
  startedAt: string
  /** Of a check run: its number, and how many lines of files it complains about. */
  run: { id: number; annotationCount: number } | undefined
  /** Of a job of GitHub Actions: its number, which its check run has too. */
  jobId: number | undefined
}

/**
 * The check runs of a commit that count, and a report for each suite of which something is still to come, such as that of a workflow whose
 * second job waits for its first: no check run tells of that job yet. A fine-grained token of a person can have no right to see checks: then
 * the jobs of GitHub Actions stand for them.
 */
export async function readCheckRuns(forge: Forge, commit: string): Promise<CheckReport[]> {
  const place = { ...forge.repository, ref: commit, per_page: 100 }
  const action = `read the checks of ${commit.slice(0, 10)}`
  try {
    const runs = await forge.request(action, client => client.paginate(client.rest.checks.listForRef, place))
    const suites = await forge.request(action, client => client.paginate(client.rest.checks.listSuitesForRef, place))
    const all = [...runs.map(readRun), ...suites.flatMap(suite => readSuite(suite, runs))]
    return dropReplaced(forge, all, mayHaveRivals(suites) ? await readWorkflows(forge, commit) : [])
  } catch (error) {
    if (!(isDenied(error) && error.status === 403 && forge.login.kind === 'token')) throw error
    return readJobs(forge, commit)
  }
}

// --- internal ---

type Answer<Name extends 'listForRef' | 'listSuitesForRef'> = Awaited<
  ReturnType<GitHubClient['rest']['checks'][Name]>
>['data']
type CheckRun = Answer<'listForRef'>['check_runs'][number]
type CheckSuite = Answer<'listSuitesForRef'>['check_suites'][number]

/** A report, and what tells whether a later one takes its place. */
interface Placed {
  report: CheckReport
  app: string
  suite: number
  id: number
  /** It is about all of its suite. */
  isWhole: boolean
}

type WorkflowRun = Awaited<
  ReturnType<GitHubClient['rest']['actions']['listWorkflowRunsForRepo']>
>['data']['workflow_runs'][number]

const ACTIONS = 'github-actions'

/** What only a check run has. */
const unknown = { text: '', run: undefined, jobId: undefined }

function readRun(run: CheckRun): Placed {
  const { id, name, status, conclusion, output, details_url, html_url, started_at } = run
  const app = run.app?.slug ?? ''
  return {
    report: {
      name,
      ...readResult(status, conclusion),
      text: [output.title, output.summary, output.text].filter(Boolean).join('\n'),
      url: details_url ?? html_url ?? '',
      startedAt: started_at ?? '',
      run: { id: Number(id), annotationCount: output.annotations_count },
      jobId: app === ACTIONS ? Number(id) : undefined,
    },
    ...{ app, suite: run.check_suite?.id ?? 0, id: Number(id), isWhole: false },
  }
}

/**
 * An app that only may report gets a suite that stays empty. One of GitHub Actions is a workflow at work, or one that could not even begin.
 */
function readSuite(suite: CheckSuite, runs: CheckRun[]): Placed[] {
  const [id, app] = [Number(suite.id), suite.app?.slug ?? '']
  const own = runs.filter(run => run.check_suite?.id === id)
  const isOver = suite.status === 'completed'
  const isEmpty = own.length === 0 && suite.latest_check_runs_count === 0
  if (isEmpty ? app !== ACTIONS : isOver) return []
  if (own.some(({ status }) => status !== 'completed')) return []
  const result = readResult(suite.status, suite.conclusion)
  if (result.state === 'green') return []
  const report = { ...result, ...unknown, name: suite.app?.name ?? app, url: '' }
  return [{ report: { ...report, startedAt: suite.created_at ?? '' }, app, suite: id, id, isWhole: true }]
}

function readResult(
  status: string | null,
  conclusion: string | null,
): { state: CheckState; isWithoutVerdict: boolean } {
  if (status !== 'completed') return { state: 'pending', isWithoutVerdict: false }
  const isGreen = ['success', 'neutral', 'skipped'].includes(conclusion ?? '')
  const isWithoutVerdict = ['cancelled', 'stale', 'action_required'].includes(conclusion ?? '')
  return { state: isGreen ? 'green' : 'red', isWithoutVerdict }
}

/** May one run of a workflow have taken the place of another, or be that of another repository? */
function mayHaveRivals(suites: CheckSuite[]): boolean {
  return suites.filter(({ app }) => app?.slug === ACTIONS).length > 1
}

/** Where the login may not see that, each run counts. */
async function readWorkflows(forge: Forge, commit: string): Promise<WorkflowRun[]> {
  try {
    return await listWorkflowRuns(forge, commit)
  } catch (error) {
    if (!isDenied(error)) throw error
    return []
  }
}

function listWorkflowRuns({ repository, request }: Forge, commit: string): Promise<WorkflowRun[]> {
  return request(`read the workflows of ${commit.slice(0, 10)}`, client =>
    client.paginate(client.rest.actions.listWorkflowRunsForRepo, { ...repository, head_sha: commit, per_page: 100 }),
  )
}

/** What other apps report as checks cannot be seen so. */
async function readJobs(forge: Forge, commit: string): Promise<CheckReport[]> {
  const { repository, request } = forge
  const runs = await listWorkflowRuns(forge, commit)
  const all: Placed[] = []
  for (const run of runs) {
    const jobs = await request(`read the jobs of ${commit.slice(0, 10)}`, client =>
      client.paginate(client.rest.actions.listJobsForWorkflowRun, { ...repository, run_id: run.id, per_page: 100 }),
    )
    const suite = Number(run.check_suite_id)
    const place = { app: ACTIONS, suite }
    for (const { id, name, status, conclusion, html_url, started_at } of jobs) {
      const report = { ...readResult(status, conclusion), ...unknown, name, url: html_url ?? '', jobId: Number(id) }
      all.push({ report: { ...report, startedAt: started_at }, ...place, id: Number(id), isWhole: false })
    }
    const whole = readResult(run.status, run.conclusion)
    const isTold = jobs.some(({ status }) => status !== 'completed') || (jobs.length > 0 && whole.state !== 'pending')
    if (whole.state === 'green' || isTold) continue
    const report = { ...whole, ...unknown, name: run.name ?? 'GitHub Actions', url: run.html_url }
    all.push({ report: { ...report, startedAt: run.created_at }, ...place, id: suite, isWhole: true })
  }
  return dropReplaced(forge, all, runs)
}

/** By the number of its suite, the workflow of a run and what has started it: `12/push`. */
type Workflows = Map<number, { kind: string; startedAt: string }>

function dropReplaced({ address }: Forge, every: Placed[], runs: WorkflowRun[]): CheckReport[] {
  const foreign = listForeignSuites(`${address.owner}/${address.name}`, runs)
  const all = every.filter(({ suite }) => !foreign.has(suite))
  const workflows: Workflows = new Map(
    runs.map(({ check_suite_id, workflow_id, event, run_started_at, created_at }) => [
      Number(check_suite_id),
      { kind: `${workflow_id}/${event}`, startedAt: run_started_at ?? created_at },
    ]),
  )
  return all.filter(each => !isReplaced(each, all, workflows)).map(({ report }) => report)
}

/**
 * Anyone may push a commit of this repository to a fork and open a pull request from there: its jobs may be skipped, and come later. Where
 * the repository has run its workflows for the commit, those of forks do not count. Without such, the commit is that of a fork.
 */
function listForeignSuites(repository: string, runs: WorkflowRun[]): Set<number> {
  const isOwn = ({ head_repository }: WorkflowRun) =>
    head_repository?.full_name?.toLowerCase() === repository.toLowerCase()
  return new Set(runs.some(isOwn) ? runs.filter(run => !isOwn(run)).map(run => Number(run.check_suite_id)) : [])
}

/**
 * GitHub lists the latest run of each name within one suite. Here one is replaced by a later one of the same app, name, workflow and event:
 * a push and a pull request are checked each for itself.
 */
function isReplaced(placed: Placed, all: Placed[], workflows: Workflows): boolean {
  const own = workflows.get(placed.suite)
  if (placed.isWhole)
    return [...workflows.values()].some(other => other.kind === own?.kind && other.startedAt > own.startedAt)
  return all.some(other => {
    if (other.isWhole || other.app !== placed.app || other.report.name !== placed.report.name) return false
    const isSameKind = placed.app !== ACTIONS || (own !== undefined && workflows.get(other.suite)?.kind === own.kind)
    const [before, after] = [placed.report.startedAt, other.report.startedAt]
    return isSameKind && (after > before || (after === before && other.id > placed.id))
  })
}
