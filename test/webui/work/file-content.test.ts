import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText, detectImage, formatSize, parseDiff, splitText } from '#webui/work/file-content.ts'
import { assertGrowsLinearly } from '../../fixtures/growth.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')

test('a picture is known by its first bytes', () => {
  for (const [start, type] of [
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF89a', 'image/gif'],
    ['RIFF\x01\x02\x03\x04WEBPVP8 ', 'image/webp'],
    ['<svg xmlns="x">', 'image/svg+xml'],
    ['<?xml version="1.0"?>\n<!-- a > b -->\n<!DOCTYPE svg PUBLIC "x">\n<svg>', 'image/svg+xml'],
  ] as const)
    assert.equal(detectImage(latin1(start)), type)
  for (const start of ['', 'PNG', 'GIF', '<html><svg>', '<!-- <svg>', '<!DOCTYPE svg [<!ENTITY a "b">]><svg>'])
    assert.equal(detectImage(latin1(start)), undefined, start)
})

test('looking for SVG takes no longer than it must', () => {
  assertGrowsLinearly('detectImage', 100, size => {
    for (let index = 0; index < size; index++) detectImage(latin1('<!----><!-'.repeat(400)))
  })
})

test('text is told from binary content, and by its encoding', () => {
  assert.deepEqual(decodeText(latin1('a\n')), { text: 'a\n', encoding: '' })
  assert.deepEqual(decodeText(Buffer.from('\ufeffa')), { text: 'a', encoding: '' })
  assert.deepEqual(decodeText(Buffer.from('\ufeffä', 'utf16le')), { text: 'ä', encoding: 'UTF-16LE' })
  assert.equal(decodeText(latin1('na\xefve'))?.encoding, 'not UTF-8')
  assert.equal(decodeText(latin1('a\0b')), undefined)
  assert.equal(decodeText(latin1('\x01\x02\xff\xfe\xfd')), undefined)
})

test('text is split into lines within limits, with what is unusual about it', () => {
  const split = (text: string, isCut = false) => splitText({ text, encoding: '' }, isCut)
  assert.deepEqual(split('a\nb\n'), { lines: ['a', 'b'], remarks: [] })
  assert.deepEqual(split('a\nb'), { lines: ['a', 'b'], remarks: [] })
  assert.deepEqual(split(''), { lines: [''], remarks: [] })
  assert.deepEqual(split('a\r\nb\r\n'), { lines: ['a', 'b'], remarks: ['Lines end with CRLF.'] })
  assert.deepEqual(split('a\r\nb\nc\n').lines, ['a\r', 'b', 'c'])
  assert.match(split('a', true).remarks.join(), /Only the beginning/)
  assert.equal(split('\n'.repeat(20_000)).lines.length, 10_000)
  assert.match(split('x'.repeat(5000)).lines[0] ?? '', /^x{2000}… \[3000 more characters\]$/)
})

test('a diff has the numbers of both sides, and a changed line end shows', () => {
  const diff = [
    'diff --git a/a b/b',
    '--- a/a',
    '+++ b/b',
    '@@ -1,3 +1,3 @@ f()',
    ' same\r',
    '-old',
    '+old\r',
    '+--- new',
    '\\ No newline at end of file',
    '@@ -10 +11 @@',
    '-x',
    '',
  ].join('\n')
  const { lines, remarks } = parseDiff(Buffer.from(diff), false)
  assert.deepEqual(remarks, [])
  assert.deepEqual(
    lines.map(({ kind, mark, number, text }) => [kind, mark, number, text]),
    [
      ['place', '', '', '@@ -1,3 +1,3 @@ f()'],
      ['same', '', '1', 'same'],
      ['deleted', '-', '2', 'old'],
      ['added', '+', '2', 'old␍'],
      ['added', '+', '3', '--- new'],
      ['place', '', '', 'No newline at end of file'],
      ['place', '', '', '@@ -10 +11 @@'],
      ['deleted', '-', '10', 'x'],
    ],
  )
  assert.deepEqual(parseDiff(Buffer.from(''), false), { lines: [], remarks: [] })
})

test('sizes are in one unit', () => {
  const sizes = [0, 1, 999, 1000, 9949, 12_345, 999_499, 999_500, 1e6, 5.24e7, 3e9].map(formatSize)
  assert.deepEqual(sizes, [
    ...['0 bytes', '1 byte', '999 bytes', '1.0 KB', '9.9 KB', '12 KB', '999 KB', '1.0 MB', '1.0 MB', '52 MB', '3.0 GB'],
  ])
})
