import { toId } from './shapes.ts'
import type { ForgeState, ScriptedCheckRun, ScriptedRepository, ScriptedStatus, ScriptedWorkflowRun } from './state.ts'

/** The shapes of what GitHub says of a commit: check runs, their suites, workflow runs and statuses. */

export function renderCheckRun({ url }: ForgeState, run: ScriptedCheckRun) {
  return {
    id: run.id,
    node_id: `CR_${run.id}`,
    head_sha: run.commit,
    name: run.name,
    external_id: run.externalId ?? '',
    url: `${url}/api/v3/check-runs/${run.id}`,
    html_url: `${url}/runs/${run.id}`,
    details_url: run.detailsUrl ?? null,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text ?? null,
      annotations_count: run.annotations?.length ?? 0,
      annotations_url: `${url}/api/v3/check-runs/${run.id}/annotations`,
    },
    check_suite: { id: run.suite ?? getSuiteId(OTHER_APP) },
    app: renderApp(run.suite === undefined ? OTHER_APP : 'github-actions'),
    pull_requests: [],
  }
}

/** The checks of a commit that come from one app, or from one run of a workflow. */
export interface ScriptedSuite
  extends Pick<ScriptedWorkflowRun, 'id' | 'commit' | 'status' | 'conclusion' | 'startedAt'> {
  app: string
  runCount: number
}

/** The app that reports checks which no workflow has made. */
export const OTHER_APP = 'other-ci'

/** The number of the suite that an app has for every commit. */
export const getSuiteId = (app: string) => toId(`suite of ${app}`)

export function renderCheckSuite({ url }: ForgeState, suite: ScriptedSuite) {
  const { id, commit, app, status, conclusion, startedAt, runCount } = suite
  return {
    ...{ id, node_id: `CS_${id}`, head_branch: null, head_sha: commit, status, conclusion },
    ...{ url: `${url}/api/v3/check-suites/${id}`, pull_requests: [], app: renderApp(app) },
    ...{ created_at: startedAt, updated_at: startedAt, latest_check_runs_count: runCount },
  }
}

export function renderWorkflowRun(
  { url }: ForgeState,
  { owner, name }: Pick<ScriptedRepository, 'owner' | 'name'>,
  run: ScriptedWorkflowRun,
) {
  const { id, commit, workflow, event, status, conclusion, startedAt } = run
  return {
    head_repository: { full_name: run.headRepository ?? `${owner}/${name}` },
    ...{ id, node_id: `WFR_${id}`, name: workflow, check_suite_id: id, head_branch: null, head_sha: commit },
    ...{ path: `.github/workflows/${workflow}.yml`, run_number: 1, run_attempt: 1, event, status, conclusion },
    ...{ workflow_id: toId(workflow), url: `${url}/api/v3/actions/runs/${id}`, html_url: `${url}/actions/runs/${id}` },
    ...{ pull_requests: [], created_at: startedAt, updated_at: startedAt, run_started_at: startedAt },
  }
}

/** A job of a workflow: its check run is the same. */
export function renderJob({ url }: ForgeState, run: ScriptedCheckRun) {
  const { id, commit, suite = 0, name, status, conclusion, startedAt, completedAt } = run
  return {
    ...{ id, node_id: `JOB_${id}`, run_id: suite, run_url: `${url}/api/v3/actions/runs/${suite}`, head_sha: commit },
    ...{ url: `${url}/api/v3/actions/jobs/${id}`, html_url: `${url}/actions/runs/${suite}/job/${id}`, name },
    ...{ status, conclusion, created_at: startedAt, started_at: startedAt, completed_at: completedAt },
  }
}

function renderApp(slug: string) {
  return { id: toId(slug), node_id: `A_${slug}`, slug, name: slug === 'github-actions' ? 'GitHub Actions' : slug }
}

export function renderAnnotation(
  { path, line, message }: NonNullable<ScriptedCheckRun['annotations']>[number],
  { url }: ForgeState,
) {
  return {
    ...{ path, start_line: line, end_line: line, start_column: null, end_column: null, message, title: null },
    ...{ annotation_level: 'failure', raw_details: null, blob_href: url },
  }
}

export function renderStatus(state: ForgeState, status: ScriptedStatus) {
  return {
    id: status.id,
    node_id: `SC_${status.id}`,
    url: `${state.url}/api/v3/statuses/${status.commit}`,
    avatar_url: null,
    state: status.state,
    context: status.context,
    description: status.description,
    target_url: status.targetUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
  }
}
