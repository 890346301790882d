import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { decideMerge, mergePullRequest, publishPullRequest, readMergeState } from '#forge'
import { readFollowedPull } from '#forge/feedback'
import type { MergeState } from '#forge/merge-state.ts'
import { git } from '#host/git'
import { addCheckRun, addReview, addWorkflowRun } from '#rehearsal/forge/state.ts'
import { openForge } from '../fixtures/forge.ts'

const open: MergeState = {
  ...{ state: 'open', isDraft: false, base: 'main', headCommit: 'c1', mergeCommit: undefined, hasConflicts: false },
  ...{ review: 'not needed', checks: new Map([['ci', 'green']]), required: ['ci'], hasQueue: false, isQueued: false },
  ...{ reportedForMs: 3_600_000, isBehind: false },
}
const decide = (changes: Partial<MergeState>, waitedMs = 0, allowsNoChecks = false) =>
  decideMerge({ ...open, ...changes }, { commit: 'c1', allowsNoChecks, waitedMs, letters: '3f2a' })

test('it is merged only when all that is asked for is there, for exactly the judged commit', () => {
  assert.equal(decide({}).kind, 'merge')
  assert.equal(decide({ headCommit: 'c2' }).kind, 'refuse')
  assert.equal(decide({ isDraft: true }).kind, 'refuse')
  assert.equal(decide({ hasConflicts: true }).kind, 'refuse')
  assert.equal(decide({ isBehind: true }).kind, 'refuse')
  assert.equal(decide({ isBehind: true, hasQueue: true }).kind, 'merge', 'the queue brings it up to date')
  assert.equal(decide({ state: 'closed' }).kind, 'refuse')
  assert.deepEqual(decide({ state: 'merged', mergeCommit: 'm' }), { kind: 'merged', commit: 'm' })
  assert.equal(decide({ review: 'missing' }).kind, 'wait')
  assert.equal(decide({ review: 'refused' }).kind, 'refuse')
  assert.equal(decide({ isQueued: true }).kind, 'wait')
})

test('a required check must be reported and green; others do not count beside it', () => {
  assert.equal(decide({ checks: new Map() }).kind, 'wait')
  assert.equal(decide({ checks: new Map([['ci', 'pending']]) }).kind, 'wait')
  const red = decide({ checks: new Map([['ci', 'red']]) })
  assert.deepEqual([red.kind, 'exitCode' in red && red.exitCode], ['refuse', 3])
  assert.equal(
    decide({
      checks: new Map([
        ['ci', 'green'],
        ['lint', 'red'],
      ]),
    }).kind,
    'merge',
  )
})

test('no check is not green, unless a person says so', () => {
  const none = { required: [], checks: new Map() }
  assert.equal(decide(none).kind, 'wait', 'CI may need a moment')
  assert.equal(decide(none, 120_000).kind, 'refuse')
  assert.equal(decide(none, 0, true).kind, 'merge')
  assert.equal(decide({ required: [], checks: new Map([['lint', 'red']]) }, 0, true).kind, 'refuse')
  assert.equal(decide({ required: [], checks: new Map([['lint', 'pending']]) }, 0, true).kind, 'wait')
})

test('where no check is asked for, others may come for a minute after the first', () => {
  const first = { required: [], checks: new Map([['lint', 'green']]) as MergeState['checks'], reportedForMs: 10_000 }
  assert.equal(decide(first).kind, 'wait')
  assert.equal(decide(first, 0, true).kind, 'wait')
  assert.equal(decide(first, 60_000).kind, 'merge', 'it has waited so long itself')
  assert.equal(decide({ ...first, reportedForMs: 60_000 }).kind, 'merge')
  assert.equal(decide({ ...first, required: ['lint'] }).kind, 'merge')
})

test('what is not green is settled by the session that has made it', () => {
  const red = decide({ checks: new Map([['ci', 'red']]) })
  assert.match('remedy' in red ? red.remedy : '', /dispatch pr 3f2a --follow$/)
})

