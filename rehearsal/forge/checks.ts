import { resolveRef } from './branches.ts'
import {
  getSuiteId,
  OTHER_APP,
  renderAnnotation,
  renderCheckRun,
  renderCheckSuite,
  renderStatus,
  type ScriptedSuite,
} from './check-shapes.ts'
import { settleMerges } from './merge.ts'
import {
  type Call,
  created,
  fail,
  list,
  notFound,
  ok,
  type Reply,
  type Route,
  readText,
  refuse,
  route,
} from './router.ts'
import { renderRepository } from './shapes.ts'
import type { ScriptedCheckRun, ScriptedRepository, ScriptedStatus } from './state.ts'

/** Check runs and commit statuses. */
export const checkRoutes: Route[] = [
  route('GET /repos/:owner/:repo/commits/*ref/check-runs', ['checks', 'read'], listCheckRuns),
  route('GET /repos/:owner/:repo/commits/*ref/check-suites', ['checks', 'read'], listSuites),
  route('GET /repos/:owner/:repo/commits/*ref/status', ['statuses', 'read'], readCombinedStatus),
  route('GET /repos/:owner/:repo/commits/*ref/statuses', ['statuses', 'read'], listStatuses),
  route('POST /repos/:owner/:repo/statuses/:sha', ['statuses', 'write'], createStatus),
  route('POST /repos/:owner/:repo/check-runs', ['checks', 'write'], createCheckRun),
  route('PATCH /repos/:owner/:repo/check-runs/:id', ['checks', 'write'], updateCheckRun),
  route('GET /repos/:owner/:repo/check-runs/:id/annotations', ['checks', 'read'], ({ state, repository, params }) => {
    const run = repository.checkRuns.find(({ id }) => id === Number(params['id']))
    return run === undefined ? notFound : list((run.annotations ?? []).map(each => renderAnnotation(each, state)))
  }),
]

// --- internal ---

async function listCheckRuns({ state, repository, params, query }: Call): Promise<Reply> {
  const commit = await resolveRef(repository, params['ref'] ?? '')
  if (commit === undefined) return fail(422, `No commit found for SHA: ${params['ref']}`)
  const name = query.get('check_name')
  const runs = repository.checkRuns.filter(each => each.commit === commit && (name === null || each.name === name))
  // The latest of each name, but of each suite for itself.
  const byName = new Map(runs.map(each => [JSON.stringify([each.suite, each.name]), each]))
  const latest = query.get('filter') === 'all' ? runs : [...byName.values()]
  return list(
    latest.map(run => renderCheckRun(state, run)),
    page => ({ total_count: latest.length, check_runs: page }),
  )
}

async function listSuites({ state, repository, params }: Call): Promise<Reply> {
  const commit = await resolveRef(repository, params['ref'] ?? '')
  if (commit === undefined) return fail(422, `No commit found for SHA: ${params['ref']}`)
  const suites = listSuitesOf(repository, commit).map(suite => renderCheckSuite(state, suite))
  return list(suites, page => ({ total_count: suites.length, check_suites: page }))
}

/** An app that may report, and has not, has an empty suite that is queued for ever. */
function listSuitesOf({ checkRuns, workflowRuns }: ScriptedRepository, commit: string): ScriptedSuite[] {
  const runs = checkRuns.filter(each => each.commit === commit)
  const others = runs.filter(({ suite }) => suite === undefined)
  const isOver = others.every(({ status }) => status === 'completed')
  const first = { commit, startedAt: new Date(0).toISOString(), status: 'queued', conclusion: null } as const
  const silent: ScriptedSuite = { ...first, id: getSuiteId('silent'), app: 'silent', runCount: 0 }
  const ended = isOver && ({ status: 'completed', conclusion: 'neutral' } as const)
  const other: ScriptedSuite = {
    ...first,
    id: getSuiteId(OTHER_APP),
    app: OTHER_APP,
    runCount: others.length,
    ...ended,
  }
  const workflows = workflowRuns.filter(each => each.commit === commit)
  return [
    silent,
    ...(others.length === 0 ? [] : [other]),
    ...workflows.map(each => {
      const runCount = runs.filter(({ suite }) => suite === each.id).length
      return { ...each, app: 'github-actions', runCount }
    }),
  ]
}

