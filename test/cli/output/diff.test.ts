import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paintDiff, paintHunks } from '#cli/output/diff.ts'
import { assertGrowsLinearly } from '../../fixtures/growth.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join('')

test('a diff shows the changed lines with three lines around them', () => {
  const diff = paintDiff('a file', numbers(20), numbers(20).replace('10\n', 'ten\n'))
  assert.equal(
    diff,
    '--- a file\n+++ a file\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13',
    'without a terminal there are no colors',
  )
  assert.equal(paintDiff('a file', 'same', 'same'), '')
  assert.deepEqual(paintHunks('same', 'same'), [])
})

test('a new or removed file has /dev/null on the other side', () => {
  assert.equal(paintDiff('ä', undefined, '{}\n'), '--- /dev/null\n+++ ä\n@@ -0,0 +1,1 @@\n+{}')
  assert.equal(paintDiff('ä', '{}\n', undefined), '--- ä\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-{}')
})

test('the newline at the end is mentioned only where it changes', () => {
  assert.deepEqual(paintHunks('1', '2'), ['@@ -1,1 +1,1 @@', '-1', '+2'])
  assert.deepEqual(paintHunks('1', '1\n'), ['@@ -1,1 +1,1 @@', '-1', '\\ No newline at end of file', '+1'])
  assert.deepEqual(paintHunks('1\n\n', '2\n\n'), ['@@ -1,2 +1,2 @@', '-1', '+2', ' '])
})

test('a \\r is shown unless it ends every line', () => {
  assert.deepEqual(paintHunks('1\r\n2\r\n', '1\r\n3\r\n'), ['@@ -1,2 +1,2 @@', ' 1', '-2', '+3'])
  assert.deepEqual(paintHunks('1\n2\n', '1\r\n2\n'), ['@@ -1,2 +1,2 @@', '-1', '+1\\u{d}', ' 2'])
})

test('control characters cannot act on the terminal', () => {
  const diff = paintDiff('f\u001b[2J', 'a\n', 'a\u001b]0;x\u0007\n-- \u202e\n')
  assert.doesNotMatch(diff, /[^\P{C}\n]/u)
  assert.match(diff, /^\+\+\+ f\\u\{1b\}\[2J$/m)
  assert.match(diff, /^\+-- \\u\{202e\}$/m)
})

test('JSON on one long line is formatted before it is compared', () => {
  const json = (value: number) => JSON.stringify({ long: 'x'.repeat(400), value })
  assert.deepEqual(paintDiff('f', json(1), json(2)).split('\n').slice(-3), ['-  "value": 1', '+  "value": 2', ' }'])
})

test('the cost of two texts without a common line grows with their length', () => {
  const paint = (size: number) =>
    paintHunks(numbers(size).replaceAll('\n', ' old\n'), numbers(size).replaceAll('\n', ' new\n'))
  assertGrowsLinearly('two texts', 20_000, paint)
  const [head, ...lines] = paint(20_000)
  assert.equal(head, '@@ -1,20000 +1,20000 @@')
  assert.deepEqual(
    [lines[0], lines[19_999], lines[20_000], lines[39_999]],
    ['-1 old', '-20000 old', '+1 new', '+20000 new'],
  )
  assert.deepEqual(paintHunks('', numbers(3000)).slice(0, 2), ['@@ -0,0 +1,3000 @@', '+1'])
})
