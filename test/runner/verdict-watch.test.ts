import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseIntervalMs } from '#runner/verdict-watch.ts'

test('a look that takes long is followed by a long rest', () => {
  assert.deepEqual([1, 20, 150, 90_000].map(chooseIntervalMs), [2000, 2000, 15_000, 60_000])
})
