import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { DAY_MS } from '#host/time.ts'
import type { SessionPaths } from '#session'
import { resolveSessionPaths } from '#session/paths.ts'
import {
  getStoresFolder,
  importWork,
  listPackStores,
  prepareRepository,
  removeUnusedPackStores,
  verifyObjects,
} from '#session/repository'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import '../../fixtures/plain-git.ts'

async function run(cwd: string, command: string): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const result = await runProgram('/bin/sh', ['-ec', command], { cwd, env })
  assert.equal(result.exitCode, 0, `${command}: ${result.stderr}`)
  return result.stdout.trim()
}

/** The packs of a session's base. */
function readPacks({ baseObjects }: SessionPaths): { names: string[]; inodes: number[] } {
  const folder = path.join(baseObjects, 'pack')
  const names = fs.readdirSync(folder).filter(name => name.endsWith('.pack'))
  return { names, inodes: names.map(name => fs.statSync(path.join(folder, name)).ino) }
}

test('sessions of a project share its packs by links, each only what it needs, and survive the store', async t => {
  const scratch = createScratchFolder(t)
  const user = path.join(scratch, 'user')
  const stores = path.join(scratch, 'stores')
  fs.mkdirSync(user)
  const commit = (file: string) => `head -c 40000 /dev/urandom >${file}; git add .; git commit -qm ${file}`
  await run(user, `git init -q -b trunk; git config user.name u; git config user.email u@localhost; ${commit('a')}`)
  await run(user, `git checkout -qb far; ${commit('secret')}; git tag far-tag; git checkout -q trunk`)
  const open = async (name: string) => {
    const paths = resolveSessionPaths(path.join(scratch, name))
    fs.mkdirSync(paths.evidence, { recursive: true })
    const commit = await run(user, 'git rev-parse HEAD')
    const base = await prepareRepository(paths, 'dispatch/x', user, commit, { stores })
    assert.equal(await run(paths.outputs, 'git status --porcelain; git fsck --no-dangling 2>&1'), '')
    return { paths, base, ...readPacks(paths) }
  }
  const first = await open('first')
  const again = await open('again')
  assert.deepEqual(again.inodes, first.inodes)

  // A worker's objects stay in its own repository, and come to the evidence from there.
  await run(again.paths.outputs, commit('b'))
  const head = await importWork(again.paths)
  await verifyObjects(again.paths, head.tree)
  assert.deepEqual(readPacks(again.paths), { names: again.names, inodes: again.inodes })

  await run(user, 'git checkout -q far')
  const far = await open('far')
  assert.deepEqual([far.inodes.length, far.inodes.includes(first.inodes[0] ?? 0)], [2, true])
  await run(user, `git checkout -q trunk; ${commit('c')}`)
  const next = await open('next')
  assert.equal(await run(next.paths.outputs, 'git tag; git log --format=%s'), 'c\na')
  assert.ok(
    !next.inodes.includes(far.inodes.find(inode => inode !== first.inodes[0]) ?? 0),
    'nothing of a branch beside it',
  )
  await run(user, 'git reset -q --hard HEAD^')
  const old = await open('old')
  assert.deepEqual(old.names, first.names)

  // Torn and damaged packs are seen, and the store is made again. A session keeps what it has.
  const [store = ''] = fs.readdirSync(stores)
  const packs = path.join(stores, store, 'packs')
  const damage = (change: (file: string) => void) => {
    for (const name of fs.readdirSync(packs).filter(name => name.endsWith('.pack'))) {
      const file = path.join(packs, name)
      const copy = fs.readFileSync(file)
      fs.rmSync(file)
      fs.writeFileSync(file, copy)
      change(file)
    }
  }
  damage(file => fs.truncateSync(file, 1000))
  assert.notDeepEqual((await open('torn')).inodes, first.inodes)
  damage(file => {
    const bytes = fs.readFileSync(file)
    fs.writeFileSync(file, bytes.fill(0, 100, bytes.length - 100))
  })
  assert.equal((await open('damaged')).base.commit, first.base.commit)
  fs.rmSync(stores, { recursive: true })
  await run(old.paths.outputs, 'git fsck 2>&1')
  await verifyObjects(again.paths, head.tree)

  // At the same moment, into a store that is not there.
  const racers = await Promise.all([1, 2, 3].map(number => open(`racer-${number}`)))
  assert.deepEqual([...new Set(racers.map(({ base }) => base.commit))], [first.base.commit])
})

test('a store that no session has started from for 30 days is removed, and one that is being made stays', t => {
  const home = createScratchFolder(t)
  const make = (name: string, days: number, commits: string[]) => {
    const folder = path.join(getStoresFolder(home), name)
    fs.mkdirSync(path.join(folder, 'commits'), { recursive: true })
    const time = new Date(Date.now() - days * DAY_MS)
    for (const file of [...commits.map(commit => path.join(folder, 'commits', commit)), folder]) {
      if (file !== folder) fs.writeFileSync(file, '')
      fs.utimesSync(file, time, time)
    }
  }
  make('old', 31, ['a'.repeat(40)])
  make('used', 29, ['b'.repeat(40)])
  make('abandoned', 31, [])
  make('new', 0, [])
  const names = (stores: { folder: string }[]) => stores.map(({ folder }) => path.basename(folder))
  assert.deepEqual(names(removeUnusedPackStores(home)), ['abandoned', 'old'])
  assert.deepEqual(names(listPackStores(home)), ['new', 'used'])
})
