import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { DispatchError, isErrno } from '#host/error.ts'
import {
  appendLine,
  listNames,
  makePrivateFolder,
  readIfPresent,
  readJson,
  readUntrusted,
  toStorageError,
  writeAtomic,
} from '#host/fs'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const root = process.getuid?.() === 0

function isStorage(words: RegExp) {
  return (error: unknown) =>
    error instanceof DispatchError &&
    error.exitCode === 10 &&
    words.test(error.message) &&
    /\p{L} \p{L}/u.test(error.remedy)
}

test('a file is replaced whole, with the mode asked for, and no draft is left', t => {
  const folder = createScratchFolder(t)
  const file = path.join(folder, 'file')
  for (const [content, mode] of [
    ['one', 0o600],
    ['', 0o400],
    [Buffer.from([0, 255, 10]), 0o664],
    ['x'.repeat(5_000_000), 0o640],
  ] as const) {
    writeAtomic(file, content, mode)
    assert.deepEqual(fs.readFileSync(file), Buffer.from(content))
    assert.equal(fs.statSync(file).mode & 0o777, mode)
  }
  writeAtomic(file, 'last')
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(fs.readdirSync(folder), ['file'])
})

test('a reader that has the old file open goes on reading the old', t => {
  const file = path.join(createScratchFolder(t), 'file')
  writeAtomic(file, 'old')
  const fd = fs.openSync(file, 'r')
  t.after(() => fs.closeSync(fd))
  writeAtomic(file, 'newer')
  assert.equal(fs.readFileSync(fd, 'utf8'), 'old')
})

test('a full disk leaves the old file as it was, no draft, and says so in words (exit 10)', t => {
  const folder = path.join(createScratchFolder(t), 'small')
  fs.mkdirSync(folder)
  if (!root || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]).status !== 0)
    return t.skip('only root may mount a small file system')
  try {
    fillUp(folder)
  } finally {
    spawnSync('umount', ['--lazy', folder])
  }
})

function fillUp(folder: string): void {
  const file = path.join(folder, 'file')
  const old = 'o'.repeat(100_000)
  writeAtomic(file, old)
  for (const size of [160_000, 250_000, 1_000_000])
    assert.throws(() => writeAtomic(file, 'n'.repeat(size)), isStorage(/small\/file: the disk is full \(ENOSPC\)/))
  assert.equal(fs.readFileSync(file, 'utf8'), old)
  assert.deepEqual(fs.readdirSync(folder), ['file'])

  const log = path.join(folder, 'log')
  let acknowledged = 0
  assert.throws(
    () => {
      for (;;) {
        appendLine(log, `${acknowledged} ${'r'.repeat(30_001)}`)
        acknowledged++
      }
    },
    isStorage(/small\/log: the disk is full \(ENOSPC\)/),
  )
  const whole = fs
    .readFileSync(log, 'utf8')
    .split('\n')
    .filter(line => line.endsWith('r'.repeat(30_001)))
  assert.ok(whole.length >= acknowledged && acknowledged > 0, `${acknowledged} acknowledged, ${whole.length} whole`)
}

test('a record is one line between two line ends', t => {
  const file = path.join(createScratchFolder(t), 'log')
  appendLine(file, 'one')
  appendLine(file, 'two')
  assert.equal(fs.readFileSync(file, 'utf8'), '\none\n\ntwo\n')
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})

test('what a person can mend is told in words; anything else stays what it is', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR', 'EEXIST']) {
    const told = toStorageError('/a/b', Object.assign(new Error('x'), { code }))
    assert.ok(isStorage(new RegExp(`^/a/b: \\p{L}+ \\p{L}+.* \\(${code}\\)$`, 'u'))(told), code)
  }
  for (const error of [new Error('x'), Object.assign(new Error('x'), { code: 'EINVAL' }), 'x', undefined, null])
    assert.equal(toStorageError('/a/b', error), error)
  assert.equal(isErrno({ code: 'ENOENT' }, 'ENOENT'), false)
})

