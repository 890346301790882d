import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskWatch } from '#runner/disk-watch.ts'
import { readLog } from '#session/log'
import { createTestContext } from '../fixtures/runner-context.ts'

test('a disk that is nearly full is recorded once each time, and only looked at every minute', t => {
  t.mock.timers.enable({ apis: ['Date'] })
  const context = createTestContext(t)
  const watch = new DiskWatch()
  for (const freeBytes of [2e9, 0.5e9, 0.4e9, 3e9, 0.3e9]) {
    watch.check(context, () => freeBytes)
    watch.check(context, () => assert.fail('too soon'))
    t.mock.timers.tick(60_000)
  }
  const events = readLog(context.session.paths.events).events
  assert.deepEqual(
    events.map(event => event.type === 'disk.low' && event.freeBytes),
    [0.5e9, 0.3e9],
  )
})