test('the verdict of dispatch is no CI, unless the branch asks for it', () => {
  const own = { required: [], checks: new Map([['dispatch', 'green']]) as MergeState['checks'] }
  assert.equal(decide(own).kind, 'wait')
  assert.equal(decide(own, 120_000).kind, 'refuse')
  assert.equal(decide(own, 0, true).kind, 'merge')
  assert.equal(decide({ ...own, required: ['dispatch'] }).kind, 'merge')
  assert.equal(decide({ ...own, checks: new Map([['dispatch', 'red']]) }, 0, true).kind, 'refuse')
})

/** A repository with a pull request of the branch `work`. */
async function openPullRequest(t: TestContext, facts: Parameters<typeof openForge>[1] = {}) {
  const setup = await openForge(t, facts)
  const head = await setup.commit('work', 'hello', 'x\n', 'main')
  const forge = await setup.connect()
  const { pullRequest } = await publishPullRequest(forge, {
    ...{ sessionId: 's1', headOwner: 'ada', branch: 'work', base: 'main', movesBase: false, title: 'x', section: 'y' },
    ...{ isDraft: undefined, labels: [], reviewers: [] },
  })
  const [issue] = setup.repository.issues
  assert.ok(issue?.pull)
  const read = async () => readMergeState(forge, pullRequest.number, head)
  const check = (
    name: string,
    conclusion: 'success' | 'failure' | 'cancelled' | 'skipped',
    suite?: number,
    more = {},
  ) => {
    const facts = { commit: head, name, conclusion, ...(suite !== undefined && { suite }), ...more }
    addCheckRun(setup.server.state, setup.repository, facts)
  }
  return { ...setup, head, forge, pullRequest, issue, read, check }
}

test('a private repository on a free plan can ask for nothing', async t => {
  const { read } = await openPullRequest(t, { isFree: true })
  assert.deepEqual((await read()).required, [])
})

test('a reviewer who wants changes is heard where no review is required', async t => {
  const { server, issue, read } = await openPullRequest(t)
  const review = (author: string, state: 'APPROVED' | 'CHANGES_REQUESTED') =>
    addReview(server.state, issue, { author, state, body: '' })
  review('eve', 'CHANGES_REQUESTED')
  assert.equal((await read()).review, 'not needed', 'she may not write')
  review('bob', 'CHANGES_REQUESTED')
  assert.equal((await read()).review, 'refused')
  review('bob', 'APPROVED')
  assert.equal((await read()).review, 'not needed')
})

test('a branch that asks for what is up to date says so', async t => {
  const { commit, forge, issue, read, repository } = await openPullRequest(t)
  repository.rules['main'] = { requiredChecks: [], requiredApprovals: 0, hasMergeQueue: false, isStrict: true }
  assert.equal((await read()).isBehind, false)
  await commit('main', 'other', 'x\n', 'main')
  assert.equal((await read()).isBehind, true)
  assert.equal((await readFollowedPull(forge, issue.number)).isBehind, true)
})

test('a squashed commit says what the judged one says, and not what the description says', async t => {
  const { forge, head, issue, pullRequest, repository } = await openPullRequest(t)
  issue.body = 'Closes #7 [skip ci]'
  await mergePullRequest(forge, pullRequest, { commit: head, method: 'squash', hasQueue: false })
  const merged = issue.pull?.merged?.commit ?? ''
  const message = await git(['--git-dir', repository.folder, 'log', '-1', '--format=%B', merged])
  assert.equal(message.trim(), `hello on work (#${issue.number})`)
})

test('what GitHub has done is looked at where its answer was lost, and nothing is asked for twice', async t => {
  const { forge, head, issue, pullRequest, server } = await openPullRequest(t)
  const merge = () => mergePullRequest(forge, pullRequest, { commit: head, method: 'merge', hasQueue: false })
  const listMerges = () => server.requests.filter(({ method }) => method === 'PUT')
  const answer = (status: number, message: string) => {
    server.fault = ({ method }) => (method === 'PUT' ? { status, body: { message } } : undefined)
  }
  answer(405, 'Base branch was modified. Review and try the merge again.')
  assert.equal(await merge(), 'moved')
  answer(405, 'Rebase is not possible.')
  await assert.rejects(merge(), { exitCode: 5, remedy: /Nothing was merged/ })
  answer(502, 'Server Error')
  await assert.rejects(merge(), { exitCode: 8 })
  assert.equal(listMerges().length, 3)
  server.fault = ({ method }) => {
    if (method !== 'PUT' || issue.pull === undefined) return undefined
    issue.pull.merged = { commit: head, by: 'ada', at: new Date().toISOString() }
    issue.state = 'closed'
    return { status: 502, body: { message: 'Server Error' } }
  }
  assert.equal(await merge(), 'asked for')
  assert.equal(listMerges().length, 4)
})

