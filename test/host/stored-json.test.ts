import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { parseStored } from '#host/stored-json.ts'

const Shape = z.object({ a: z.strictObject({ b: z.number(), c: z.array(z.strictObject({ d: z.string() })) }) })

test('keys that a newer dispatch has added are left out at every depth, and nothing else is forgiven', () => {
  const stored = { a: { b: 1, new: 2, c: [{ d: 'x' }, { d: 'y', new: { e: 3 } }] }, new: 4 }
  const before = structuredClone(stored)
  assert.deepEqual(parseStored(Shape, stored).data, { a: { b: 1, c: [{ d: 'x' }, { d: 'y' }] } })
  assert.deepEqual(stored, before)
  assert.equal(parseStored(Shape, { a: { b: 'text', new: 1, c: [] } }).success, false)
  assert.equal(parseStored(Shape, { a: { c: [] } }).success, false)
  assert.equal(parseStored(Shape, undefined).success, false)
})
