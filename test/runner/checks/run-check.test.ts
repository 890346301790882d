import assert from 'node:assert/strict'
import { it } from 'node:test'
import { combineAttempts } from '#runner/checks/run-check.ts'

it('runs that disagree are flaky, and one that could not run decides', () => {
  const green = { outcome: 'green' as const, reason: '' }
  const red = { outcome: 'red' as const, reason: 'exit 1, not 0' }
  const stopped = { outcome: 'could not run' as const, reason: 'ended by SIGKILL' }
  assert.deepEqual(combineAttempts([green]), green)
  assert.deepEqual(combineAttempts([red, red]), red)
  assert.equal(combineAttempts([green, red]).outcome, 'flaky')
  assert.match(combineAttempts([green, red]).reason, /exit 1, not 0/)
  assert.deepEqual(combineAttempts([red, stopped]), stopped)
  const nothing = { outcome: 'nothing ran' as const, reason: 'no test ran' }
  assert.deepEqual(combineAttempts([nothing, nothing]), nothing)
  for (const attempts of [
    [green, nothing],
    [nothing, green],
  ])
    assert.match(combineAttempts(attempts).reason, /no test ran$/)
})
