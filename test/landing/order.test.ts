import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseNextLanding, type Landing, listOverlaps } from '#landing'
import { createEntry } from '../fixtures/landing-entry.ts'

const now = new Date('2026-11-30T12:00:00.000Z')

const createQueue = (...changes: Partial<Landing>[]): Landing[] =>
  changes.map((change, index) => ({
    ...createEntry({ session: `s${index}`, addedAt: `2026-11-30T11:00:0${index}.000Z`, files: [`own-${index}`] }),
    state: 'waiting',
    ...change,
  }))

const choose = (queue: Landing[], landed: string[] = []) => chooseNextLanding(queue, new Set(landed), now)?.session

test('the smallest goes first, and of two the older one', () => {
  assert.equal(choose(createQueue({ size: 3 }, { size: 1 }, { size: 1 })), 's1')
  assert.equal(choose([]), undefined)
})

test('each landing that goes before it halves what it counts as', () => {
  const landed = (count: number): Partial<Landing>[] =>
    Array.from({ length: count }, () => ({ state: 'ended', outcome: 'landed', since: '2026-11-30T11:30:00.000Z' }))
  const small: Partial<Landing> = { size: 2, addedAt: '2026-11-30T11:40:00.000Z' }
  assert.equal(choose(createQueue({ size: 20 }, small, ...landed(3))), 's1')
  assert.equal(choose(createQueue({ size: 20 }, small, ...landed(4))), 's0')
})

test('one that changes the same files as an older one stays behind it, however small', () => {
  const queue = createQueue({ size: 9, files: ['a', 'b'] }, { size: 5 }, { size: 1, files: ['b'] })
  assert.equal(choose(queue), 's0')
  assert.deepEqual(listOverlaps(queue[0] as Landing, queue), [{ session: 's2', files: ['b'] }])
})

test('it waits for the sessions that are to land before it, and for its time', () => {
  const queue = createQueue({ after: ['x', 'y'] })
  assert.equal(choose(queue, ['x']), undefined)
  assert.equal(choose(queue, ['x', 'y']), 's0')
  assert.equal(choose(createQueue({ notBefore: '2026-11-30T12:00:01.000Z' })), undefined)
  assert.equal(choose(createQueue({ notBefore: '2026-11-30T12:00:00.000Z' })), 's0')
})

test('what lands, was sent back or has ended is not chosen', () => {
  assert.equal(choose(createQueue({ state: 'landing' }, { state: 'sent back' }, { state: 'ended' })), undefined)
})

test('a rest that was begun before the clock was set back does not count', () => {
  const since = '2026-11-30T12:20:00.000Z'
  assert.equal(choose(createQueue({ notBefore: '2026-11-30T12:20:30.000Z' })), undefined)
  assert.equal(choose(createQueue({ notBefore: '2026-11-30T12:20:30.000Z', since })), 's0', 'it began in the future')
  assert.equal(choose(createQueue({ notBefore: '2026-11-30T12:30:01.000Z' })), 's0', 'no rest is that long')
})
