import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderAnswers } from '#cli/pull-request/answers.ts'
import type { Finding } from '#forge/feedback'
import type { Matrix } from '#session/traceability'

const finding = (changes: Partial<Finding>): Finding => ({
  ...{ kind: 'thread', key: 'thread/1', title: 'the review comment', url: 'https://forge/1', threadId: 1 },
  ...{ reports: [], words: [{ heading: 'x', text: 'Rename it.\nAnd test it.' }], settles: { 'line/1': 'hash' } },
  ...changes,
})
const check = finding({
  kind: 'check',
  key: 'check/c/ci',
  title: 'the check `ci`',
  threadId: null,
  words: [],
  settles: {},
})

const matrix = {
  clauses: [
    { id: 'C1', sentence: 'It prints hello', verdict: 'PASS' },
    { id: 'C2', sentence: 'It has <another> name', verdict: 'PASS' },
  ],
  sentences: [
    { id: 'S1', text: 'print hello', clauseIds: ['C1'] },
    { id: 'S2', text: 'Rename it.', clauseIds: ['C2'] },
    { id: 'S3', text: 'And  test it.', clauseIds: [], exclusionReason: 'it has tests' },
  ],
} as unknown as Matrix
const record = { secret: 's' }
const passed = { commit: 'c'.repeat(40), reason: '', matrix }

test('a point keeps its answer, whatever else the next attempt settles', () => {
  const [review, comment] = [
    finding({ kind: 'review', key: 'review/2', threadId: null }),
    finding({ kind: 'conversation', key: 'conversation/3', threadId: null }),
  ]
  const lint = { ...check, key: 'check/c/lint', title: 'the check `lint`' }
  const identify = (...findings: Finding[]) => renderAnswers(record, findings, passed).map(({ id }) => id)
  const all = identify(check, lint, review, comment)
  assert.equal(all.length, 3, 'one for both checks')
  assert.deepEqual([...identify(review), ...identify(comment), ...identify(check)], all)
  assert.ok(!all.includes(identify({ ...check, key: 'check/d/ci' })[0] ?? ''), 'another commit')
})

test('a thread is answered by the clauses that are about its words, and checks in one comment', () => {
  const [thread, other, ...more] = renderAnswers(record, [check, finding({})], passed)
  assert.deepEqual(more, [])
  assert.deepEqual([thread?.threadId, other?.threadId], [1, null])
  assert.match(thread?.text ?? '', /in c{40}\. The verdict is PASS: 2 of 2 clauses\./)
  assert.match(thread?.text ?? '', /\*\*C2\*\* .*another.* \(PASS\)[\s\S]*left out: And test it\..* it has tests/)
  assert.ok(!thread?.text.includes('C1') && !thread?.text.includes('<another>'))
  assert.match(other?.text ?? '', /^- \[the check .*ci.*\]\(https:\/\/forge\/1\)\n\n/)
})

test('where no clause is about the words, the answer says so', () => {
  const [answer] = renderAnswers(record, [finding({ words: [{ heading: 'x', text: 'Why?' }] })], passed)
  assert.match(answer?.text ?? '', /No clause of its contract is about these words/)
})

test('without a PASS the answer says why, and takes the place of no other words', () => {
  const failed = { commit: null, reason: 'FAIL: C1', matrix: undefined }
  const [lost] = renderAnswers(record, [finding({})], failed)
  assert.match(lost?.text ?? '', /has no PASS: FAIL: C1 A person is needed/)
  const identify = (findings: Finding[], by = record) => renderAnswers(by, findings, passed)[0]?.id
  assert.equal(identify([finding({})]), lost?.id, 'a later outcome is written in its place')
  assert.notEqual(identify([finding({ settles: { 'line/1': 'other' } })]), lost?.id)
  assert.notEqual(identify([finding({})], { secret: 'of another home' }), lost?.id)
})
