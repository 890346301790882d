import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTestChanges, formatTestCounts, type TestCounts } from '#session/evidence'

const counts = (ran: number, skipped: number, failed = 0) => ({ ran, failed, skipped })

test('counts are shown in words, and their absence too', () => {
  const table: [TestCounts | undefined, string][] = [
    [counts(12, 3), '12 ran, 3 skipped'],
    [counts(12, 0), '12 ran'],
    [counts(12, 3, 1), '12 ran, 1 failed, 3 skipped'],
    [counts(0, 3), '0 ran, 3 skipped'],
    ['unknown', 'count unknown'],
    ['cached', 'cached'],
    [undefined, ''],
  ]
  for (const [tests, shown] of table) assert.equal(formatTestCounts(tests), shown)
})

test('a reader is told of fewer tests and of more skips than before the work', () => {
  const table: [TestCounts | undefined, TestCounts | undefined, string | undefined][] = [
    [counts(12, 0), counts(7, 0), 'ran 7 tests, 12 before the work'],
    [counts(12, 1), counts(12, 3), 'skipped 3 tests, 1 before the work'],
    [counts(12, 0), counts(1, 1), 'ran 1 test, 12 before the work, skipped 1 test, 0 before the work'],
    [counts(12, 3), counts(14, 1), undefined],
    [counts(12, 3), 'unknown', 'prints no count of tests any more, 12 tests ran before the work'],
    [counts(12, 3), undefined, 'prints no count of tests any more, 12 tests ran before the work'],
    [counts(0, 3), 'unknown', undefined],
    [counts(12, 3), 'cached', undefined],
    ['unknown', counts(1, 3), undefined],
    [undefined, counts(1, 3), undefined],
  ]
  for (const [before, after, remark] of table) assert.equal(describeTestChanges(before, after), remark)
})
