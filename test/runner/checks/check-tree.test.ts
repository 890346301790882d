import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { recordsMappedWrites } from '#host/fs/filesystem-type.ts'
import { readPlaceTag } from '#host/process'
import { leaveCheckTree, removeTree, takeCheckTree } from '#runner/checks/check-tree.ts'
import { createDependencies } from '#runner/dependencies/dependencies.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder, waitUntil, withoutRoot } from '../../fixtures/scratch.ts'
import { whyNoProgram } from '../../fixtures/skip-reasons.ts'

/** The clock of a file system has steps of some milliseconds: wait for the next one. */
async function waitForClock(folder: string): Promise<void> {
  const file = path.join(folder, 'clock')
  const touch = () => {
    fs.writeFileSync(file, '')
    return fs.statSync(file).ctimeMs
  }
  const first = touch()
  await waitUntil(() => touch() > first, 'the next step of the clock')
}

const linux = { skip: !recordsMappedWrites(os.tmpdir()) && 'trees are used again on ext4, xfs and btrfs: set TMPDIR' }

test('a check gets the tree that an earlier one left only as it was exported', linux, async () => {
  const filled: (string | undefined)[] = []
  const take = (content: string) =>
    takeCheckTree({ content, dependencies: 'same' }, async (tree, donor) => {
      filled.push(donor)
      for (const folder of ['src', '.git']) fs.mkdirSync(path.join(tree, folder))
      fs.writeFileSync(path.join(tree, 'src/a'), 'one')
      fs.writeFileSync(path.join(tree, '.git/index'), 'index')
      if (donor) fs.renameSync(path.join(donor, 'node_modules'), path.join(tree, 'node_modules'))
      else fs.mkdirSync(path.join(tree, 'node_modules/x'), { recursive: true })
      fs.writeFileSync(path.join(tree, 'node_modules/x/index.js'), 'x')
      return []
    })

  const first = await take('1')
  const modified = fs.statSync(path.join(first.tree, 'node_modules')).mtimeMs
  fs.mkdirSync(path.join(first.tree, 'node_modules/.cache/deep'), { recursive: true })
  fs.writeFileSync(path.join(first.tree, 'node_modules/.cache/deep/y'), 'y')
  fs.writeFileSync(path.join(first.tree, '.git/index'), 'changed')
  await leaveCheckTree(first)
  const second = await take('1')
  assert.deepEqual([second.tree, filled.length], [first.tree, 1])
  assert.deepEqual(fs.readdirSync(path.join(second.tree, 'node_modules')), ['x'])
  assert.equal(fs.readFileSync(path.join(second.tree, '.git/index'), 'utf8'), 'index')
  assert.ok(Math.abs(fs.statSync(path.join(second.tree, 'node_modules')).mtimeMs - modified) < 1)

  const otherCommit = async () => {
    await leaveCheckTree(second)
    return take('2')
  }
  const third = await otherCommit()
  assert.deepEqual(filled, [undefined, first.tree], 'the dependencies are moved')
  assert.ok(!fs.existsSync(first.scratch))

  const changes: ((tree: string) => void)[] = [
    tree => {
      const file = path.join(tree, 'node_modules/x/index.js')
      const { atime, mtime } = fs.statSync(file)
      fs.writeFileSync(file, 'y')
      fs.utimesSync(file, atime, mtime)
    },
    tree => fs.rmSync(path.join(tree, 'src/a')),
    tree => fs.chmodSync(path.join(tree, 'src'), 0o777),
    tree => fs.linkSync(path.join(tree, 'src/a'), path.join(tree, 'b')),
    tree => fs.renameSync(path.join(tree, 'src'), path.join(tree, 'source')),
  ]
  let current = third
  for (const change of changes) {
    await waitForClock(current.scratch)
    change(current.tree)
    await leaveCheckTree(current)
    assert.ok(!fs.existsSync(current.scratch), change.toString())
    current = await take('2')
  }
  removeTree(current)
})

