import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { withRecord, writeRecordFile } from '#cli/forge-record.ts'
import { endRecord } from '#cli/pull-request/land.ts'
import { listPushedCommits } from '#cli/pull-request/newest-session.ts'
import {
  countFailure,
  findRecordFor,
  MAX_FAILURES,
  type PullRequestRecord,
  readPullRequestRecord,
  rememberPullRequest,
  withPullRequest,
  writePullRequestRecord,
} from '#cli/pull-request/record.ts'
import { readDefaultConfig } from '#host/config'
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

test('what a command notes is kept beside what the daemon writes from an older copy', async t => {
  const noted = await writeMeanwhile(t, home =>
    withPullRequest(home, facts, () => rememberPullRequest(home, { ...facts, session: 'two', commits: ['b'] })),
  )
  assert.deepEqual([noted?.sessions, noted?.ignored], [['one', 'two'], ignored])
})

test('a pull request that a command has merged stays ended, also where the daemon has looked at it meanwhile', async t => {
  const ended = await writeMeanwhile(t, (home, record) =>
    endRecord(readDefaultConfig({ DISPATCH_HOME: home }), record, () => undefined),
  )
  assert.deepEqual([ended?.state, ended?.reason, ended?.ignored], ['ended', 'merged', ignored])
})

const ignored = [{ author: 'mallory', association: 'NONE', count: 1 }]

/** Begin to change a record while another process, which has read it, writes into it. Returns it as it is after both. */
async function writeMeanwhile(t: TestContext, change: (home: string, record: PullRequestRecord) => Promise<unknown>) {
  const home = createScratchFolder(t)
  const record = rememberPullRequest(home, { ...facts, session: 'one', commits: ['a'] })
  let changing: Promise<unknown> | undefined
  await withRecord(home, 'pull-requests', facts, async () => {
    changing = change(home, record)
    await setImmediate()
    writePullRequestRecord(home, record, { ignored })
  })
  await changing
  return readPullRequestRecord(home, facts)
}