test('a workflow whose next job is still to come is waited for', async t => {
  const { server, repository, head, read, check } = await openPullRequest(t)
  const run = addWorkflowRun(server.state, repository, {
    ...{ commit: head, workflow: 'ci', status: 'in_progress', conclusion: null },
  })
  assert.deepEqual([...(await read()).checks], [['GitHub Actions', 'pending']], 'it has no check run yet')
  check('build', 'success', run.id)
  const checks = [...(await read()).checks]
  assert.deepEqual(checks.toSorted(), [
    ['GitHub Actions', 'pending'],
    ['build', 'green'],
  ])
  check('test', 'success', run.id)
  Object.assign(run, { status: 'completed', conclusion: 'success' })
  assert.deepEqual(new Set((await read()).checks.values()), new Set(['green']))
  const broken = { commit: head, workflow: 'broken', conclusion: 'failure' } as const
  addWorkflowRun(server.state, repository, broken)
  assert.equal((await read()).checks.get('GitHub Actions'), 'red', 'a file that GitHub cannot read runs nothing')
})

test('a fine-grained token sees jobs and statuses in place of checks', async t => {
  const { connect, server, repository, head, issue, check } = await openPullRequest(t)
  const permissions = { contents: 'write', pull_requests: 'write', actions: 'read', statuses: 'read' } as const
  const forge = await connect('bob', { login: 'bob', permissions })
  const read = async () => [...(await readMergeState(forge, issue.number, head)).checks].toSorted()
  const run = addWorkflowRun(server.state, repository, {
    ...{ commit: head, workflow: 'ci', status: 'in_progress', conclusion: null },
  })
  check('build', 'success', run.id)
  assert.deepEqual(await read(), [
    ['build', 'green'],
    ['ci', 'pending'],
  ])
  check('test', 'failure', run.id)
  Object.assign(run, { status: 'completed', conclusion: 'failure' })
  assert.deepEqual(await read(), [
    ['build', 'green'],
    ['test', 'red'],
  ])
  const blind = await connect('bob', { login: 'bob', permissions: { ...permissions, actions: undefined as never } })
  const reading = readMergeState(blind, issue.number, head)
  await assert.rejects(reading, { exitCode: 7, remedy: /lacks actions: read/ })
})

test('a fork that has the commit too changes nothing', async t => {
  const { server, repository, head, read, check } = await openPullRequest(t)
  const run = (minute: number, facts = {}) => {
    const startedAt = `2026-11-30T12:0${minute}:00Z`
    const { id } = addWorkflowRun(server.state, repository, { commit: head, workflow: 'ci', startedAt, ...facts })
    return { id, startedAt }
  }
  const [own, foreign] = [run(1), run(2, { headRepository: 'eve/notes' })]
  check('test', 'failure', own.id, { startedAt: own.startedAt })
  check('test', 'skipped', foreign.id, { startedAt: foreign.startedAt })
  check('title', 'failure', foreign.id, { startedAt: foreign.startedAt })
  assert.deepEqual([...(await read()).checks], [['test', 'red']])
})

