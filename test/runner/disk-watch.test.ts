import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskWatch } from '#runner/disk-watch.ts'
import { readLog } from '#session/log'
import { createTestContext } from '../fixtures/runner-context.ts'

test('a disk that is nearly full is recorded once each time, and only looked at every minute', t => {
  const context = createTestContext(t)
  const watch = new DiskWatch()
  for (const [minute, freeBytes] of [2e9, 0.5e9, 0.4e9, 3e9, 0.3e9].entries()) {
    watch.check(context, () => freeBytes, minute * 60_000)
    watch.check(context, () => assert.fail('too soon'), minute * 60_000 + 59_000)
  }
  const events = readLog(context.session.paths.events).events
  assert.deepEqual(
    events.map(event => event.type === 'disk.low' && event.freeBytes),
    [0.5e9, 0.3e9],
  )
})
