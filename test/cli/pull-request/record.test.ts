import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeRecordFile } from '#cli/forge-record.ts'
import { listPushedCommits } from '#cli/pull-request/newest-session.ts'
import {
  countFailure,
  findRecordFor,
  MAX_FAILURES,
  readPullRequestRecord,
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
const createSession = (id: string, item: string | null) =>
  ({ id, manifest: { queueItem: item === null ? null : { item, attempt: 1 } } }) as unknown as Session

test('a record keeps what was asked first, and the commits of sessions that were removed since', t => {
  const home = createScratchFolder(t)
  rememberPullRequest(home, { ...facts, session: 'one', commits: ['a'], isDraft: true })
  const both = rememberPullRequest(home, {
    ...{ ...facts, session: 'two', commits: ['b', 'c'] },
    first: { task: 'quoted', title: 'quoted' },
  })
  assert.deepEqual([both.sessions, both.first?.task, both.isDraft], [['one', 'two'], 'print hello', false])
  const config = { workspace: home } as Parameters<typeof listPushedCommits>[0]
  assert.deepEqual(listPushedCommits(config, both), ['a', 'b', 'c'])
})

test('a new attempt belongs to its pull request before its work is pushed', t => {
  const home = createScratchFolder(t)
  const record = rememberPullRequest(home, { ...facts, session: 'one', commits: ['a'] })
  const attempt = { id: 'r', findings: [], startCommit: 'a', item: 'q-1', outcome: null }
  const begun = writePullRequestRecord(home, record, { state: 'retrying', attempt })
  assert.equal(findRecordFor(home, createSession('two', 'q-1'))?.number, 7)
  for (const other of [createSession('two', 'q-2'), createSession('two', null)])
    assert.equal(findRecordFor(home, other), undefined)
  const outcome = { session: 'three', commit: 'b', reason: '', itemSince: '' }
  writePullRequestRecord(home, begun, { state: 'open', attempt: { ...attempt, outcome } })
  assert.equal(findRecordFor(home, createSession('two', 'q-1')), undefined, 'the work of another session was pushed')
})

test('a record of an earlier dispatch, which called an attempt a round, is read', t => {
  const home = createScratchFolder(t)
  const attempt = { id: 'r', findings: [], startCommit: 'a', item: 'q-1', outcome: null }
  const { attempt: none, ...record } = rememberPullRequest(home, { ...facts, session: 'one', commits: ['a'] })
  assert.equal(none, null)
  const earlier = { ...record, round: attempt }
  writeRecordFile(home, 'pull-requests', earlier)
  assert.deepEqual(readPullRequestRecord(home, facts), { ...record, attempt })
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
