import assert from 'node:assert/strict'
import { test } from 'node:test'
import stringWidth from 'string-width'
import { formatTable, hangIndent, measureTextWidth, pad, paint, shorten, wrap } from '#cli/output/terminal.ts'

test('CJK and emoji take two columns, colors none', () => {
  const widths = {
    abc: 3,
    'é…→—': 4,
    日本: 4,
    '👩‍👩‍👧': 2,
    '🇯🇵!': 3,
    'e\u0301': 1,
    ｱ: 1,
    '\u001b[31mred\u001b[39m': 3,
    '': 0,
  }
  for (const [text, width] of Object.entries(widths)) assert.equal(measureTextWidth(text), width, text)
})

test('every character has the width that string-width gives it', () => {
  for (let code = 0x20; code < 0x3000; code++) {
    const character = String.fromCodePoint(code)
    assert.equal(measureTextWidth(character), stringWidth(character), code.toString(16))
  }
})

test('columns stay aligned with CJK and emoji in them', () => {
  const rows = formatTable([
    ['日本語', 'x'],
    [paint('green', 'a'), 'x'],
    ['👍 ok', 'x'],
  ]).split('\n')
  assert.deepEqual(rows, ['日本語  x', 'a       x', '👍 ok   x'])
  assert.deepEqual([pad('日', 4), pad('日本語', 4)], ['日  ', '日本語'])
})

test('wrap breaks lines between words, by columns', () => {
  assert.deepEqual(wrap('日本 日本 ab'.split(' '), 9), ['日本 日本', 'ab'])
  assert.deepEqual(wrap('a very-long-word b c'.split(' '), 5), ['a', 'very-long-word', 'b c'])
  assert.deepEqual(wrap(['--file FILE', '--x'], 8), ['--file FILE', '--x'])
  assert.deepEqual(wrap([], 8), [])
})

test('hangIndent indents the lines after the first by the width of the lead', () => {
  assert.deepEqual(hangIndent('日 ', ['a', 'b']), ['日 a', '   b'])
  assert.deepEqual(hangIndent(paint('red', '- '), ['a', 'b'], 1), ['- a', ' b'])
  assert.deepEqual(hangIndent('lead', []), ['lead'])
})

test('shorten cuts by columns, never inside a character', () => {
  assert.equal(shorten('日本語', 6), '日本語')
  assert.equal(shorten('日本語', 5), '日本…')
  assert.equal(shorten('日本語', 4), '日…')
  assert.equal(shorten('ab👩‍👩‍👧👩‍👩‍👧', 5), 'ab👩‍👩‍👧…')
  assert.equal(shorten('two\n\u001b lines', 40), 'two \\u{1b} lines')
})
