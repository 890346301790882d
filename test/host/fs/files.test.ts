import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import {
  appendLine,
  describeSpecialFile,
  listNames,
  makePrivateFolder,
  readIfPresent,
  readJson,
  readUntrusted,
  writeAtomic,
} from '#host/fs'
import { readRegularFile } from '#host/fs/files.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { isStorageError } from '../../fixtures/storage-error.ts'

const isRoot = process.getuid?.() === 0

test('a file is replaced whole, with its mode, and no draft is left', t => {
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

test('a reader that has the old file open still reads the old content', t => {
  const file = path.join(createScratchFolder(t), 'file')
  writeAtomic(file, 'old')
  const fd = fs.openSync(file, 'r')
  t.after(() => fs.closeSync(fd))
  writeAtomic(file, 'newer')
  assert.equal(fs.readFileSync(fd, 'utf8'), 'old')
})

test('a full disk is exit 10; the old file stays, and no draft is left', t => {
  const folder = path.join(createScratchFolder(t), 'small')
  fs.mkdirSync(folder)
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]).status !== 0)
    return t.skip('only root may mount a small file system: run it as root')
  try {
    fillDisk(folder)
  } finally {
    spawnSync('umount', ['--lazy', folder])
  }
})

function fillDisk(folder: string): void {
  const file = path.join(folder, 'file')
  const old = 'o'.repeat(100_000)
  writeAtomic(file, old)
  for (const size of [160_000, 250_000, 1_000_000])
    assert.throws(() => writeAtomic(file, 'n'.repeat(size)), isStorageError(/small\/file: the disk is full \(ENOSPC\)/))
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
    isStorageError(/small\/log: the disk is full \(ENOSPC\)/),
  )
  const complete = fs
    .readFileSync(log, 'utf8')
    .split('\n')
    .filter(line => line.endsWith('r'.repeat(30_001)))
  assert.ok(
    complete.length >= acknowledged && acknowledged > 0,
    `${acknowledged} acknowledged, ${complete.length} complete`,
  )
}

test('a record is one line between two line breaks', t => {
  const file = path.join(createScratchFolder(t), 'log')
  appendLine(file, 'one')
  appendLine(file, 'two')
  assert.equal(fs.readFileSync(file, 'utf8'), '\none\n\ntwo\n')
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})

test('a file or folder that does not exist is empty', t => {
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

test('torn JSON is undefined, not an error', t => {
  const file = path.join(createScratchFolder(t), 'file')
  for (const text of ['', '{', '{"a":1', 'undefined', '\0', '{"a":1}}']) {
    fs.writeFileSync(file, text)
    assert.equal(readJson(file), undefined, text)
  }
  fs.writeFileSync(file, '{"a":1}')
  assert.deepEqual(readJson(file), { a: 1 })
})

test('names in a folder are sorted', t => {
  const folder = createScratchFolder(t)
  for (const name of ['b', 'a', '10', '9', 'ü']) fs.writeFileSync(path.join(folder, name), '')
  assert.deepEqual(listNames(folder), ['10', '9', 'a', 'b', 'ü'])
})

test('a private folder has mode 700, and so have its parents', t => {
  const folder = path.join(createScratchFolder(t), 'a', 'b')
  makePrivateFolder(folder)
  makePrivateFolder(folder)
  for (const created of [folder, path.dirname(folder)]) assert.equal(fs.statSync(created).mode & 0o777, 0o700)
})

test('a regular file is read up to the limit', t => {
  const file = path.join(createScratchFolder(t), 'file')
  fs.writeFileSync(file, 'abcdef')
  for (const [maxBytes, expected] of [
    [10, 'abcdef'],
    [6, 'abcdef'],
    [3, 'abc'],
    [0, ''],
  ] as const)
    assert.equal(readUntrusted(file, maxBytes)?.toString(), expected)
  fs.truncateSync(file, 10 * 1024 ** 3)
  assert.equal(readUntrusted(file, 1000)?.length, 1000, 'a sparse file of ten gigabytes')
})

test('a folder, a pipe or a device in the place of a file is exit 2 at once', t => {
  const folder = createScratchFolder(t)
  const at = (name: string) => path.join(folder, name)
  fs.mkdirSync(at('folder'))
  spawnSync('mkfifo', [at('pipe')])
  fs.symlinkSync('/dev/null', at('device'))
  fs.writeFileSync(at('file'), 'content')
  fs.symlinkSync(at('file'), at('link'))
  for (const [name, kind] of [
    ['folder', 'a folder'],
    ['pipe', 'a pipe (FIFO)'],
    ['device', 'a device'],
  ] as const) {
    assert.equal(describeSpecialFile(at(name)), kind)
    const isUsageError = (error: unknown) =>
      error instanceof DispatchError &&
      error.exitCode === 2 &&
      error.message === `${at(name)} is ${kind}, and should be a file`
    assert.throws(() => readIfPresent(at(name)), isUsageError)
    assert.throws(() => readRegularFile(at(name)), isUsageError)
  }
  assert.equal(readIfPresent(at('link')), 'content')
  assert.equal(describeSpecialFile(at('nothing')), undefined)
  assert.equal(readIfPresent(at('nothing')), undefined)
  assert.match(readIfPresent('/proc/self/stat') ?? '1 (', /^\d+ \(/)
})

test('a link, pipe or device of an agent is not read, and does not block', async t => {
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

test('a file that may not be read is exit 10', t => {
  if (isRoot) return t.skip('root may read everything: run it as another user')
  const folder = createScratchFolder(t)
  fs.writeFileSync(path.join(folder, 'file'), 'x', { mode: 0 })
  for (const read of [readIfPresent, (file: string) => readUntrusted(file, 10)])
    assert.throws(() => read(path.join(folder, 'file')), isStorageError(/access is denied/))
})

test('a folder is created with its parents, once', t => {
  const folder = path.join(createScratchFolder(t), 'a/b/c')
  makePrivateFolder(folder)
  makePrivateFolder(folder)
  assert.equal(fs.statSync(path.dirname(folder)).mode & 0o777, 0o700)
})

test('a folder in /proc is exit 10', t => {
  if (process.platform !== 'linux') return t.skip('this system has no /proc')
  assert.throws(() => makePrivateFolder('/proc/x/y'), isStorageError(/no new folders/))
})
