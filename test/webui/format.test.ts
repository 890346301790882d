import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAge, formatDuration, pickTone } from '#webui/format.ts'

const start = '2026-11-20T10:00:00.000Z'
const later = (seconds: number) => new Date(Date.parse(start) + seconds * 1000)

test('an age is one number and one unit', () => {
  for (const [seconds, words] of [
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [3600, '1 h'],
    [172_799, '47 h'],
    [172_800, '2 d'],
    [-5, '0 s'],
  ] as const)
    assert.equal(formatAge(start, later(seconds)), words)
})

test('a duration is exact below an hour', () => {
  for (const [seconds, words] of [
    [42, '42 s'],
    [60, '1 min'],
    [200, '3 min 20 s'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
  ] as const)
    assert.equal(formatDuration(start, later(seconds).toISOString()), words)
})

test('a moment that does not read as one is no words', () => {
  assert.equal(formatAge('yesterday', later(0)), '')
  assert.equal(formatDuration('', start), '')
})

test('only what is proved is green: no unknown word, no void verdict, no claim', () => {
  for (const word of ['PASS', 'green']) assert.equal(pickTone(word), 'good')
  for (const word of ['PASS (void)', 'reported', 'stopped', 'pass', '', 'constructor'])
    assert.match(pickTone(word), /^(quiet|unsure)$/)
})
