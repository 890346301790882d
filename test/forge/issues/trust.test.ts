import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteComment, editComment, readClaims, readComments } from '#forge/issues'
import { createComment, createIssue } from '#rehearsal/forge/state.ts'
import { openForge } from '../../fixtures/forge.ts'

test('the words of a member whose membership is hidden count, and those of others do not', async t => {
  const { connect, repository, server } = await openForge(t, { hiddenMembers: ['bob'] })
  const issue = createIssue(server.state, repository, { author: 'ada', title: 'x', body: '' })
  const mark = { claim: 'a'.repeat(16), machine: 'm', at: '2026-11-30T12:00:00Z' }
  for (const author of ['bob', 'eve', 'mallory', 'scanner[bot]'])
    issue.comments.push(
      createComment(server.state, author, `<!-- dispatch:claim ${JSON.stringify(mark)} -->`),
      createComment(server.state, author, 'More tests.'),
    )
  const forge = await connect()
  const read = async () => (await readComments(forge, 1)).map(({ association }) => association)
  const [CLOSE, FAR] = ['COLLABORATOR', 'NONE']
  assert.deepEqual(await read(), [CLOSE, CLOSE, 'CONTRIBUTOR', 'CONTRIBUTOR', FAR, FAR, FAR, FAR])
  const before = server.requests.length
  await read()
  assert.equal(server.requests.length, before + 1, 'each is asked about once')
  assert.deepEqual(
    (await readClaims(forge, 1)).map(({ author }) => author),
    ['bob'],
  )
  const reader = await connect('eve')
  assert.equal((await readComments(reader, 1))[0]?.association, 'NONE', 'she may not see who may write')
})

test('a comment is gone only if others are shown, and it is not', async t => {
  const { connect, repository, server } = await openForge(t)
  const issue = createIssue(server.state, repository, { author: 'ada', title: 'x', body: '' })
  const comment = createComment(server.state, 'ada', 'mine')
  issue.comments.push(comment)
  const forge = await connect('bob')
  const edit = () => editComment(forge, comment.id, 'new')
  assert.equal(await edit(), true)
  repository.roles['bob'] = 'none'
  await assert.rejects(edit(), { exitCode: 4 })
  await assert.rejects(deleteComment(forge, comment.id), { exitCode: 4 })
  repository.roles['bob'] = 'write'
  server.fault = ({ method }) => (method === 'PATCH' ? { status: 404, body: { message: 'Not Found' } } : undefined)
  await assert.rejects(edit(), { exitCode: 4 }, 'it is there, and may not be changed')
  server.fault = undefined
  issue.comments = []
  assert.deepEqual([await edit(), await deleteComment(forge, comment.id)], [false, false])
})
