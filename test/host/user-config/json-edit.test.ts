import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertValue, removeValue, replaceValue } from '#host/user-config/json-edit.ts'

test('a value is added in the layout of its object or list', () => {
  const cases: [text: string, path: string[], key: string | undefined, expected: string][] = [
    ['{"a": 1}', [], 'b', '{"a": 1, "b": 2}'],
    ['{\n  "a": 1\n}', [], 'b', '{\n  "a": 1,\n  "b": 2\n}'],
    ['{\n\t"a": {}\n}', ['a'], 'b', '{\n\t"a": {\n\t\t"b": 2\n\t}\n}'],
    ['{"a": []}', ['a'], undefined, '{"a": [2]}'],
    ['{"a": [1]}', ['a'], undefined, '{"a": [1, 2]}'],
    ['{\n  "a": 1 // why\n}', [], 'b', '{\n  "a": 1, // why\n  "b": 2\n}'],
    ['{\n  "a": 1,\n}', [], 'b', '{\n  "a": 1,\n  "b": 2,\n}'],
    ['{\r\n  "a": 1\r\n}', [], 'b', '{\r\n  "a": 1,\r\n  "b": 2\r\n}'],
  ]
  for (const [text, path, key, expected] of cases)
    assert.equal(insertValue(text, path, key === undefined ? { value: 2 } : { key, value: 2 }), expected)
})

test('a value is replaced in place', () => {
  assert.equal(replaceValue('{"a": {"b": 1 /* x */}}', ['a', 'b'], true), '{"a": {"b": true /* x */}}')
})

test('a value is removed with its key and one comma', () => {
  const cases: [text: string, path: (string | number)[], expected: string][] = [
    ['{"a": 1, "b": 2}', ['a'], '{ "b": 2}'],
    ['{"a": 1, "b": 2}', ['b'], '{"a": 1}'],
    ['{"a": 1}', ['a'], '{}'],
    ['{"a": [1, 2, 3]}', ['a', 1], '{"a": [1, 3]}'],
    ['{\n  "a": 1,\n  "b": 2\n}', ['b'], '{\n  "a": 1\n}'],
    ['{\n  "a": 1, // why\n  "b": 2\n}', ['b'], '{\n  "a": 1 // why\n}'],
  ]
  for (const [text, path, expected] of cases) assert.equal(removeValue(text, path), expected, text)
})
