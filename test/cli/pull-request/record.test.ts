import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listPushedCommits } from '#cli/pull-request/newest.ts'
import {
  countFailure,
  findRecordFor,
  MAX_FAILURES,
  rememberPullRequest,
  writePullRequestRecord,
} from '#cli/pull-request/record.ts'
import type { Session } from '#session'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const facts = {
  ...{
    host: 'github.com',
    owner: 'corp',
    name: 'notes',
    number: 7,
    isPlainHttp: false,
    url: 'https://github.com/corp',
  },
  ...{ checkout: '/notes', base: 'main', branch: 'dispatch/one', author: 'me' as const, isDraft: false },
  ...{ first: { task: 'print hello', title: 'print hello' } },
}
const attempt = (id: string, item: string | null) =>
  ({ id, manifest: { queueItem: item === null ? null : { item, attempt: 1 } } }) as unknown as Session

test('a record keeps what was asked first, and the commits of sessions that were removed since', t => {
  const home = createScratchFolder(t)
  rememberPullRequest(home, { ...facts, session: 'one', commits: ['a'], isDraft: true })
  const both = rememberPullRequest(home, {
    ...{ ...facts, session: 'two', commits: ['b', 'c'] },
    first: { task: 'fenced', title: 'fenced' },
  })
  assert.deepEqual([both.sessions, both.first?.task, both.isDraft], [['one', 'two'], 'print hello', false])
  const config = { workspace: home } as Parameters<typeof listPushedCommits>[0]
  assert.deepEqual(listPushedCommits(config, both), ['a', 'b', 'c'])
})

test('a new attempt belongs to its pull request before its work is pushed', t => {
  const home = createScratchFolder(t)
  const record = rememberPullRequest(home, { ...facts, session: 'one', commits: ['a'] })
  const round = { id: 'r', findings: [], startCommit: 'a', item: 'q-1', outcome: null }
  const begun = writePullRequestRecord(home, record, { state: 'retrying', round })
  assert.equal(findRecordFor(home, attempt('two', 'q-1'))?.number, 7)
  for (const other of [attempt('two', 'q-2'), attempt('two', null)]) assert.equal(findRecordFor(home, other), undefined)
  const outcome = { session: 'three', commit: 'b', reason: '', itemSince: '' }
  writePullRequestRecord(home, begun, { state: 'open', round: { ...round, outcome } })
  assert.equal(findRecordFor(home, attempt('two', 'q-1')), undefined, 'the work of another session was pushed')
})

test('after many looks that brought nothing a person is needed, who is told why', t => {
  const home = createScratchFolder(t)
  let record = rememberPullRequest(home, { ...facts, session: 'one', commits: ['a'] })
  for (let count = 1; count < MAX_FAILURES; count++) {
    record = countFailure(home, record, { reason: 'it is locked', isBlocked: false })
    assert.deepEqual([record.state, record.failure?.count], ['open', count])
  }
  record = countFailure(home, record, { reason: 'it is locked', isBlocked: true })
  assert.deepEqual([record.state, record.reason, record.isBlocked], ['needs you', 'it is locked', true])
  assert.equal(record.failure?.state, 'open', 'there it goes on')
  assert.equal(countFailure(home, record, { reason: 'another', isBlocked: false }), record, 'it is told once')
})
