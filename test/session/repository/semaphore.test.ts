import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSemaphore } from '#session/repository/semaphore.ts'

test('so many are taken at a time, others wait in order, and too many are refused', async () => {
  const slots = createSemaphore(1, 2)
  const first = await slots.take()
  assert.ok(first)
  const order: string[] = []
  const waiting = ['second', 'third'].map(name => slots.take().then(release => [order.push(name), release] as const))
  assert.equal(await slots.take(), undefined)
  first()
  first() // A slot is given back once.
  const [, second] = (await waiting[0]) ?? []
  assert.deepEqual(order, ['second'])
  second?.()
  await waiting[1]
  assert.deepEqual(order, ['second', 'third'])
})

test('one that goes away leaves the queue', async () => {
  const slots = createSemaphore(1, 1)
  const release = await slots.take()
  const reader = new AbortController()
  const waiting = slots.take(reader.signal)
  reader.abort()
  assert.equal(await waiting, undefined)
  assert.equal(await slots.take(AbortSignal.abort()), undefined)
  const next = slots.take()
  release?.()
  assert.ok(await next)
})