test('a check that a later run of its workflow has replaced does not count', async t => {
  const { server, repository, head, read, check } = await openPullRequest(t)
  const run = (workflow: string, event: string, minute: number) => {
    const startedAt = `2026-11-30T12:0${minute}:00Z`
    const { id } = addWorkflowRun(server.state, repository, { commit: head, workflow, event, startedAt })
    return { id, startedAt }
  }
  const [cancelled, again] = [run('ci', 'pull_request', 1), run('ci', 'pull_request', 2)]
  check('test', 'success', again.id, { startedAt: again.startedAt })
  check('test', 'cancelled', cancelled.id, { startedAt: cancelled.startedAt })
  assert.equal((await read()).checks.get('test'), 'green')
  const push = run('ci', 'push', 1)
  check('test', 'failure', push.id, { startedAt: push.startedAt })
  assert.equal((await read()).checks.get('test'), 'red', 'a push is checked for itself')
  check('test', 'success', run('ci', 'push', 3).id, { startedAt: '2026-11-30T12:03:00Z' })
  assert.equal((await read()).checks.get('test'), 'green')
  const nightly = run('nightly', 'push', 1)
  check('test', 'failure', nightly.id, { startedAt: nightly.startedAt })
  assert.equal((await read()).checks.get('test'), 'red', 'and so is another workflow')
})

test('what a pull request waits for is read of its commit, its branch and its reviews', async t => {
  const { connect, commit, repository, server } = await openForge(t)
  const head = await commit('work', 'hello', 'x\n', 'main')
  repository.rules['main'] = { requiredChecks: ['ci', 'legacy'], requiredApprovals: 1, hasMergeQueue: false }
  const forge = await connect()
  const { pullRequest } = await publishPullRequest(forge, {
    ...{ sessionId: 's1', headOwner: 'ada', branch: 'work', base: 'main', movesBase: false, title: 'x', section: 'y' },
    ...{ isDraft: undefined, labels: [], reviewers: [] },
  })
  const now = new Date().toISOString()
  const run = { name: 'ci', status: 'completed', title: '', summary: '', startedAt: now, completedAt: now } as const
  repository.checkRuns.push({ ...run, id: 900, commit: '0'.repeat(40), conclusion: 'success' })
  repository.checkRuns.push({ ...run, id: 901, commit: head, conclusion: 'failure' })
  const status = { id: 902, commit: head, context: 'legacy', description: '', targetUrl: '', createdAt: now } as const
  repository.statuses.push({ ...status, state: 'pending' }, { ...status, state: 'success' })
  const state = await readMergeState(forge, pullRequest.number, head)
  assert.deepEqual(
    [...state.checks],
    [
      ['legacy', 'green'],
      ['ci', 'red'],
    ],
  )
  repository.checkRuns.push({ ...run, name: 'legacy', id: 903, commit: head, conclusion: 'failure' })
  const both = await readMergeState(forge, pullRequest.number, head)
  assert.equal(both.checks.get('legacy'), 'red', 'a green status of the same name does not hide it')
  repository.checkRuns.pop()
  repository.checkRuns.push({ ...run, name: 'late', id: 904, commit: head, conclusion: 'success' })
  repository.statuses.push({ ...status, id: 905, context: 'late', state: 'failure' })
  const late = await readMergeState(forge, pullRequest.number, head)
  assert.equal(late.checks.get('late'), 'red', 'nor does a green run hide a red status')
  assert.deepEqual(state.required, ['ci', 'legacy'])
  assert.deepEqual([state.review, state.hasConflicts, state.base], ['missing', false, 'main'])
  const merging = mergePullRequest(forge, pullRequest, { commit: head, method: 'squash', hasQueue: false })
  await assert.rejects(merging, { exitCode: 5, message: /Required status check "ci" is failing/ })
  assert.equal(repository.issues[0]?.state, 'open')
  repository.rules = {}
  const wrong = mergePullRequest(forge, pullRequest, { commit: 'f'.repeat(40), method: 'merge', hasQueue: false })
  await assert.rejects(wrong, { exitCode: 5, message: /Head branch was modified/ })
  await mergePullRequest(forge, pullRequest, { commit: head, method: 'squash', hasQueue: false })
  const merged = await readMergeState(forge, pullRequest.number, head)
  assert.equal(merged.state, 'merged')
  assert.equal(merged.mergeCommit, repository.issues[0]?.pull?.merged?.commit)
  assert.ok(server.requests.length > 0)
})
