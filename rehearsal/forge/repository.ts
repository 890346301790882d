import { git, tryGit } from '#host/git'
import { readBranch, resolveRef } from './branches.ts'
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
import { renderRepository, renderUser } from './shapes.ts'
import { getRole, type ScriptedRepository } from './state.ts'

/** The repository itself: who may do what, branches, and what a branch asks for. */
export const repositoryRoutes: Route[] = [
  route('GET /user', undefined, ({ state, token }) =>
    token.login.endsWith('[bot]')
      ? fail(403, 'Resource not accessible by integration')
      : ok(renderUser(state, token.login)),
  ),
  route('GET /rate_limit', undefined, ({ token }) => {
    const core = { limit: 5000, remaining: token.rate.remaining, reset: token.rate.resetAt, used: 0 }
    return ok({ resources: { core, search: core }, rate: core })
  }),
  route('GET /repos/:owner/:repo', ['metadata', 'read'], ({ state, repository, token }) =>
    ok(renderRepository(state, repository, token.login)),
  ),
  route('GET /repos/:owner/:repo/collaborators/:login/permission', ['metadata', 'read'], readPermission),
  route('GET /repos/:owner/:repo/branches/*branch/protection', ['administration', 'read'], readProtection),
  route('GET /repos/:owner/:repo/branches/*branch', ['contents', 'read'], readOneBranch),
  route('GET /repos/:owner/:repo/rules/branches/*branch', ['metadata', 'read'], listRules),
  route('GET /repos/:owner/:repo/commits/:ref', ['contents', 'read'], readCommit),
  route('GET /repos/:owner/:repo/git/commits/:ref', ['contents', 'read'], readGitCommit),
  route('GET /repos/:owner/:repo/compare/*basehead', ['contents', 'read'], compare),
  route('GET /repos/:owner/:repo/git/matching-refs/*ref', ['contents', 'read'], listRefs),
  route('GET /repos/:owner/:repo/git/ref/*ref', ['contents', 'read'], readRef),
  route('POST /repos/:owner/:repo/git/refs', ['contents', 'write'], createRef),
  route('DELETE /repos/:owner/:repo/git/refs/*ref', ['contents', 'write'], deleteRef),
]

// --- internal ---

function readPermission({ state, repository, params, token }: Call): Reply {
  const login = params['login'] ?? ''
  if (!['admin', 'write', 'triage'].includes(getRole(repository, token.login)) && token.login !== login)
    return fail(403, 'Must have push access to view collaborator permission.')
  const role = getRole(repository, login)
  const permission = role === 'triage' ? 'read' : role
  return ok({ permission, role_name: role, user: { ...renderUser(state, login), permissions: undefined } })
}

async function readOneBranch({ state, repository, params }: Call): Promise<Reply> {
  const name = params['branch'] ?? ''
  const commit = await readBranch(repository, name)
  if (commit === undefined) return fail(404, 'Branch not found')
  const rules = repository.rules[name]
  return ok({
    name,
    commit: { sha: commit, url: `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/commits/${commit}` },
    protected: rules !== undefined,
    protection: {
      enabled: rules !== undefined,
      required_status_checks: {
        enforcement_level: rules ? 'everyone' : 'off',
        contexts: rules?.requiredChecks ?? [],
        checks: [],
      },
    },
  })
}

/** Only an administrator sees it. Everyone else learns from the rules. */
function readProtection({ repository, params, token }: Call): Reply {
  const rules = repository.rules[params['branch'] ?? '']
  if (getRole(repository, token.login) !== 'admin') return notFound
  if (rules === undefined) return fail(404, 'Branch not protected')
  return ok({
    required_status_checks: {
      strict: false,
      contexts: rules.requiredChecks,
      checks: rules.requiredChecks.map(context => ({ context, app_id: null })),
    },
    required_pull_request_reviews: { required_approving_review_count: rules.requiredApprovals },
  })
}

function listRules({ repository, params }: Call): Reply {
  const rules = repository.rules[params['branch'] ?? '']
  if (repository.isFree && repository.isPrivate)
    return fail(403, 'Upgrade to GitHub Pro or make this repository public to enable this feature.')
  if (rules === undefined) return list([])
  const source = {
    ruleset_source_type: 'Repository',
    ruleset_source: `${repository.owner}/${repository.name}`,
    ruleset_id: 1,
  }
  const checks = rules.requiredChecks.map(context => ({ context }))
  return list([
    ...(checks.length > 0
      ? [
          {
            type: 'required_status_checks',
            ...source,
            parameters: {
              required_status_checks: checks,
              strict_required_status_checks_policy: rules.isStrict ?? false,
            },
          },
        ]
      : []),
    ...(rules.requiredApprovals > 0
      ? [{ type: 'pull_request', ...source, parameters: { required_approving_review_count: rules.requiredApprovals } }]
      : []),
    ...(rules.hasMergeQueue ? [{ type: 'merge_queue', ...source, parameters: { merge_method: 'MERGE' } }] : []),
  ])
}

