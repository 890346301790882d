import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectForge, parseRepositoryAddress } from '#forge'
import { readCheckReports, readWords } from '#forge/feedback'
import { addCheckRun, createComment, createIssue } from '#rehearsal/forge/state.ts'
import { noLogin, openForge } from '../fixtures/forge.ts'

test('with a memory, GitHub is asked only for what has changed', async t => {
  const { server, repository, commit } = await openForge(t)
  const headCommit = await commit('work', 'hello', 'x\n', 'main')
  const lists = { reviews: [], lineComments: [], requestedReviewers: [], requestedTeams: [] }
  const pull = {
    ...lists,
    headOwner: 'ada',
    headBranch: 'work',
    headCommit,
    base: 'main',
    isDraft: false,
    isQueued: false,
  }
  const issue = createIssue(server.state, repository, { author: 'ada', title: 'x', body: '', pull })
  const token = server.addToken('ghp_memory', { login: 'ada', scopes: ['repo'] })
  const address = parseRepositoryAddress(`${server.url}/ada/notes.git`)
  assert.ok(address)
  const config = { ...noLogin, GITHUB_TOKEN: 'ghp_memory', GITHUB_API_URL: server.apiUrl }
  const memory = new Map()
  const read = async () => readWords(await connectForge(address, config, undefined, memory), issue.number)
  assert.deepEqual(await read(), [])
  const { remaining } = token.rate
  assert.deepEqual(await read(), [])
  assert.equal(token.rate.remaining, remaining, 'an answer that has not changed costs nothing')
  issue.comments.push(createComment(server.state, 'bob', 'More tests.'))
  assert.deepEqual(
    (await read()).map(({ body }) => body),
    ['More tests.'],
  )
  assert.equal(token.rate.remaining, remaining - 1)
})

test('a second look at check runs sees all of them, and one at none sees none', async t => {
  const { server, repository, commit } = await openForge(t)
  const headCommit = await commit('work', 'hello', 'x\n', 'main')
  server.addToken('ghp_memory', { login: 'ada', scopes: ['repo'] })
  const address = parseRepositoryAddress(`${server.url}/ada/notes.git`)
  assert.ok(address)
  const config = { ...noLogin, GITHUB_TOKEN: 'ghp_memory', GITHUB_API_URL: server.apiUrl }
  const memory = new Map()
  const read = async () => {
    const reports = await readCheckReports(await connectForge(address, config, undefined, memory), headCommit)
    return reports.map(({ name }) => name).sort()
  }
  const names: string[] = []
  for (const added of ['', 'lint', 'test']) {
    if (added !== '') addCheckRun(server.state, repository, { commit: headCommit, name: added, conclusion: 'failure' })
    if (added !== '') names.push(added)
    for (const look of ['first', 'second', 'third']) assert.deepEqual(await read(), names, `the ${look} look`)
  }
})
