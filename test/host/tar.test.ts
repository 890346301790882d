import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { runProgram } from '#host/exec.ts'
import { readArchivedCommit, unpackTar } from '#host/tar.ts'
import { commitFolder } from '../fixtures/rig.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

interface TestEntry {
  name: string
  type?: string
  target?: string
  text?: string
}

/** An archive as no `tar` makes it. */
function writeArchive(file: string, entries: TestEntry[], { isCut = false } = {}): string {
  const blocks = entries.flatMap(({ name, type = '0', target = '', text = '' }) => {
    const header = Buffer.alloc(512)
    header.write(name, 0, 100)
    header.write('0000644\0', 100)
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('        ', 148)
    header.write(type, 156)
    header.write(target, 157)
    header.write('ustar\0', 257)
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    )
    const content = Buffer.alloc(Math.ceil(text.length / 512) * 512)
    content.write(text)
    return [header, content]
  })
  const bytes = Buffer.concat([...blocks, Buffer.alloc(1024)])
  fs.writeFileSync(file, gzipSync(isCut ? bytes.subarray(0, 700) : bytes))
  return file
}

/** Every entry below a folder, with what it is. */
function listFolder(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => path.join(entry.parentPath, entry.name))
    .map(file => `${path.relative(folder, file)} ${(fs.lstatSync(file).mode & 0o170100).toString(8)}`)
    .sort()
}

const longName = `${'long-'.repeat(30)}/${'name-'.repeat(30)}.txt`

async function makeTree(t: TestContext): Promise<string> {
  const folder = path.join(createScratchFolder(t), 'tree')
  fs.mkdirSync(path.join(folder, path.dirname(longName)), { recursive: true })
  fs.writeFileSync(path.join(folder, longName), 'far')
  fs.writeFileSync(path.join(folder, 'ünï.txt'), 'x'.repeat(2000))
  fs.writeFileSync(path.join(folder, 'run.sh'), '', { mode: 0o755 })
  fs.symlinkSync('ünï.txt', path.join(folder, 'link'))
  return commitFolder(folder)
}

test('an archive of git is unpacked as it is, with its commit', async t => {
  const folder = await makeTree(t)
  const [file, target] = [`${folder}.tar`, `${folder}-unpacked`]
  const git = (...args: string[]) => runProgram('git', args, { cwd: folder })
  await git('archive', '--prefix=top/', `--output=${file}`, 'HEAD')
  unpackTar(file, target)
  fs.renameSync(path.join(folder, '.git'), `${folder}.git`)
  assert.deepEqual(listFolder(target), listFolder(folder))
  assert.equal(fs.readFileSync(path.join(target, longName), 'utf8'), 'far')
  fs.renameSync(`${folder}.git`, path.join(folder, '.git'))
  assert.equal(readArchivedCommit(file), (await git('rev-parse', 'HEAD')).stdout.trim())
})

for (const format of ['gnu', 'pax', 'ustar'])
  test(`an archive of tar in the format ${format} is unpacked as it is`, async t => {
    const folder = await makeTree(t)
    fs.rmSync(path.join(folder, '.git'), { recursive: true })
    const [file, target] = [`${folder}.tgz`, `${folder}-unpacked`]
    if (format === 'ustar') fs.rmSync(path.join(folder, longName.split('/')[0] ?? ''), { recursive: true })
    const ran = await runProgram('tar', [`--format=${format}`, '-czf', file, 'tree'], { cwd: path.dirname(folder) })
    if (ran.exitCode !== 0) return t.skip('this tar does not know the format')
    unpackTar(file, target)
    assert.deepEqual(listFolder(target), listFolder(folder))
    assert.equal(readArchivedCommit(file), undefined)
  })

test('what leaves the folder is refused, and nothing is written there', t => {
  const around = createScratchFolder(t)
  const attacks: Record<string, TestEntry[]> = {
    'a name with ..': [{ name: 'top/../../evil', text: 'x' }],
    'an absolute name': [{ name: `${around}/evil`, text: 'x' }],
    'a link to ..': [{ name: 'top/a', type: '2', target: '../evil' }],
    'a link to an absolute path': [{ name: 'top/a', type: '2', target: around }],
    'a link to nowhere': [{ name: 'top/a', type: '2', target: 'nowhere' }],
    'a link through a link': [
      { name: 'top/b/c/file', text: 'x' },
      { name: 'top/y', type: '2', target: 'b' },
      { name: 'top/x', type: '2', target: 'y/../..' },
    ],
    'a file through a link': [
      { name: 'top/a', type: '2', target: around },
      { name: 'top/a/evil', text: 'x' },
    ],
    'a hard link': [{ name: 'top/a', type: '1', target: `${around}/secret` }],
    'a device': [{ name: 'top/a', type: '3' }],
    'a name twice': [
      { name: 'top/a', text: 'x' },
      { name: 'top/a', text: 'y' },
    ],
    'two folders at its top': [
      { name: 'top/a', text: 'x' },
      { name: 'bottom/a', text: 'x' },
    ],
  }
  for (const [what, entries] of Object.entries(attacks)) {
    const file = writeArchive(path.join(around, 'attack.tgz'), entries)
    assert.throws(() => unpackTar(file, path.join(around, 'target')), { exitCode: 2 }, what)
    fs.rmSync(path.join(around, 'target'), { recursive: true, force: true })
    assert.deepEqual(fs.readdirSync(around), ['attack.tgz'], what)
  }
})

test('what is no whole archive is refused', t => {
  const around = createScratchFolder(t)
  const target = path.join(around, 'target')
  const cut = writeArchive(path.join(around, 'cut.tgz'), [{ name: 'top/a', text: 'x'.repeat(400) }], { isCut: true })
  fs.writeFileSync(path.join(around, 'text.tgz'), 'this is a text\n'.repeat(100))
  fs.writeFileSync(path.join(around, 'broken.tgz'), gzipSync('x').subarray(0, 12))
  fs.writeFileSync(path.join(around, 'empty.tgz'), '')
  for (const file of [cut, ...['text.tgz', 'broken.tgz', 'empty.tgz'].map(name => path.join(around, name))])
    assert.throws(() => unpackTar(file, target), { exitCode: 2 }, file)
})
