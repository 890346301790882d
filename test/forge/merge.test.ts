import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideMerge, mergePullRequest, publishPullRequest, readMergeState } from '#forge'
import type { MergeState } from '#forge/merge-state.ts'
import { openForge } from '../fixtures/forge.ts'

const open: MergeState = {
  ...{ state: 'open', isDraft: false, base: 'main', headCommit: 'c1', mergeCommit: undefined, hasConflicts: false },
  ...{ review: 'not needed', checks: new Map([['ci', 'green']]), required: ['ci'], hasQueue: false, isQueued: false },
}
const decide = (changes: Partial<MergeState>, waitedMs = 0, allowsNoChecks = false) =>
  decideMerge({ ...open, ...changes }, { commit: 'c1', allowsNoChecks, waitedMs })

test('it is merged only when all that is asked for is there, for exactly the judged commit', () => {
  assert.equal(decide({}).kind, 'merge')
  assert.equal(decide({ headCommit: 'c2' }).kind, 'refuse')
  assert.equal(decide({ isDraft: true }).kind, 'refuse')
  assert.equal(decide({ hasConflicts: true }).kind, 'refuse')
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

test('the verdict of dispatch is no CI, unless the branch asks for it', () => {
  const own = { required: [], checks: new Map([['dispatch', 'green']]) as MergeState['checks'] }
  assert.equal(decide(own).kind, 'wait')
  assert.equal(decide(own, 120_000).kind, 'refuse')
  assert.equal(decide(own, 0, true).kind, 'merge')
  assert.equal(decide({ ...own, required: ['dispatch'] }).kind, 'merge')
  assert.equal(decide({ ...own, checks: new Map([['dispatch', 'red']]) }, 0, true).kind, 'refuse')
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
  const wrong = mergePullRequest(forge, pullRequest, { commit: 'f'.repeat(40), method: 'squash', hasQueue: false })
  await assert.rejects(wrong, { exitCode: 5, message: /Head branch was modified/ })
  await mergePullRequest(forge, pullRequest, { commit: head, method: 'squash', hasQueue: false })
  const merged = await readMergeState(forge, pullRequest.number, head)
  assert.equal(merged.state, 'merged')
  assert.equal(merged.mergeCommit, repository.issues[0]?.pull?.merged?.commit)
  assert.ok(server.requests.length > 0)
})
