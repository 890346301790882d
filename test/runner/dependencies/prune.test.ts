import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listNames } from '#host/fs'
import { acquireLease } from '#host/lease'
import { identify } from '#host/process'
import { DAY_MS, HOUR_MS } from '#host/time.ts'
import { getRecordFile, readCacheRecord, writeCacheRecord } from '#runner/dependencies/cache.ts'
import {
  type Installation,
  keepOnlyMade,
  listInstallations,
  pruneInstallations,
  removeDownloads,
  removeInstallation,
  removeUnusedInstallations,
  selectRemovable,
} from '#runner/dependencies/prune.ts'
import { listOpenSessions } from '#session/search-index'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder, withoutRoot } from '../../fixtures/scratch.ts'

test('unfinished installations go first, then old ones and those beyond the bounds, never one in use', () => {
  const installation = (key: string, changes: Partial<Installation> = {}): Installation => ({
    ...{ key, folder: '', state: 'ready', commands: [], made: [], bytes: 1e9, usedAtMs: 100 * DAY_MS, isUsed: false },
    ...changes,
  })
  const select = (...installations: Installation[]) =>
    selectRemovable(installations, 100 * DAY_MS).map(({ key }) => key)
  assert.deepEqual(
    select(installation('a'), installation('b', { state: 'unfinished' }), installation('c', { state: 'being made' })),
    ['b'],
  )
  const usedAtMs = 60 * DAY_MS
  assert.deepEqual(select(installation('a', { usedAtMs }), installation('b', { usedAtMs, isUsed: true })), ['a'])
  assert.deepEqual(
    select(installation('a', { bytes: 8e9 }), installation('b', { bytes: 4e9 }), installation('c', { isUsed: true })),
    ['b'],
  )
  const many = Array.from({ length: 22 }, (_, index) => installation(`${index}`, { bytes: 1 }))
  assert.deepEqual(select(...many), ['20', '21'])
})

test('an installation that an open session uses stays, and one that is being made', async t => {
  const context = createTestContext(t, { id: '2026-11-21-say-abcd' })
  const config = { home: createScratchFolder(t), workspace: path.dirname(context.session.paths.folder) }
  const make = (key: string) => {
    const folder = path.join(config.home, 'prepared', key)
    const tree = path.join(folder, 'tree')
    fs.mkdirSync(path.join(tree, 'node_modules'), { recursive: true })
    fs.writeFileSync(path.join(tree, 'node_modules/x'), 'x')
    return { folder, tree }
  }
  const finish = (key: string) => {
    const { folder, tree } = make(key)
    writeCacheRecord(folder, { format: 1, commands: ['npm ci'], tree, made: ['node_modules'], seconds: 1, bytes: 5 })
  }
  for (const key of ['used', 'unused']) finish(key)
  context.record({ type: 'dependencies.ended', cacheKey: 'used', result: 'made', reason: '', seconds: 1 })
  make('failed')
  const self = (await identify(process.pid)) ?? assert.fail()
  await acquireLease(path.join(make('being-made').folder, 'claim'), self)
  const list = async () =>
    (await listInstallations(config)).map(({ key, state, isUsed }) => [key, state, isUsed]).sort() as [
      string,
      string,
      boolean,
    ][]
  assert.deepEqual(await list(), [
    ['being-made', 'being made', false],
    ['failed', 'unfinished', false],
    ['unused', 'ready', false],
    ['used', 'ready', true],
  ])
  await pruneInstallations(config)
  assert.deepEqual(
    (await list()).map(([key]) => key),
    ['being-made', 'unused', 'used'],
  )
  const removeUnused = async () =>
    (await removeUnusedInstallations(await listInstallations(config))).map(({ key }) => key)
  assert.deepEqual(await removeUnused(), ['unused'])
  assert.deepEqual(
    (await list()).map(([key]) => key),
    ['being-made', 'used'],
  )
  context.record({ type: 'session.closed', actor: 'you', reason: '' })
  context.record({ type: 'session.reopened', actor: 'you' })
  await listOpenSessions(config, { isThorough: true }) // As when a person takes it up again.
  assert.deepEqual(await removeUnused(), [])
  context.record({ type: 'session.closed', actor: 'you', reason: '' })
  assert.deepEqual(await removeUnused(), ['used'])
})

