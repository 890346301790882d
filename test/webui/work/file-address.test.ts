import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildDisposition, buildFileAddress, parseFileAddress } from '#webui/work/file-address.ts'

test('an address leads back to the same path, whatever its bytes', () => {
  for (const path of ['a', 'a/b c', 'ü/🦊', '\udcff\udcfe', '%2e%2e/x', 'a?b#c', '\'"<&>', 'new\nline', '...', '-rf']) {
    const address = buildFileAddress('2026-x', path)
    assert.match(address, /^\/s\/2026-x\/tree\/[\w./~%-]+$/)
    const parsed = parseFileAddress(`${address}?page=2`)
    assert.ok(parsed && parsed !== 'malformed')
    assert.deepEqual([parsed.sessionId, parsed.view, parsed.names.join('/')], ['2026-x', 'tree', path])
    assert.equal(parsed.query.get('page'), '2')
  }
})

test('content is addressed by a tree', () => {
  const parsed = parseFileAddress(buildFileAddress('x', 'a/b', { view: 'raw', tree: 'abc' }))
  assert.ok(parsed && parsed !== 'malformed')
  assert.deepEqual([parsed.view, parsed.tree, parsed.names], ['raw', 'abc', ['a', 'b']])
})

test('other addresses are left alone, and broken ones are called so', () => {
  for (const url of ['/', '/s/x', '/s/x/tree', '/s/x/matrix', '/s/x/task.md', '/s//tree/a', '/s/x/treeish/a'])
    assert.equal(parseFileAddress(url), undefined, url)
  for (const url of [
    '/s/x/tree/%',
    '/s/x/tree/%4',
    '/s/x/tree/%zz',
    '/s/x/tree/a%00',
    '/s/%ff%/tree/',
    '/s/x/raw/%0/a',
  ])
    assert.equal(parseFileAddress(url), 'malformed', url)
})

test('a folder may end with a slash, and an empty name in between stays', () => {
  const names = (url: string) => {
    const parsed = parseFileAddress(url)
    return parsed === 'malformed' ? parsed : parsed?.names
  }
  assert.deepEqual(names('/s/x/tree/'), [])
  assert.deepEqual(names('/s/x/tree/a/'), ['a'])
  assert.deepEqual(names('/s/x/tree//a'), ['', 'a'])
})

test('the name of a download is safe in a header and on a disk', () => {
  assert.equal(buildDisposition('a/b.txt'), `attachment; filename="b.txt"; filename*=UTF-8''b.txt`)
  assert.equal(buildDisposition('ü.txt'), `attachment; filename="_.txt"; filename*=UTF-8''%C3%BC.txt`)
  for (const name of ['.bashrc', '..', 'a"b', 'a\r\nX: y', 'a\\b', 'a%b', '\u202egnp.exe', '\udcff', ''])
    assert.match(buildDisposition(name), /^attachment; filename="[^"\\%.][^"\\%]*"; filename\*=UTF-8''[\w.~%-]+$/, name)
})
