import { git, tryGit } from '#host/git'
import { mergeTrees, readSides } from './branches.ts'
import { type Call, fail, ok, type Reply } from './router.ts'
import type { MergeMethod, ScriptedIssue, ScriptedPull, ScriptedRepository } from './state.ts'
import { touch } from './state.ts'

/** What keeps a pull request from being merged, in GitHub's words; undefined if nothing does. */
export function findObstacle(
  repository: ScriptedRepository,
  { pull }: ScriptedIssue,
  head: string,
): string | undefined {
  if (pull === undefined) return 'Not Found'
  if (pull.isDraft) return 'Pull Request is still a draft'
  const { requiredChecks = [], requiredApprovals = 0 } = repository.rules[pull.base] ?? {}
  const missing = requiredChecks.find(name => getCheckState(repository, head, name) !== 'success')
  if (missing !== undefined) {
    const isMade = getCheckState(repository, head, missing) !== undefined
    return `Required status check "${missing}" is ${isMade ? 'failing' : 'expected'}.`
  }
  const last = new Map(
    pull.reviews.filter(({ state }) => state !== 'COMMENTED').map(({ author, state }) => [author, state]),
  )
  if (requiredApprovals > 0 && [...last.values()].includes('CHANGES_REQUESTED')) return 'Changes have been requested.'
  const approvals = [...last.values()].filter(state => state === 'APPROVED').length
  return approvals < requiredApprovals
    ? `At least ${requiredApprovals} approving review is required by reviewers with write access.`
    : undefined
}

/** `success`, `pending` or `failure` of a check or a status by its name; undefined if it was not reported. */
export function getCheckState({ checkRuns, statuses }: ScriptedRepository, commit: string, name: string) {
  const run = checkRuns.findLast(each => each.commit === commit && each.name === name)
  if (run) {
    if (run.status !== 'completed') return 'pending'
    return ['success', 'neutral', 'skipped'].includes(run.conclusion ?? '') ? 'success' : 'failure'
  }
  const status = statuses.findLast(each => each.commit === commit && each.context === name)
  return status && (status.state === 'error' ? 'failure' : status.state)
}

/** `PUT /repos/:owner/:repo/pulls/:number/merge` */
export async function mergePull(call: Call, issue: ScriptedIssue): Promise<Reply> {
  const { state, repository, body, token } = call
  const method = (body['merge_method'] ?? 'merge') as MergeMethod
  const { head, base, isMergeable, isBehind } = await readSides(state, repository, issue)
  if (issue.state !== 'open') return fail(405, 'Pull Request is not mergeable')
  if (body['sha'] !== undefined && body['sha'] !== head)
    return fail(409, 'Head branch was modified. Review and try the merge again.')
  if (!repository.methods.includes(method)) return fail(405, `${method} merges are not allowed on this repository.`)
  if (repository.rules[issue.pull?.base ?? '']?.hasMergeQueue)
    return fail(405, 'Changes must be made through the merge queue')
  const obstacle = findObstacle(repository, issue, head) ?? (isMergeable ? undefined : 'Pull Request is not mergeable')
  if (obstacle !== undefined) return fail(405, obstacle)
  if (isBehind) return fail(405, 'Head branch is out of date. Review and try the merge again.')
  const words = [body['commit_title'], body['commit_message']].filter(each => typeof each === 'string')
  const message = words.length === 0 ? undefined : words.join('\n\n')
  const sha = await performMerge(call, issue, { head, base, method, by: token.login, message })
  return ok({ sha, merged: true, message: 'Pull Request successfully merged' })
}

/** Merge what waits for nothing any more: pull requests with auto-merge, and those in the queue. */
export async function settleMerges(call: Pick<Call, 'state' | 'emit'>): Promise<void> {
  for (const repository of call.state.repositories)
    for (const issue of repository.issues) {
      const { pull } = issue
      if (!pull || issue.state !== 'open' || !(pull.autoMerge || pull.isQueued)) continue
      if (pull.isQueued && repository.rules[pull.base]?.holdsQueue) continue
      const { head, base, isMergeable } = await readSides(call.state, repository, issue)
      const expected = pull.autoMerge?.commit
      if (expected !== undefined && expected !== head) delete pull.autoMerge
      else if (isMergeable && findObstacle(repository, issue, head) === undefined) {
        const method = pull.autoMerge?.method ?? repository.methods[0] ?? 'merge'
        const by = pull.autoMerge?.by ?? 'github-merge-queue[bot]'
        await performMerge({ ...call, repository }, issue, { head, base, method, by, message: undefined })
      }
    }
}

