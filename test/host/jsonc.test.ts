import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf, readJsonc, withValue } from '../../host/index.ts'

const text = '\ufeff{\r\n  // mine\r\n  "a": { "b": [1, 2,] },\r\n  "c": 3, /* why */\r\n}\r\n'

test('JSON with comments, trailing commas, a mark and CRLF reads', () => {
  assert.deepEqual(readJsonc(text), { value: { a: { b: [1, 2] }, c: 3 }, misread: [] })
})

test('what does not read is named with its line and column', () => {
  const { misread } = readJsonc('{\n  "a": 1\n  "b": nope\n}')
  assert.deepEqual(
    misread.slice(0, 2).map(({ line, column }) => [line, column]),
    [
      [3, 3],
      [3, 8],
    ],
  )
  assert.match(misread.map(({ what }) => what).join(), /comma expected/)
})

test('a value is found by its line, a missing one by the line above it', () => {
  assert.deepEqual(placeOf(text, ['a', 'b', 1]), { line: 3, column: 19 })
  assert.deepEqual(placeOf(text, ['c']), { line: 4, column: 3 })
  assert.deepEqual(placeOf(text, ['a', 'nothing']), { line: 3, column: 3 })
})

test('one value is set, the rest stays byte for byte', () => {
  assert.equal(withValue(text, ['c'], 4), text.replace('"c": 3', '"c": 4'))
  const longer = withValue(text, ['a', 'b', -1], 9)
  assert.deepEqual(readJsonc(longer).value, { a: { b: [1, 2, 9] }, c: 3 })
  assert.match(longer, /^\ufeff\{\r\n {2}\/\/ mine/)
  assert.equal(withValue('{\n\t"a": 1\n}\n', ['b'], { c: 2 }), '{\n\t"a": 1,\n\t"b": {\n\t\t"c": 2\n\t}\n}\n')
})
