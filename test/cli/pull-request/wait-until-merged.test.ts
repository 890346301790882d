import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntilMerged } from '#cli/pull-request/wait-until-merged.ts'
import { publishPullRequest } from '#forge'
import { openForge } from '../../fixtures/forge.ts'

/** A pull request that is waited for, and the promise of that. */
async function prepare(t: TestContext, hasMergeQueue: boolean) {
  const { connect, commit, repository, server } = await openForge(t)
  const rules = { requiredChecks: [], requiredApprovals: 0, hasMergeQueue, holdsQueue: true }
  repository.rules['main'] = rules
  const head = await commit('work', 'hello', 'x\n', 'main')
  const forge = await connect()
  const { pullRequest } = await publishPullRequest(forge, {
    ...{ sessionId: 's1', headOwner: 'ada', branch: 'work', base: 'main', movesBase: false, title: 'x', section: 'y' },
    ...{ isDraft: undefined, labels: [], reviewers: [] },
  })
  const pull = repository.issues[0]?.pull
  assert.ok(pull)
  const said: string[] = []
  const wait = () =>
    waitUntilMerged(
      forge,
      pullRequest,
      { commit: head, letters: '3f2a' },
      { method: 'merge', allowsNoChecks: true, say: text => said.push(text), firstPauseMs: 20 },
    )
  const until = async (what: () => boolean) => {
    while (!what()) await sleep(10)
  }
  return { pull, rules, server, said, wait, until }
}

test('it is in the merge queue before GitHub says so, and once it was seen there it may leave only merged', async t => {
  const { pull, rules, server, said, wait, until } = await prepare(t, true)
  const waiting = wait()
  await until(() => (pull.queuedLooks ?? 0) > 4)
  rules.holdsQueue = false
  await server.settle()
  assert.equal((await waiting).merged, pull.merged?.commit)
  assert.deepEqual(said, ['Putting it into the merge queue …', 'Waiting for the merge queue …'])
})

test('one that GitHub takes out of its queue is told after some looks', async t => {
  const { pull, wait, until } = await prepare(t, true)
  const waiting = assert.rejects(wait(), { exitCode: 3, message: /GitHub's merge queue removed pull request 1/ })
  await until(() => (pull.queuedLooks ?? 0) > 4)
  pull.isQueued = false
  await waiting
})

test('it is asked for again where the branch moved in the same moment', async t => {
  const { pull, server, said, wait } = await prepare(t, false)
  let refusals = 2
  server.fault = ({ method }) =>
    method === 'PUT' && refusals-- > 0
      ? { status: 405, body: { message: 'Base branch was modified. Review and try the merge again.' } }
      : undefined
  assert.equal((await wait()).merged, pull.merged?.commit)
  assert.equal(said.filter(line => line.startsWith('Merging')).length, 3)
})
