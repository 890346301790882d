import { renderJob, renderWorkflowRun } from './check-shapes.ts'
import { fail, list, notFound, ok, type Reply, type Route, route } from './router.ts'
import type { ForgeState } from './state.ts'

/** Runs of workflows, and the settings that they depend on. The value of a secret is shown to no login. */
export const actionsRoutes: Route[] = [
  route('GET /repos/:owner/:repo/actions/runs', ['actions', 'read'], ({ state, repository, query }) => {
    const commit = query.get('head_sha')
    const runs = repository.workflowRuns.filter(each => commit === null || each.commit === commit)
    return list(
      runs.map(run => renderWorkflowRun(state, repository, run)),
      page => ({ total_count: runs.length, workflow_runs: page }),
    )
  }),
  route('GET /repos/:owner/:repo/actions/runs/:id/jobs', ['actions', 'read'], ({ state, repository, params }) => {
    const jobs = repository.checkRuns.filter(({ suite }) => suite === Number(params['id']))
    return list(
      jobs.map(job => renderJob(state, job)),
      page => ({ total_count: jobs.length, jobs: page }),
    )
  }),
  route('GET /repos/:owner/:repo/actions/jobs/:id/logs', ['actions', 'read'], ({ state, repository, params }) => {
    const isThere = repository.checkRuns.some(({ id, log }) => id === Number(params['id']) && log !== undefined)
    if (!isThere) return notFound
    return { status: 302, headers: { location: `${getLogServer(state)}/logs/${params['id']}?sig=secret` } }
  }),
  route('GET /repos/:owner/:repo/actions/secrets', ['secrets', 'read'], ({ repository }) =>
    listSecrets(repository.secretNames),
  ),
  route('GET /repos/:owner/:repo/actions/organization-secrets', ['secrets', 'read'], ({ repository }) => {
    const { organizationSecrets: names } = repository
    return names === 'hidden' ? fail(403, 'Resource not accessible') : listSecrets(names ?? [])
  }),
  route('GET /repos/:owner/:repo/actions/permissions/workflow', ['administration', 'read'], ({ repository }) =>
    ok({
      default_workflow_permissions: 'read',
      can_approve_pull_request_reviews: repository.mayWorkflowsOpenPulls,
    }),
  ),
]

/** What is served at the address of a log. That server knows no logins, and refuses a request that brings one, as Azure's does. */
export function answerLog(
  { repositories }: ForgeState,
  pathname: string,
  login: string | undefined,
): LogAnswer | undefined {
  const [, id] = /^\/logs\/(\d+)$/.exec(pathname) ?? []
  if (id === undefined) return undefined
  if (login !== undefined) return { status: 400, text: 'InvalidAuthenticationInfo' }
  const job = repositories.flatMap(({ checkRuns }) => checkRuns).find(each => each.id === Number(id))
  return job?.log === undefined ? { status: 404, text: 'BlobNotFound' } : { status: 200, text: job.log }
}

// --- internal ---

interface LogAnswer {
  status: number
  text: string
}

/** For a client it is another server: it has another name. */
const getLogServer = ({ url }: ForgeState) => url.replace('127.0.0.1', 'localhost')

const SOME_DAY = '2026-01-01T00:00:00Z'

function listSecrets(names: string[]): Reply {
  return list(
    names.map(name => ({ name, created_at: SOME_DAY, updated_at: SOME_DAY })),
    page => ({ total_count: names.length, secrets: page }),
  )
}