test('what is not there reads as nothing', t => {
  const folder = createScratchFolder(t)
  fs.writeFileSync(path.join(folder, 'file'), 'x')
  for (const name of ['missing', 'missing/deeper', 'file/deeper']) {
    const file = path.join(folder, name)
    assert.equal(readIfPresent(file), undefined, name)
    assert.equal(readJson(file), null, name)
    assert.deepEqual(listNames(file), [], name)
    assert.equal(readUntrusted(file, 10), undefined, name)
  }
})

test('JSON that is torn is undefined, not an error', t => {
  const file = path.join(createScratchFolder(t), 'file')
  for (const text of ['', '{', '{"a":1', 'undefined', '\0', '{"a":1}}']) {
    fs.writeFileSync(file, text)
    assert.equal(readJson(file), undefined, text)
  }
  fs.writeFileSync(file, '{"a":1}')
  assert.deepEqual(readJson(file), { a: 1 })
})

test('names are sorted', t => {
  const folder = createScratchFolder(t)
  for (const name of ['b', 'a', '10', '9', 'ü']) fs.writeFileSync(path.join(folder, name), '')
  assert.deepEqual(listNames(folder), ['10', '9', 'a', 'b', 'ü'])
})

test('a private folder is its owner’s alone', t => {
  const folder = path.join(createScratchFolder(t), 'a', 'b')
  makePrivateFolder(folder)
  makePrivateFolder(folder)
  for (const place of [folder, path.dirname(folder)]) assert.equal(fs.statSync(place).mode & 0o777, 0o700)
})

test('a regular file is read up to the cap', t => {
  const file = path.join(createScratchFolder(t), 'file')
  fs.writeFileSync(file, 'abcdef')
  for (const [cap, wanted] of [
    [10, 'abcdef'],
    [6, 'abcdef'],
    [3, 'abc'],
    [0, ''],
  ] as const)
    assert.equal(readUntrusted(file, cap)?.toString(), wanted)
  fs.truncateSync(file, 10 * 1024 ** 3)
  assert.equal(readUntrusted(file, 1000)?.length, 1000, 'ten sparse gigabytes')
})

test('what an agent may leave in place of a file is not read, and holds nobody up', async t => {
  const folder = createScratchFolder(t)
  const at = (name: string) => path.join(folder, name)
  fs.writeFileSync(at('secret'), 'secret')
  fs.writeFileSync(at('single'), 'x')
  fs.symlinkSync(at('single'), at('link'))
  fs.symlinkSync('link', at('link to a link'))
  fs.symlinkSync('loop', at('loop'))
  fs.symlinkSync('nowhere', at('dangling'))
  fs.linkSync(at('secret'), at('hard link'))
  fs.mkdirSync(at('folder'))
  spawnSync('mkfifo', [at('fifo')])
  const server = net.createServer().listen(at('socket'))
  await new Promise(resolve => server.once('listening', resolve))
  t.after(() => server.close())
  const names = ['link', 'link to a link', 'loop', 'dangling', 'hard link', 'secret', 'folder', 'fifo', 'socket']
  for (const name of names) assert.equal(readUntrusted(at(name), 100), undefined, name)
  for (const device of ['/dev/zero', '/dev/null', '/dev/tty', '/dev/stdin'])
    if (fs.existsSync(device)) assert.equal(readUntrusted(device, 100), undefined, device)
  assert.equal(readUntrusted(at('n'.repeat(300)), 100), undefined)
  assert.equal(readUntrusted(at('single'), 100)?.toString(), 'x')
})

test('a place that may not be read is told in words', t => {
  if (root) return t.skip('root may read everything')
  const folder = createScratchFolder(t)
  fs.writeFileSync(path.join(folder, 'file'), 'x', { mode: 0 })
  for (const read of [readIfPresent, (file: string) => readUntrusted(file, 10)])
    assert.throws(() => read(path.join(folder, 'file')), isStorage(/access is denied/))
})