async function readCombinedStatus({ state, repository, params, token }: Call): Promise<Reply> {
  const commit = await resolveRef(repository, params['ref'] ?? '')
  if (commit === undefined) return notFound
  const own = repository.statuses.filter(each => each.commit === commit)
  const latest = [...new Map(own.map(each => [each.context, each])).values()]
  const isBad = latest.some(each => each.state === 'failure' || each.state === 'error')
  const isGood = latest.length > 0 && latest.every(each => each.state === 'success')
  return list(
    latest.map(status => renderStatus(state, status)),
    page => ({
      state: isBad ? 'failure' : isGood ? 'success' : 'pending',
      sha: commit,
      total_count: latest.length,
      statuses: page,
      repository: renderRepository(state, repository, token.login),
      commit_url: `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/commits/${commit}`,
      url: `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/commits/${commit}/status`,
    }),
  )
}

async function listStatuses({ state, repository, params }: Call): Promise<Reply> {
  const commit = await resolveRef(repository, params['ref'] ?? '')
  const own = repository.statuses.filter(each => each.commit === commit)
  return commit === undefined ? notFound : list(own.toReversed().map(status => renderStatus(state, status)))
}

async function createStatus(call: Call): Promise<Reply> {
  const { state, repository, params, body } = call
  const commit = await resolveRef(repository, params['sha'] ?? '')
  if (commit === undefined) return fail(422, `No commit found for SHA: ${params['sha']}`)
  const wanted = readText(body, 'state') as ScriptedStatus['state']
  if (!['error', 'failure', 'pending', 'success'].includes(wanted)) return refuse('Status', 'state')
  const status: ScriptedStatus = {
    ...{ id: state.nextId++, commit, state: wanted, context: readText(body, 'context') || 'default' },
    ...{ description: readText(body, 'description'), targetUrl: readText(body, 'target_url') },
    createdAt: new Date().toISOString(),
  }
  repository.statuses.push(status)
  call.emit('status', { sha: commit, state: wanted, context: status.context })
  await settleMerges(call)
  return created(renderStatus(state, status))
}

/** Only an App may make check runs; to any other token GitHub says that it may not. */
async function createCheckRun(call: Call): Promise<Reply> {
  const { state, repository, body, token } = call
  if (token.permissions?.['checks'] !== 'write') return fail(403, 'You must authenticate via a GitHub App.')
  const commit = await resolveRef(repository, readText(body, 'head_sha'))
  if (commit === undefined || readText(body, 'name') === '') return refuse('CheckRun', 'head_sha')
  const run: ScriptedCheckRun = {
    ...{ id: state.nextId++, commit, name: readText(body, 'name'), status: 'queued', conclusion: null },
    ...{ title: '', summary: '', startedAt: new Date().toISOString(), completedAt: null },
    ...{ externalId: readText(body, 'external_id'), detailsUrl: readText(body, 'details_url') },
  }
  repository.checkRuns.push(run)
  return finish(call, run, created)
}

async function updateCheckRun(call: Call): Promise<Reply> {
  const run = call.repository.checkRuns.find(({ id }) => id === Number(call.params['id']))
  return run === undefined ? notFound : finish(call, run, ok)
}

async function finish(call: Call, run: ScriptedCheckRun, answer: (body: unknown) => Reply): Promise<Reply> {
  const { state, body } = call
  const output = (body['output'] ?? {}) as Record<string, unknown>
  if (typeof body['status'] === 'string') run.status = body['status'] as ScriptedCheckRun['status']
  if (typeof body['conclusion'] === 'string') {
    run.conclusion = body['conclusion'] as ScriptedCheckRun['conclusion']
    run.status = 'completed'
    run.completedAt = new Date().toISOString()
  }
  run.title = readText(output, 'title') || run.title
  run.summary = readText(output, 'summary') || run.summary
  const rendered = renderCheckRun(state, run)
  call.emit('check_run', { action: run.status === 'completed' ? 'completed' : 'created', check_run: rendered })
  await settleMerges(call)
  return answer(rendered)
}
