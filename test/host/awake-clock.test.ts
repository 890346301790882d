import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AwakeClock, setAwakeTimeout } from '#host/awake-clock.ts'

/** A clock on a boot time that the test sets. */
function createClock() {
  let bootMs = 5000
  const clock = new AwakeClock(() => bootMs)
  const pass = (milliseconds: number, stepMs = milliseconds) => {
    for (let passedMs = 0; passedMs < milliseconds; passedMs += stepMs) {
      bootMs += stepMs
      clock.read()
    }
  }
  return { clock, pass }
}

test('sleep does not count, and is told once', () => {
  const { clock, pass } = createClock()
  const start = clock.read()
  pass(20_000, 1000)
  assert.deepEqual([clock.read() - start, clock.takeSleep()], [20_000, 0])
  pass(40_000)
  assert.deepEqual([clock.read() - start, clock.takeSleep(), clock.takeSleep()], [21_000, 39_000, 0])
  pass(25_000) // A busy machine.
  assert.deepEqual([clock.read() - start, clock.takeSleep()], [46_000, 0])
})

test('what is measured does not change when the wall clock is set', t => {
  const { clock, pass } = createClock()
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-29T20:00:00Z') })
  const measure = () => clock.measure('worker', '2026-11-29T19:59:57.000Z')
  assert.equal(measure(), 3000)
  pass(2000, 1000)
  for (const wall of ['2026-11-30T20:00:00Z', '2026-11-28T20:00:00Z']) {
    t.mock.timers.setTime(Date.parse(wall))
    assert.equal(measure(), 5000)
  }
  pass(60_000)
  assert.equal(measure(), 6000)
  assert.equal(clock.measure('another', '2027-01-01T00:00:00.000Z'), 0, 'what seems to begin later has just begun')
})

test('a time limit goes on after a sleep, whose timers have run out', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let awakeMs = 0
  let count = 0
  const start = () => setAwakeTimeout(() => count++, 60_000, { read: () => awakeMs })
  start()
  awakeMs = 10_000 // The rest of the minute was slept.
  t.mock.timers.tick(60_000)
  assert.equal(count, 0)
  awakeMs = 59_000 // The clock has steps of a second.
  t.mock.timers.tick(50_000)
  assert.equal(count, 1)
  start().clear()
  t.mock.timers.tick(60_000)
  assert.equal(count, 1)
})

test('the real clock runs', async () => {
  const clock = new AwakeClock()
  const start = clock.read()
  while (clock.read() === start) await new Promise(resolve => setImmediate(resolve))
  assert.ok(clock.read() - start < 10_000)
})
