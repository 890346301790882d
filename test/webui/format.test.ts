import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAge, formatDuration, pickTone } from '#webui/format.ts'

const start = '2026-11-20T10:00:00.000Z'
const addSeconds = (seconds: number) => new Date(Date.parse(start) + seconds * 1000)

test('an age has one unit', () => {
  for (const [seconds, expected] of [
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [3600, '1 h'],
    [172_799, '47 h'],
    [172_800, '2 d'],
    [-5, '0 s'],
  ] as const)
    assert.equal(formatAge(start, addSeconds(seconds)), expected)
})

test('a duration is exact below an hour', () => {
  for (const [seconds, expected] of [
    [42, '42 s'],
    [60, '1 min'],
    [200, '3 min 20 s'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
  ] as const)
    assert.equal(formatDuration(start, addSeconds(seconds).toISOString()), expected)
})

test('an invalid time is an empty text', () => {
  assert.equal(formatAge('yesterday', addSeconds(0)), '')
  assert.equal(formatDuration('', start), '')
})

test('an unknown label, a void verdict and a report are not green', () => {
  for (const label of ['PASS', 'green']) assert.equal(pickTone(label), 'good')
  for (const label of ['PASS (void)', 'reported', 'stopped', 'pass', '', 'constructor'])
    assert.match(pickTone(label), /^(quiet|unsure)$/)
})
