import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readArgumentBytes, splitCommandLine } from '#host/argv-bytes.ts'

test('an argument is read as the bytes that were typed', () => {
  assert.deepEqual(readArgumentBytes('schön'), Buffer.from('schön'))
  assert.deepEqual(splitCommandLine(Buffer.from('node\0a\0\0b\0')).map(String), ['node', 'a', '', 'b'])
  assert.deepEqual(splitCommandLine(Buffer.from([0x61, 0, 0xff, 0])).at(-1), Buffer.from([0xff]))
})
