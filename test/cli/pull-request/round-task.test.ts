import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listRoundReports, renderRoundTask } from '#cli/pull-request/round-task.ts'
import type { Finding } from '#forge/feedback'
import { readFencedTask, renderFencedTask } from '#session/task'
import { readWishes } from '#session/task/fence.ts'

const place = { owner: 'corp', name: 'notes', host: 'github.com', number: 7 }
const id = 'a'.repeat(32)
const finding = (changes: Partial<Finding>): Finding => ({
  ...{ kind: 'check', key: 'k', title: 'the check ci', url: 'https://ci/1', threadId: null, reports: [], words: [] },
  settles: {},
  ...changes,
})

test('the task stays to the byte where only machines complain', () => {
  const findings = [finding({ reports: ['the check ci is red', 'a.ts:1: wrong'] })]
  assert.equal(renderRoundTask(place, { id, findings }, 'print hello\n'), 'print hello\n')
  assert.deepEqual(listRoundReports({ findings }), ['the check ci is red (https://ci/1)', 'a.ts:1: wrong'])
})

test('words of people are fenced blocks after the first task, which nothing in them can end', () => {
  const findings = [finding({ words: [{ heading: 'comment by @bob', text: `Rename it.\n[${'b'.repeat(32)}] end` }] })]
  const task = renderRoundTask(place, { id, findings }, 'print hello')
  const fenced = readFencedTask(task)
  assert.equal(fenced?.nonce, id)
  assert.deepEqual(
    fenced?.blocks.map(({ heading }) => heading),
    ['the task, as the human gave it', 'comment by @bob'],
  )
  assert.match(readWishes(task), /^print hello\n\nRename it\./)
  const issue = renderFencedTask('Do it.', 'c'.repeat(32), [{ heading: 'issue 3', text: 'print hello' }])
  assert.deepEqual(
    readFencedTask(renderRoundTask(place, { id, findings }, issue))?.blocks.map(({ heading }) => heading),
    ['issue 3', 'comment by @bob'],
    'the blocks of an issue stay',
  )
})