async function readCommit({ state, repository, params }: Call): Promise<Reply> {
  const sha = await resolveRef(repository, params['ref'] ?? '')
  if (sha === undefined) return fail(422, `No commit found for SHA: ${params['ref']}`)
  const [tree = '', ...parents] = (await git(['--git-dir', repository.folder, 'log', '-1', '--format=%T %P', sha]))
    .split(' ')
    .filter(Boolean)
  const message = await git(['--git-dir', repository.folder, 'log', '-1', '--format=%B', sha])
  const url = `${state.url}/api/v3/repos/${repository.owner}/${repository.name}`
  return ok({
    sha,
    node_id: `C_${sha}`,
    url: `${url}/commits/${sha}`,
    commit: { message: message.trim(), tree: { sha: tree, url: `${url}/git/trees/${tree}` } },
    parents: parents.map(parent => ({ sha: parent, url: `${url}/commits/${parent}` })),
  })
}

/** The commit without its changes: its message is beside its hash. */
async function readGitCommit(call: Call): Promise<Reply> {
  const { status, body } = await readCommit(call)
  if (status !== 200) return notFound
  const { commit, ...rest } = body as { commit: { message: string; tree: object } }
  return ok({ ...rest, ...commit })
}

async function compare({ repository, params }: Call): Promise<Reply> {
  const [base = '', head = ''] = (params['basehead'] ?? '').split('...')
  const [from, to] = [await resolveRef(repository, base), await resolveRef(repository, head)]
  if (from === undefined || to === undefined) return notFound
  const range = ['rev-list', '--left-right', '--count', `${from}...${to}`]
  const [behind, ahead] = (await git(['--git-dir', repository.folder, ...range])).split('\t').map(Number)
  const status = ahead && behind ? 'diverged' : ahead ? 'ahead' : behind ? 'behind' : 'identical'
  return ok({ status, ahead_by: ahead, behind_by: behind, total_commits: ahead, commits: [], files: [] })
}

async function listRefs({ state, repository, params }: Call): Promise<Reply> {
  const format = '--format=%(refname) %(objectname)'
  const listed = await git(['--git-dir', repository.folder, 'for-each-ref', format, `refs/${params['ref']}*`])
  const lines = listed.split('\n').filter(Boolean)
  return list(lines.map(line => renderRef(state, repository, ...(line.split(' ') as [string, string]))))
}

async function readRef({ state, repository, params }: Call): Promise<Reply> {
  const ref = `refs/${params['ref']}`
  const ran = await tryGit(['--git-dir', repository.folder, 'rev-parse', '--verify', '--quiet', ref])
  return ran.exitCode === 0 ? ok(renderRef(state, repository, ref, ran.stdout.trim())) : notFound
}

/** The second one is refused: a claim is made this way. */
async function createRef({ state, repository, body }: Call): Promise<Reply> {
  const [ref, sha] = [readText(body, 'ref'), readText(body, 'sha')]
  if (!/^refs\/heads\/./.test(ref)) return refuse('Reference', 'ref')
  const ran = await tryGit(['--git-dir', repository.folder, 'update-ref', ref, sha, '0'.repeat(40)])
  if (ran.exitCode === 0) return created(renderRef(state, repository, ref, sha))
  return fail(422, /already exists/.test(ran.stderr) ? 'Reference already exists' : 'Object does not exist')
}

async function deleteRef({ repository, params }: Call): Promise<Reply> {
  const ran = await tryGit(['--git-dir', repository.folder, 'update-ref', '-d', `refs/${params['ref']}`])
  return ran.exitCode === 0 ? { status: 204 } : fail(422, 'Reference does not exist')
}

function renderRef({ url }: Call['state'], { owner, name }: ScriptedRepository, ref: string, sha: string) {
  const api = `${url}/api/v3/repos/${owner}/${name}`
  return {
    ref,
    node_id: `REF_${ref}`,
    url: `${api}/git/${ref}`,
    object: { type: 'commit', sha, url: `${api}/git/commits/${sha}` },
  }
}