test('what was finished or used since it was listed stays', async t => {
  const config = { home: createScratchFolder(t), workspace: createScratchFolder(t) }
  const finish = (key: string) => {
    const folder = path.join(config.home, 'prepared', key)
    const tree = path.join(folder, 'tree')
    fs.mkdirSync(tree, { recursive: true })
    writeCacheRecord(folder, { format: 1, commands: ['npm ci'], tree, made: [], seconds: 1, bytes: 5 })
    fs.utimesSync(getRecordFile(folder), 0, 1_700_000_000)
    return folder
  }
  fs.mkdirSync(path.join(config.home, 'prepared/begun/tree'), { recursive: true })
  const [used = ''] = ['taken', 'left'].map(finish)
  const listed = await listInstallations(config)
  assert.deepEqual(listed.map(({ key, state }) => `${key} ${state}`).sort(), [
    'begun unfinished',
    'left ready',
    'taken ready',
  ])
  finish('begun')
  readCacheRecord(used)
  assert.deepEqual(
    (await removeUnusedInstallations(listed)).map(({ key }) => key),
    ['left'],
  )
  assert.deepEqual((await listInstallations(config)).map(({ key }) => key).sort(), ['begun', 'taken'])
})

test('of the tree in which the commands ran only what they made is kept', t => {
  const tree = createScratchFolder(t)
  for (const name of ['node_modules/a/index.js', 'packages/web/node_modules/b', 'packages/web/src/x.js', 'README.md']) {
    fs.mkdirSync(path.dirname(path.join(tree, name)), { recursive: true })
    fs.writeFileSync(path.join(tree, name), '')
  }
  keepOnlyMade(tree, ['node_modules', 'packages/web/node_modules'])
  assert.deepEqual(listNames(tree), ['node_modules', 'packages'])
  assert.deepEqual(listNames(path.join(tree, 'packages/web')), ['node_modules'])
  assert.deepEqual(listNames(path.join(tree, 'node_modules/a')), ['index.js'])
})

test('read-only folders, as Go makes them, stop neither an installation nor its removal', async t => {
  const folder = createScratchFolder(t)
  await withoutRoot(folder, () => {
    const tree = path.join(folder, 'tree')
    for (const name of ['vendor/a', 'pkg/vendor', 'pkg/mod']) fs.mkdirSync(path.join(tree, name), { recursive: true })
    for (const name of ['vendor/a/file', 'pkg/mod/file']) fs.writeFileSync(path.join(tree, name), '')
    for (const name of ['vendor/a', 'vendor', 'pkg/mod', 'pkg', '']) fs.chmodSync(path.join(tree, name), 0o555)
    keepOnlyMade(tree, ['vendor', 'pkg/vendor'])
    assert.deepEqual(listNames(tree), ['pkg', 'vendor'])
    assert.deepEqual(listNames(path.join(tree, 'pkg')), ['vendor'])
    removeInstallation(folder)
    assert.deepEqual(listNames(folder), [])
  })
})

test('of the home of an installation, what was only downloaded is removed', t => {
  const home = createScratchFolder(t)
  const kept = ['.cache/pypoetry/virtualenvs/x', '.local/share/uv/python/x', 'go/pkg/mod/x']
  const downloaded = ['.npm/x', '.cache/pip/x', '.cache/uv/x', '.cache/pypoetry/cache/x', '.cache/pypoetry/artifacts/x']
  for (const name of [...kept, ...downloaded]) {
    fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true })
    fs.writeFileSync(path.join(home, name), '')
  }
  removeDownloads(home)
  assert.deepEqual(
    [...kept, ...downloaded].filter(name => fs.existsSync(path.join(home, name))),
    kept,
  )
})

test('an installation that was being made in a container that is gone is unfinished after an hour', async t => {
  const config = { home: createScratchFolder(t), workspace: createScratchFolder(t) }
  const claim = path.join(config.home, 'prepared/lost/claim')
  fs.mkdirSync(path.join(config.home, 'prepared/lost/tree'), { recursive: true })
  const self = (await identify(process.pid)) ?? assert.fail()
  const place = { hostName: 'attic', machine: 'another', pidNamespace: '' }
  await acquireLease(claim, { ...self, bootId: 'another', place })
  const list = async () => (await listInstallations(config)).map(({ state }) => state)
  assert.deepEqual(await list(), ['being made'])
  const [generation = ''] = listNames(claim)
  fs.utimesSync(path.join(claim, generation), 0, (Date.now() - HOUR_MS) / 1000 - 1)
  assert.deepEqual(await list(), ['unfinished'])
  await pruneInstallations(config)
  assert.deepEqual(await list(), [])
})
