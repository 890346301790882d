import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeNames, encodeName } from '#host/file-name.ts'
import { sanitize } from '#host/text.ts'
import { createRandom } from '../fixtures/scratch.ts'

const decode = (bytes: Buffer) => decodeNames(bytes.toString('latin1'))

test('UTF-8 is read as such, and every other byte is kept', () => {
  const names = ['plain', 'ü 日本 🌊', '\ufffd', 'a\nb\t"\\ ', '']
  for (const name of names) assert.equal(decode(Buffer.from(name)), name)
  const [latin1, mixed] = [Buffer.from('caf\xe9.txt', 'latin1'), Buffer.from('\xe9\xc3\xa9\xff', 'latin1')]
  assert.equal(decode(latin1), 'caf\udce9.txt')
  assert.equal(decode(mixed), '\udce9é\udcff')
  assert.equal(sanitize(decode(mixed)), '\\xe9é\\xff')
})

test('any bytes come back as they were, and different names stay different', () => {
  const random = createRandom(3)
  const seen = new Map<string, string>()
  for (let round = 0; round < 3000; round++) {
    const size = Math.floor(random() * 6)
    const bytes = Buffer.from(
      Array.from({ length: size }, () => Math.floor(random() * 2) * 128 + Math.floor(random() * 128)),
    )
    const text = decode(bytes)
    assert.deepEqual(encodeName(text), bytes, bytes.toString('hex'))
    assert.equal(seen.get(text) ?? bytes.toString('hex'), bytes.toString('hex'))
    seen.set(text, bytes.toString('hex'))
  }
})