/** Close what a merge closes: issues that the body names. */
export function closeIssues(repository: ScriptedRepository, body: string): void {
  for (const [, number] of body.matchAll(/\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?) #(\d+)/gi)) {
    const issue = repository.issues.find(each => each.number === Number(number))
    if (issue === undefined || issue.state === 'closed') continue
    issue.state = 'closed'
    touch(issue)
  }
}

// --- internal ---

interface MergePlan {
  head: string
  base: string
  method: MergeMethod
  by: string
  message: string | undefined
}

async function performMerge(
  { repository, emit }: Pick<Call, 'repository' | 'emit'>,
  issue: ScriptedIssue,
  plan: MergePlan,
): Promise<string> {
  const pull = issue.pull as ScriptedPull
  const commit = await makeMerge(repository, issue, plan)
  await git(['--git-dir', repository.folder, 'update-ref', `refs/heads/${pull.base}`, commit, plan.base])
  pull.merged = { commit, by: plan.by, at: new Date().toISOString() }
  pull.isQueued = false
  issue.state = 'closed'
  touch(issue)
  if (pull.base === repository.defaultBranch) closeIssues(repository, issue.body)
  emit('pull_request', {
    action: 'closed',
    number: issue.number,
    merged: true,
    repository: describeRepository(repository),
  })
  emit('push', {
    ref: `refs/heads/${pull.base}`,
    before: plan.base,
    after: commit,
    repository: describeRepository(repository),
  })
  return commit
}

async function makeMerge(repository: ScriptedRepository, issue: ScriptedIssue, plan: MergePlan): Promise<string> {
  const { base, head, method, message } = plan
  const commitTree = (tree: string, parents: string[], message: string) =>
    git(['--git-dir', repository.folder, 'commit-tree', tree, ...parents.flatMap(each => ['-p', each]), '-m', message])
  const whole = await mergeTrees(repository, base, head)
  if (!('tree' in whole)) throw new Error(`pull request ${issue.number} does not merge`)
  if (method === 'merge')
    return commitTree(whole.tree, [base, head], message ?? `Merge pull request #${issue.number}\n\n${issue.title}`)
  if (method === 'squash')
    return commitTree(whole.tree, [base], message ?? `${issue.title} (#${issue.number})\n\n${issue.body}`)
  const listed = await git(['--git-dir', repository.folder, 'rev-list', '--reverse', `${base}..${head}`])
  let tip = base
  for (const commit of listed.split('\n').filter(Boolean)) {
    const step = await mergeOne(repository, commit, tip)
    const message = await git(['--git-dir', repository.folder, 'log', '-1', '--format=%B', commit])
    tip = await commitTree(step, [tip], message)
  }
  return tip
}

/** What one commit changed, on top of another. git 2.39 cannot be told the base, so both sides get it as their parent. */
async function mergeOne({ folder }: ScriptedRepository, commit: string, onto: string): Promise<string> {
  const side = ['commit-tree', `${onto}^{tree}`, '-p', `${commit}^`, '-m', 'onto']
  const ontoBase = await git(['--git-dir', folder, ...side])
  const ran = await tryGit(['--git-dir', folder, 'merge-tree', '--write-tree', ontoBase, commit])
  if (ran.exitCode !== 0) throw new Error(`${commit} does not apply`)
  return ran.stdout.trim().split('\n')[0] ?? ''
}

function describeRepository({ owner, name }: ScriptedRepository) {
  return { full_name: `${owner}/${name}`, name, owner: { login: owner } }
}

/** Is a merge queue or auto-merge asked for, and may it be? */
export function requestMerge(
  repository: ScriptedRepository,
  issue: ScriptedIssue,
  wanted: { kind: 'auto-merge' | 'queue'; method: MergeMethod; by: string; commit: string | undefined },
): string | undefined {
  const pull = issue.pull as ScriptedPull
  const hasQueue = repository.rules[pull.base]?.hasMergeQueue ?? false
  if (wanted.kind === 'queue') {
    if (!hasQueue) return 'The merge queue is not enabled for this branch'
    pull.isQueued = true
    pull.queuedLooks = 0
    return undefined
  }
  if (!repository.allowsAutoMerge) return 'Auto merge is not allowed for this repository'
  if (!repository.methods.includes(wanted.method)) return `Merge method ${wanted.method} is not allowed`
  if (pull.isDraft) return 'Pull request is in draft state'
  if (findObstacle(repository, issue, pull.headCommit) === undefined) return 'Pull request is in clean status'
  pull.autoMerge = { method: wanted.method, by: wanted.by, commit: wanted.commit }
  return undefined
}
