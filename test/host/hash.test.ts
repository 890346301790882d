import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#host/hash.ts'

test('sha256 hashes a text as UTF-8, and bytes as they are', () => {
  assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  assert.equal(sha256('ü'), sha256(new Uint8Array([0xc3, 0xbc])))
  assert.notEqual(sha256(new Uint8Array([0xfc])), sha256('ü'))
})
