import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPosition, parseJsonc, readTruncatedJson } from '#host/json.ts'
import { assertGrowsLinearly } from '../fixtures/growth.ts'

const text = '\ufeff{\r\n  // mine\r\n  "a": { "b": [1, 2,] },\r\n  "c": 3, /* why */\r\n}\r\n'

test('JSON with comments, trailing commas, a byte order mark and CRLF is parsed', () => {
  assert.deepEqual(parseJsonc(text), { value: { a: { b: [1, 2] }, c: 3 }, problems: [] })
})

test('a syntax error has its line and column', () => {
  const { problems } = parseJsonc('{\n  "a": 1\n  "b": nope\n}')
  assert.deepEqual(
    problems.slice(0, 2).map(({ line, column }) => [line, column]),
    [
      [3, 3],
      [3, 8],
    ],
  )
  assert.match(problems.map(({ message }) => message).join(), /comma expected/)
})

test('a value has its position, a missing one that of its parent', () => {
  assert.deepEqual(findPosition(text, ['a', 'b', 1]), { line: 3, column: 19 })
  assert.deepEqual(findPosition(text, ['c']), { line: 4, column: 3 })
  assert.deepEqual(findPosition(text, ['a', 'nothing']), { line: 3, column: 3 })
})

const sample = { a: 'x', n: -1.5, t: { c: 'é"\\\u2028\ud83d\ude00', d: [true, null, 'z'] }, end: 'y' }

test('complete JSON is read as by JSON.parse', () => {
  for (const text of ['null', '7', '[]', ` ${JSON.stringify(sample)}\n`, '{"__proto__":{"a":1}}'])
    assert.deepEqual(readTruncatedJson(text), JSON.parse(text))
})

test('JSON that is cut anywhere gives the start of its value', () => {
  assert.deepEqual(toPlain(readTruncatedJson('{"a":"x","t":{"c":"abc\\u00')), { a: 'x', t: { c: 'abc' } })
  for (const whole of [JSON.stringify(sample), JSON.stringify(sample).replace(/[^\0-~]/g, escapeCharacter)])
    for (let length = 1; length < whole.length; length++) {
      const value = readTruncatedJson(whole.slice(0, length))
      assert.ok(isStartOf(value, sample), `${whole.slice(0, length)} gave ${JSON.stringify(value)}`)
    }
})

test('text that is not JSON, or only starts as JSON, is not an error', () => {
  for (const text of ['', ' ', '\0', 'x', '}', 'undefined', '// only', '\ufeff'])
    assert.equal(readTruncatedJson(text), undefined)
  for (const text of ['{"a":1}x', '{"a":1}{"b":2}', '// why\n{"a":1}', '\ufeff{"a":1', '{,"a":1', '{"a":1,"b":\n\n'])
    assert.deepEqual(toPlain(readTruncatedJson(text)), { a: 1 })
})

test('__proto__ in a cut text is an ordinary name', () => {
  const value = readTruncatedJson('{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}},"toString":"x","c":"y')
  assert.ok(typeof value === 'object' && value !== null)
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'toString', 'c'])
  assert.ok(!('a' in value))
  assert.ok(!('a' in {}) && !('b' in {}))
})

test('the cost of a cut text grows with its length, whatever its depth', () => {
  const size = 1024 * 1024
  for (const text of ['[', '{"a":', '[{"a":', '{"x":1,"y":['])
    assertGrowsLinearly(text, size, size =>
      assert.deepEqual(toPlain(readTruncatedJson(text.repeat(size / text.length))), {}),
    )
  for (const sign of ['"', ',', ':', '\\u00', '\\', ']', '}', 'x ', '/*', '1,', '"k":1,', '\0', 'é'])
    assertGrowsLinearly(sign, size, size =>
      assert.equal(Object.keys(readTruncatedJson(`{"a":"b",${sign.repeat(size / sign.length)}`) ?? {})[0], 'a'),
    )
  assert.equal(Object.values(readTruncatedJson(`{"a":"${'\\n'.repeat(size / 2)}`) ?? {})[0], '\n'.repeat(size / 2))
})

/** Is `value` a start of `whole`? A string or number may be shorter, and the end of a list or object may be missing. */
function isStartOf(value: unknown, whole: unknown): boolean {
  if (typeof value === 'string') return typeof whole === 'string' && whole.startsWith(value)
  if (typeof value === 'number') return String(whole).startsWith(String(value))
  if (typeof value !== 'object' || value === null) return value === whole
  if (typeof whole !== 'object' || whole === null) return false
  const [actual, expected] = [Object.entries(value), Object.entries(whole)]
  return actual.every(([name, item], index) => {
    const [expectedName, original] = expected[index] ?? []
    return (
      expectedName === name &&
      (index < actual.length - 1 && typeof item !== 'object' ? item === original : isStartOf(item, original))
    )
  })
}

const escapeCharacter = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** The same value with ordinary objects. */
const toPlain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
