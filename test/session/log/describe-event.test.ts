import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStory, describeEvent, type EventBody } from '#session/log'

test('it is dispatch that needs you, also after tampering', () => {
  const event = { seq: 9, time: new Date().toISOString(), type: 'human.needed', reason: 'line 3 was changed' } as const
  assert.equal(describeEvent({ ...event, exitCode: 13 })?.actor, 'dispatch')
})

test('a contract that is rejected again for the same reasons is told once', () => {
  const tell = createStory()
  const reject = (...problems: string[]): EventBody => ({ type: 'contract.rejected', problems })
  const events: EventBody[] = [
    reject('a'),
    reject('a'),
    reject('b'),
    { type: 'contract.declined', sha256: 'a', actor: 'you' },
    reject('b'),
  ]
  const told = events.map((body, index) => tell({ ...body, seq: index + 1, time: new Date().toISOString() })?.text)
  const rejected = (problem: string) => `the contract is not ready: ${problem}`
  assert.deepEqual(told, [rejected('a'), undefined, rejected('b'), 'declined the contract', undefined])
})
