import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { hashFile, ObjectStore } from '#cli/backup/object-store.ts'
import { runProgram } from '#host/exec.ts'
import { sha256 } from '#host/hash.ts'
import { createScratchFolder, HANG_MS } from '../../fixtures/scratch.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

function openStore(t: Parameters<typeof createScratchFolder>[0]) {
  const folder = path.join(createScratchFolder(t), 'objects')
  fs.mkdirSync(folder)
  return { store: new ObjectStore(folder), folder }
}

test('a content is there once, under its hash, whatever its size', async t => {
  const { store, folder } = openStore(t)
  for (const size of [0, 1, (4 << 20) + 1]) {
    const bytes = Buffer.alloc(size, 'x')
    const file = path.join(folder, '../source')
    fs.writeFileSync(file, bytes)
    assert.deepEqual(store.addFile(file), { sha256: sha256(bytes), size })
    assert.equal(store.addBytes(bytes), sha256(bytes))
    assert.deepEqual(hashFile(store.getFile(sha256(bytes))), { hash: sha256(bytes), size })
  }
  await store.flush()
  assert.equal(store.list().size, 3)
  assert.equal(store.writtenBytes, (4 << 20) + 2)
})

test('a link, a pipe and what is gone are never opened', async t => {
  const { store, folder } = openStore(t)
  const place = (name: string) => path.join(folder, '..', name)
  fs.writeFileSync(place('secret'), 'secret')
  fs.symlinkSync(place('secret'), place('link'))
  assert.equal((await runProgram('mkfifo', [place('pipe')])).exitCode, 0)
  for (const name of ['link', 'pipe', 'gone', '.']) assert.equal(store.addFile(place(name)), undefined, name)
})

/** On a disk of 3 MB: what fits is kept, what does not is exit 10, and leaves nothing. */
const script = `
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { ObjectStore } from '#cli/backup/object-store.ts'
import { backUp } from '#cli/backup/backup.ts'
import { readDefaultConfig } from '#host/config'
const [, folder, home] = process.argv
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'none', folder])
const refused = await backUp(readDefaultConfig({ DISPATCH_HOME: home }), folder, { hasSecrets: false, keptCount: 7 }).then(() => null, error => error)
const written = fs.readdirSync(folder + '/objects')
const store = new ObjectStore(folder + '/objects')
store.addBytes(Buffer.alloc(1 << 20, 'a'))
const read = work => { try { work(); return null } catch (error) { return error.exitCode ?? String(error) } }
const small = read(() => store.addBytes(Buffer.alloc(3 << 20, 'b')))
fs.writeFileSync(home + '/large', Buffer.alloc(5 << 20, 'c'))
const large = read(() => store.addFile(home + '/large'))
const drafts = fs.readdirSync(folder + '/objects').filter(name => name.startsWith('.tmp-'))
fs.writeSync(3, JSON.stringify({ refused: refused?.exitCode, message: refused?.message, written, small, large, drafts, kept: store.list().size }))
`

test('on a full disk the backup is refused before it begins, and a write that does not fit leaves nothing', {
  skip: whyNotLinux,
}, async t => {
  const around = createScratchFolder(t)
  const [folder, home] = [path.join(around, 'disk'), path.join(around, 'home')]
  for (const each of [folder, home]) fs.mkdirSync(each)
  fs.mkdirSync(path.join(home, 'projects'))
  fs.writeFileSync(path.join(home, 'projects/big'), Buffer.alloc(4 << 20))
  const node = [process.execPath, '--input-type=module', '-e', script, folder, home]
  const line = ['sh', '-c', '"$@" 3>&1 >&2', 'sh', ...node]
  const run = await runProgram('unshare', ['--user', '--map-root-user', '--mount', ...line], {
    cwd: path.join(import.meta.dirname, '../../..'),
    timeoutMs: HANG_MS,
  })
  if (/unshare|mount:/.test(run.stderr) && run.stdout === '') return t.skip(`no namespaces here: ${run.stderr.trim()}`)
  const { message, ...result } = JSON.parse(run.stdout || `{"message":${JSON.stringify(run.stderr)}}`)
  assert.deepEqual(result, { refused: 10, written: [], small: 10, large: 10, drafts: [], kept: 1 }, message)
  assert.match(message, /GB are free on the disk of .*disk/)
})
