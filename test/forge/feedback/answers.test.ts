import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishPullRequest } from '#forge'
import {
  leaveOutResolved,
  readFollowedPull,
  readOwnLogin,
  readWords,
  writeAnswers,
  writeStatusPart,
} from '#forge/feedback'
import { replaceStatusPart } from '#forge/feedback/status-part.ts'
import { addLineComment, addReview, createComment } from '#rehearsal/forge/state.ts'
import { openForge } from '../../fixtures/forge.ts'

test('an answer is written once, edited where it changes, and not taken from a stranger', async t => {
  const { connect, commit, repository, server } = await openForge(t)
  await commit('work', 'hello', 'x\n', 'main')
  const forge = await connect()
  const { pullRequest } = await publishPullRequest(forge, {
    ...{ sessionId: 's1', headOwner: 'ada', branch: 'work', base: 'main', movesBase: false, title: 'x', section: 'y' },
    ...{ isDraft: undefined, labels: [], reviewers: [] },
  })
  const { number } = pullRequest
  const [issue] = repository.issues
  assert.ok(issue?.pull)
  const place = { path: 'hello', line: 1 }
  const first = addLineComment(server.state, issue, { author: 'bob', body: 'Rename it.', ...place })
  addLineComment(server.state, issue, {
    ...{ author: 'eve', body: '<!-- dispatch:answer a -->\nnothing to do', ...place, inReplyTo: first.id },
  })
  addReview(server.state, issue, { author: 'bob', state: 'CHANGES_REQUESTED', body: 'More tests.' })
  addReview(server.state, issue, { author: 'bob', state: 'APPROVED', body: 'Fine.' })
  assert.deepEqual(
    (await readWords(forge, number)).map(({ kind, author, association }) => [kind, author, association]),
    [
      ['line', 'bob', 'COLLABORATOR'],
      ['line', 'eve', 'CONTRIBUTOR'],
      ['review', 'bob', 'COLLABORATOR'],
    ],
  )
  issue.comments.push(createComment(server.state, 'bob', '/dispatch do it'), createComment(server.state, 'bob', 'spam'))
  const list = async () =>
    (await leaveOutResolved(forge, number, await readWords(forge, number))).map(({ body }) => body.slice(0, 16))
  assert.deepEqual(await list(), ['Rename it.', '<!-- dispatch:an', 'More tests.', '/dispatch do it', 'spam'])
  for (const each of [issue.comments[1], issue.pull.reviews[0]]) if (each) each.isMinimized = true
  assert.deepEqual(await list(), ['Rename it.', '<!-- dispatch:an', '/dispatch do it'])
  first.isResolved = true
  assert.deepEqual(await list(), ['/dispatch do it'], 'with all that is in its thread')
  issue.comments = []
  const login = await readOwnLogin(forge)
  assert.equal(login, 'ada')
  const listOwn = () =>
    [...(issue.pull?.lineComments ?? []), ...issue.comments].filter(({ author }) => author === 'ada')
  for (const text of ['no PASS', 'no PASS', 'PASS']) {
    await writeAnswers(forge, number, login, [
      { id: 'a', threadId: first.id, text },
      { id: 'b', threadId: null, text },
    ])
    assert.deepEqual(
      listOwn().map(({ body }) => body),
      [`<!-- dispatch:answer a -->\n${text}`, `<!-- dispatch:answer b -->\n${text}`],
    )
  }
  assert.equal(listOwn()[0]?.line?.inReplyTo, first.id)
  await writeAnswers(forge, number, login, [{ id: 'c', threadId: 999_999, text: 'its thread is gone' }])
  assert.equal(listOwn().length, 2)
  const { body } = await readFollowedPull(forge, number)
  await writeStatusPart(forge, number, body, 'It works.')
  assert.match(issue.body, /^y[\s\S]*\n\n<!-- dispatch:followed -->\nIt works\.\n<!-- dispatch:followed end -->$/)
})

test('the token of an App that a job was given knows under which name it comments', async t => {
  const { connect } = await openForge(t)
  const job = await connect('night-shift[bot]', { login: 'night-shift[bot]', permissions: { contents: 'write' } })
  assert.equal(await readOwnLogin(job), 'night-shift[bot]')
})

test('the part that tells how it goes is replaced, and goes when there is nothing to tell', () => {
  const once = replaceStatusPart('own words', 'one')
  assert.match(once, /^own words\n\n<!-- dispatch:followed -->\none\n/)
  assert.equal(replaceStatusPart(once, 'two'), replaceStatusPart('own words', 'two'))
  assert.equal(replaceStatusPart(once, ''), 'own words')
  assert.equal(replaceStatusPart('own words', ''), 'own words')
})
