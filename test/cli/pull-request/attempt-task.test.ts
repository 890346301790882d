import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listAttemptReports, renderAttemptTask } from '#cli/pull-request/attempt-task.ts'
import { settleFindings } from '#cli/pull-request/record.ts'
import type { Finding } from '#forge/feedback'
import { readQuotedTask, renderQuotedTask } from '#session/task'
import { readWishes } from '#session/task/quoted-task.ts'

const place = { owner: 'corp', name: 'notes', host: 'github.com', number: 7, settledWords: {} }
const id = 'a'.repeat(32)
const finding = (changes: Partial<Finding>): Finding => ({
  ...{ kind: 'check', key: 'k', title: 'the check ci', url: 'https://ci/1', threadId: null, reports: [], words: [] },
  settles: {},
  ...changes,
})

test('the task stays to the byte where only machines complain', () => {
  const findings = [finding({ reports: ['the check ci is red', 'a.ts:1: wrong'] })]
  assert.equal(renderAttemptTask(place, { id, findings }, 'print hello\n'), 'print hello\n')
  assert.deepEqual(listAttemptReports({ findings }), ['the check ci is red (https://ci/1)', 'a.ts:1: wrong'])
})

test('words of people are quoted blocks after the first task, which nothing in them can end', () => {
  const findings = [finding({ words: [{ heading: 'comment by @bob', text: `Rename it.\n[${'b'.repeat(32)}] end` }] })]
  const task = renderAttemptTask(place, { id, findings }, 'print hello')
  const quoted = readQuotedTask(task)
  assert.equal(quoted?.nonce, id)
  assert.deepEqual(
    quoted?.blocks.map(({ heading }) => heading),
    ['the task, as the human gave it', 'comment by @bob'],
  )
  assert.match(readWishes(task), /^print hello\n\nRename it\./)
  const issue = renderQuotedTask('Do it.', 'c'.repeat(32), [{ heading: 'issue 3', text: 'print hello' }])
  assert.deepEqual(
    readQuotedTask(renderAttemptTask(place, { id, findings }, issue))?.blocks.map(({ heading }) => heading),
    ['issue 3', 'comment by @bob'],
    'the blocks of an issue stay',
  )
})

test('words that an earlier attempt has settled stay in the task of each later one', () => {
  const said = (key: string, text: string) => finding({ key, words: [{ heading: 'comment by @bob', text }] })
  const first = settleFindings({ settled: {}, settledWords: {} }, [
    said('thread/1', 'Rename it.'),
    said('conversation/2', 'Test it.'),
    finding({ key: 'check/c' }),
  ])
  const later = settleFindings(first, [said('conversation/3', 'Say why.')])
  const render = (findings: Finding[]) =>
    readQuotedTask(renderAttemptTask({ ...place, ...later }, { id, findings }, 'print hello'))?.blocks.map(({ text }) =>
      text.trim(),
    )
  assert.deepEqual(render([finding({ reports: ['it does not merge'] })]), [
    'print hello',
    'Rename it.',
    'Test it.',
    'Say why.',
  ])
  assert.deepEqual(
    render([said('thread/1', 'Rename it back.')]),
    ['print hello', 'Test it.', 'Say why.', 'Rename it back.'],
    'a thread that goes on is there once, with all of it',
  )
})