test('read-only folders, as a check leaves them, are removed or handed on', linux, async t => {
  const folder = createScratchFolder(t)
  const { session } = createTestContext(t)
  const made = { key: 'k', tree: path.join(folder, 'tree'), home: folder, paths: ['vendor'] }
  await withoutRoot(folder, async () => {
    fs.mkdirSync(path.join(made.tree, 'vendor/a'), { recursive: true })
    for (const name of ['vendor/a', 'vendor']) fs.chmodSync(path.join(made.tree, name), 0o555)
    const ignoredFiles = path.join(folder, 'ignored-files')
    const dependencies = createDependencies({ ...session.paths, ignoredFiles }, made)
    const take = (content: string) =>
      takeCheckTree({ content, dependencies: 'k' }, async (tree, donor) => {
        fs.mkdirSync(path.join(tree, '.git'))
        if (dependencies.ok) await dependencies.copyInto(tree, donor)
        return []
      })
    const first = await take('read-only 1')
    fs.mkdirSync(path.join(first.tree, 'cache/mod'), { recursive: true })
    fs.writeFileSync(path.join(first.tree, 'cache/mod/file'), '')
    fs.chmodSync(path.join(first.tree, 'cache/mod'), 0o555)
    await leaveCheckTree(first)
    assert.deepEqual(fs.readdirSync(first.tree), ['.git', 'vendor'])
    const second = await take('read-only 2')
    assert.deepEqual(fs.readdirSync(path.join(second.tree, 'vendor')), ['a'])
    assert.equal(fs.statSync(path.join(second.tree, 'vendor')).mode & 0o777, 0o555)
    removeTree(second)
    assert.deepEqual(
      [first, second].map(({ scratch }) => fs.existsSync(scratch)),
      [false, false],
    )
  })
})

test('the trees of processes that are gone are removed, but not those of another place', async t => {
  const noPid = 2 ** 22 + 1
  const folders = [`-0a0a0a0a-${noPid}-a`, `${readPlaceTag()}-${noPid}-a`, `${readPlaceTag()}-1-a`].map(name =>
    path.join(os.tmpdir(), `dispatch-check${name}`),
  )
  for (const folder of folders) fs.mkdirSync(folder)
  t.after(() => {
    for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true })
  })
  const tree = await takeCheckTree({ content: 'x', dependencies: 'x' }, async folder => {
    fs.mkdirSync(path.join(folder, '.git'))
    return []
  })
  removeTree(tree)
  assert.deepEqual(
    folders.filter(folder => fs.existsSync(folder)),
    [folders[0], folders[2]],
  )
})

/** Writes one byte of a file through mapped memory, after reading it. */
const writeMapped = `
import mmap, os, sys
memory = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 0, mmap.MAP_SHARED)
assert memory[0] == ord('o')
memory[0] = ord('x')
`

for (const place of new Set([os.tmpdir(), '/dev/shm']))
  test(`a tree in ${place} that was changed through mapped memory is not used again`, {
    skip: !fs.existsSync(place) ? `${place} does not exist` : whyNoProgram('python3'),
  }, async t => {
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = place
    t.after(() => {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    })
    const take = () =>
      takeCheckTree({ content: place, dependencies: place }, async tree => {
        fs.mkdirSync(path.join(tree, '.git'))
        fs.writeFileSync(path.join(tree, 'a'), 'one')
        return []
      })
    const first = await take()
    await waitForClock(first.scratch)
    const file = path.join(first.tree, 'a')
    const run = await runProgram('python3', ['-c', writeMapped, file])
    assert.equal(run.exitCode, 0, run.stderr)
    assert.equal(fs.readFileSync(file, 'utf8'), 'xne')
    await leaveCheckTree(first)
    const second = await take()
    assert.equal(fs.readFileSync(path.join(second.tree, 'a'), 'utf8'), 'one')
    removeTree(second)
  })
