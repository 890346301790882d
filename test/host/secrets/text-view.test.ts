import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BLANKS, createTextView, INVISIBLE, MARKUP } from '#host/secrets/text-view.ts'

test('a view drops invisible characters, then markup, then blanks', () => {
  const text = 'a\u200bb\u001b[1m *c* d'
  assert.equal(createTextView(text, INVISIBLE).text, 'ab *c* d')
  assert.equal(createTextView(text, MARKUP).text, 'ab c d')
  assert.equal(createTextView(text, BLANKS).text, 'abcd')
})

test('a range of a view covers the dropped characters in the original', () => {
  const text = '\u200b\u200bab\u200bcd\u200b'
  const view = createTextView(text, INVISIBLE)
  assert.equal(view.text, 'abcd')
  const [range = assert.fail()] = view.toOriginal([{ start: 1, end: 3 }])
  assert.equal(text.slice(range.start, range.end), 'b\u200bc')
  assert.deepEqual(createTextView('abcd', INVISIBLE).toOriginal([{ start: 1, end: 3 }]), [{ start: 1, end: 3 }])
})
