import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPullRequest, type PullRequestRequest, publishPullRequest, readPullRequest } from '#forge'
import { hasSection, replaceSection } from '#forge/pull-request-body.ts'
import { openForge } from '../fixtures/forge.ts'

const section = (words: string) => `<!-- dispatch:session s1 -->\n${words}\n<!-- dispatch:end -->`
const request: PullRequestRequest = {
  ...{ sessionId: 's1', headOwner: 'ada', branch: 'dispatch/s1', base: 'main', movesBase: false, title: 'Say hello' },
  ...{ section: section('one'), isDraft: false, labels: [], reviewers: [] },
}

test('a pull request is opened once, and then brought up to date', async t => {
  const { connect, commit, repository, server } = await openForge(t)
  await commit('dispatch/s1', 'hello', 'x\n', 'main')
  const forge = await connect()
  const first = await publishPullRequest(forge, request)
  assert.equal(first.isNew, true)
  const [issue] = repository.issues
  assert.ok(issue)
  issue.title = 'A better title'
  issue.body = `Read this first.\n\n${issue.body}\n\nAnd this last.`
  const head = await commit('dispatch/s1', 'hello', 'y\n', 'dispatch/s1')
  const second = await publishPullRequest(forge, { ...request, section: section('two') })
  assert.equal(second.isNew, false)
  assert.equal(repository.issues.length, 1)
  assert.equal(issue.title, 'A better title')
  assert.equal(issue.body, `Read this first.\n\n${section('two')}\n\nAnd this last.`)
  assert.equal((await readPullRequest(forge, second.pullRequest.number)).headCommit, head)
  const writes = server.requests.filter(({ method }) => method !== 'GET').length
  await publishPullRequest(forge, { ...request, section: section('two') })
  assert.equal(server.requests.filter(({ method }) => method !== 'GET').length, writes, 'a third run writes nothing')
})

test('an answer that was lost leads to no second one', async t => {
  const { connect, commit, repository, server } = await openForge(t)
  await commit('dispatch/s1', 'hello', 'x\n', 'main')
  const forge = await connect()
  let isFirst = true
  // The first look finds nothing, as when two processes look at the same time.
  server.fault = ({ method, path }) => {
    if (method !== 'GET' || !path.endsWith('/pulls') || !isFirst) return undefined
    isFirst = false
    return { status: 200, body: [] }
  }
  await publishPullRequest(await connect(), request)
  isFirst = true
  const { isNew } = await publishPullRequest(forge, request)
  assert.equal(repository.issues.length, 1)
  assert.equal(isNew, true, 'it was not there when this process looked')
})

test('a draft becomes ready, and a ready one a draft', async t => {
  const { connect, commit, repository } = await openForge(t)
  await commit('dispatch/s1', 'hello', 'x\n', 'main')
  const forge = await connect()
  const pull = () => repository.issues[0]?.pull
  await publishPullRequest(forge, { ...request, isDraft: true })
  assert.equal(pull()?.isDraft, true)
  await publishPullRequest(forge, request)
  assert.equal(pull()?.isDraft, false)
  await publishPullRequest(forge, { ...request, isDraft: true })
  assert.equal(pull()?.isDraft, true)
})

test('labels and reviewers are added once, and what GitHub refuses of them is told', async t => {
  const { connect, commit, repository } = await openForge(t)
  await commit('dispatch/s1', 'hello', 'x\n', 'main')
  const forge = await connect()
  const labeled = { ...request, labels: ['dispatch'], reviewers: ['bob'] }
  assert.deepEqual((await publishPullRequest(forge, labeled)).problems, [])
  assert.deepEqual((await publishPullRequest(forge, labeled)).problems, [])
  const [issue] = repository.issues
  assert.deepEqual(issue?.labels, ['dispatch'])
  assert.deepEqual(issue?.pull?.requestedReviewers, ['bob'])
  const { problems } = await publishPullRequest(forge, { ...labeled, reviewers: ['mallory'] })
  assert.match(problems.join(), /^reviewers: .*not a collaborator/)
  const several = await publishPullRequest(forge, { ...labeled, reviewers: ['Ada', 'mallory', 'eve'] })
  assert.match(several.problems.join('\n'), /^reviewer mallory: .*not a collaborator[^\n]*$/, 'the author is left out')
  assert.deepEqual(issue?.pull?.requestedReviewers, ['bob', 'eve'])
})

test('one that a person has closed is not opened again', async t => {
  const { connect, commit, repository } = await openForge(t)
  await commit('dispatch/s1', 'hello', 'x\n', 'main')
  const forge = await connect()
  await publishPullRequest(forge, request)
  const [issue] = repository.issues
  assert.ok(issue)
  issue.state = 'closed'
  await assert.rejects(publishPullRequest(forge, request), { exitCode: 5, message: /closed by a person/ })
  assert.equal((await findPullRequest(forge, request))?.state, 'closed')
  assert.equal(repository.issues.length, 1)
})

test('a fork brings its branch to the repository that it comes from', async t => {
  const { connect, commit, server, repository } = await openForge(t)
  const fork = await server.createRepository({ owner: 'eve', name: 'notes', forkOf: 'ada' })
  const head = await commit('dispatch/s1', 'hello', 'x\n', 'main')
  const { git } = await import('#host/git')
  await git(['--git-dir', fork.folder, 'fetch', '--quiet', repository.folder, 'refs/heads/*:refs/heads/*'])
  await git(['--git-dir', repository.folder, 'update-ref', '-d', 'refs/heads/dispatch/s1'])
  const { pullRequest } = await publishPullRequest(await connect('eve'), { ...request, headOwner: 'eve' })
  assert.equal(pullRequest.headCommit, head)
})

test('the part of dispatch is replaced, and what is around it stays', () => {
  assert.equal(replaceSection('', section('x')), section('x'))
  assert.equal(replaceSection('own words\n', section('x')), `own words\n\n${section('x')}`)
  assert.equal(replaceSection(`a\n${section('x')}\nb`, section('y')), `a\n${section('y')}\nb`)
  assert.ok(hasSection(section('x'), 's1'))
  assert.ok(!hasSection(section('x'), 's2'))
})
