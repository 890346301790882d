import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCount, formatNames, sanitize, stripEscapeSequences, toOneLine, toWholeWords } from '#host/text.ts'
import { assertGrowsLinearly } from '../fixtures/growth.ts'
import { createRandom } from '../fixtures/scratch.ts'

test('characters that act on a terminal, or hide, are escaped', () => {
  const table: [name: string, text: string, expected: string][] = [
    ['NUL', 'a\0b', 'a\\u{0}b'],
    ['bell', 'a\x07', 'a\\u{7}'],
    ['backspace', 'a\b', 'a\\u{8}'],
    ['carriage return', 'a\rb', 'a\\u{d}b'],
    ['form feed', '\f', '\\u{c}'],
    ['delete', '\x7f', '\\u{7f}'],
    ['a clear screen', '\x1b[2J', '\\u{1b}[2J'],
    ['a color', '\x1b[31mred', '\\u{1b}[31mred'],
    ['a clipboard', '\x1b]52;c;eA==\x07', '\\u{1b}]52;c;eA==\\u{7}'],
    ['a title', '\x1b]0;x\x1b\\', '\\u{1b}]0;x\\u{1b}\\'],
    ['the end of a paste', '\x1b[201~', '\\u{1b}[201~'],
    ['C1: CSI in one byte', '\x9b2J', '\\u{9b}2J'],
    ['C1: next line', '\x85', '\\u{85}'],
    ['direction override', '\u202egpj.exe', '\\u{202e}gpj.exe'],
    ['direction isolate', '\u2066a\u2069', '\\u{2066}a\\u{2069}'],
    ['direction marks', '\u200e\u200f\u061c', '\\u{200e}\\u{200f}\\u{61c}'],
    ['zero width', 'a\u200bb\u2060c\ufeffd', 'a\\u{200b}b\\u{2060}c\\u{feff}d'],
    ['a soft hyphen', 'a\u00adb', 'a\\u{ad}b'],
    ['a vowel separator', 'a\u180eb', 'a\\u{180e}b'],
    ['line separators', '\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['annotations', '\ufff9x\ufffb', '\\u{fff9}x\\u{fffb}'],
    ['deprecated shaping controls', '\u206a\u206f', '\\u{206a}\\u{206f}'],
    ['tags', '\u{e0001}\u{e0041}', '\\u{e0001}\\u{e0041}'],
    ['bytes in variation selectors', 'a\u{e0100}\u{e01ef}', 'a\\u{e0100}\\u{e01ef}'],
  ]
  for (const [name, text, expected] of table) assert.equal(sanitize(text), expected, name)
})

test('text in any script, and emoji, stay unchanged', () => {
  for (const text of [
    'plain text, with\ttabs and\nlines',
    '👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍💻 ❤️ 1️⃣ 🇩🇪',
    'مرحبا بالعالم',
    'می‌خواهم',
    'हिन्दी क्‍ष',
    '日本語 — “quotes” … naïve Ångström',
    'e\u0301',
    '\u00a0\u3000',
    '',
  ])
    assert.equal(sanitize(text), text)
})

test('one line is cut by characters, with an ellipsis', () => {
  const table: [string, number, string][] = [
    ['a\n b\t\tc  ', 80, 'a b c'],
    ['abcdef', 6, 'abcdef'],
    ['abcdefg', 6, 'abcde…'],
    ['😀😀😀😀', 3, '😀😀…'],
    ['\u2028\u2029\ufeff\r\n', 5, ''],
    ['a\x1bb', 80, 'a\\u{1b}b'],
    ['', 5, ''],
  ]
  for (const [text, width, expected] of table) assert.equal(toOneLine(text, width), expected, JSON.stringify(text))
})

test('100,000 random characters: nothing acts, and a second pass changes nothing', () => {
  const random = createRandom(99)
  const pools = [0x20, 0x100, 0x3000, 0x10000, 0x110000]
  const character = () => String.fromCodePoint(Math.floor(random() * (pools[Math.floor(random() * pools.length)] ?? 1)))
  const text = Array.from({ length: 100_000 }, character).join('')
  const shown = sanitize(text)
  assert.doesNotMatch(shown, /[^\P{Cc}\t\n]/u)
  assert.doesNotMatch(shown, /\p{Bidi_Control}/u)
  assert.equal(sanitize(shown), shown)
})

test('escape sequences are removed, in a time that grows with the text only', () => {
  const table = [
    ['\x1b[1;31mred\x1b[0m', 'red'],
    ['\x1b]8;;https://a.test\x1b\\a link\x1b]8;;\x1b\\', 'a link'],
    ['\x1b]0;title\x07text', 'text'],
    ['\x1b]0;without an end\nnext', '\nnext'],
    ['\x1b]0;without an end\x1b[1mnext', 'next'],
  ]
  for (const [text = '', expected] of table) assert.equal(stripEscapeSequences(text), expected, JSON.stringify(text))
  for (const start of ['\x1b]', '\x1b]8;;', '\x1b[', '\x1b[1;'])
    assertGrowsLinearly(JSON.stringify(start), 100_000, size => void stripEscapeSequences(start.repeat(size)))
})

test('a count agrees with its noun, and a long list of names is cut', () => {
  assert.deepEqual(
    [formatCount(0, 'file'), formatCount(1, 'file'), formatCount(2, 'file')],
    ['0 files', '1 file', '2 files'],
  )
  assert.deepEqual(
    [formatCount(1, 'entry'), formatCount(2, 'entry'), formatCount(2, 'day')],
    ['1 entry', '2 entries', '2 days'],
  )
  assert.equal(formatNames(['a\n', 'b\u001b[2J']), 'a, b\\u{1b}[2J')
  assert.equal(formatNames(['a', 'b', 'c'], 2), 'a, b and 1 more')
})

test('a line that is cut between words has the asked width, and ends before a path that does not fit', () => {
  const line = 'it failed; full output: /a/long/path/to/the/log'
  assert.equal(toWholeWords(line, 47), line)
  assert.equal(toWholeWords(line, 46), 'it failed; full output…')
  assert.equal(toWholeWords('one two', 4), 'one…')
  assert.equal(toWholeWords('one twothreefour', 10), 'one twoth…', 'where little would be left, the word is cut')
})
