import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeEvent } from '#session/log'

test('it is dispatch that needs you, also after tampering', () => {
  const event = { seq: 9, time: new Date().toISOString(), type: 'human.needed', reason: 'line 3 was changed' } as const
  assert.equal(describeEvent({ ...event, exitCode: 13 })?.actor, 'dispatch')
})
