import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { decideBrackets } from '#session/contract'
import { findProcesses } from '../fixtures/rig.ts'
import { prepareWorkerScript } from '../fixtures/worker-script.ts'

test('claude gets the brief; its output, exit code and changes are kept', async t => {
  const { work, git, readOwn, readExit } = await prepareWorkerScript(t)
  const ran = await work('cat; echo oops >&2; mkdir -p "a b"; echo new > "a b/ü.txt"; rm kept.txt; exit 7')
  assert.equal(ran.exitCode, 7)
  assert.equal(readOwn('stream.jsonl'), 'the brief, with "quotes" and $(no shell)\n')
  assert.equal(readOwn('stderr.txt'), 'oops\n')
  assert.deepEqual(readExit(), { code: 7, fenced: false, commit: await git('rev-parse', 'HEAD') })
  assert.equal(await git('-c', 'core.quotePath=off', 'ls-files'), 'a b/ü.txt')
  assert.equal(await git('log', '-1', '--format=%B'), 'Add a parser\n\nWork of w1.')
  assert.equal(await git('status', '--porcelain'), '')
})

test('a worker that committed everything, or did nothing, gets no extra commit', async t => {
  const { work, git } = await prepareWorkerScript(t)
  await work('echo x > x.txt; git add x.txt; git commit -qm mine')
  assert.equal(await git('log', '-1', '--format=%s'), 'mine')
  const before = await git('rev-parse', 'HEAD')
  await work('true')
  assert.equal(await git('rev-parse', 'HEAD'), before)
})

test('changes and commits of no worker are quarantined before a code worker starts', async t => {
  const { work, git, put, readOwn } = await prepareWorkerScript(t)
  const accepted = await git('rev-parse', 'HEAD')
  put('foreign.txt', 'committed by no worker\n')
  await git('add', '-A')
  await git('commit', '--quiet', '-m', 'foreign')
  const foreign = await git('rev-parse', 'HEAD')
  put('kept.txt', 'changed\n')
  put('stray.txt', 'new\n')
  await work('ls > seen.txt', { accepted })
  assert.equal(await git('show', 'HEAD:seen.txt'), 'kept.txt\nseen.txt')
  assert.equal(await git('show', 'HEAD:kept.txt'), 'kept')
  assert.equal(await git('rev-parse', 'refs/quarantine/w1'), foreign)
  assert.equal(await git('show', 'stash@{0}:kept.txt'), 'changed')
  assert.deepEqual(readOwn('quarantined.txt').trim().split('\n').sort(), ['foreign.txt', 'kept.txt', 'stray.txt'])
})

test('what an attempt has left that was cut off is one commit apart, whatever locks it left too', async t => {
  const locks = [
    'index.lock',
    'HEAD.lock',
    'index.w1.lock',
    'refs/stash.lock',
    'refs/heads/main.lock',
    'packed-refs.lock',
  ]
  // At once, because git waits a second for some of them.
  const tryLock = async (lock: string) => {
    const { work, git, put, outputs, readExit } = await prepareWorkerScript(t)
    const accepted = await git('rev-parse', 'HEAD')
    put('done.txt', 'committed\n')
    await git('add', '-A')
    await git('commit', '--quiet', '-m', 'half of it')
    put('half.txt', 'not committed\n')
    fs.writeFileSync(path.join(outputs, '.git', lock), '')
    await work('ls > seen.txt', { accepted, interrupted: '1' })
    assert.equal(readExit().code, 0, lock)
    assert.equal(await git('show', 'HEAD:seen.txt'), 'kept.txt\nseen.txt', lock)
    assert.equal(await git('ls-tree', '--name-only', 'refs/attempts/w1/1'), 'done.txt\nhalf.txt\nkept.txt', lock)
  }
  await Promise.all(locks.map(tryLock))
})

test('an rw worker that was cut off commits in its next attempt', async t => {
  const { work, git, outputs } = await prepareWorkerScript(t)
  fs.writeFileSync(path.join(outputs, '.git/index.w1.lock'), '')
  await work('mkdir -p docs; echo a > docs/a.md', { kind: 'rw', files: ['docs/**'], interrupted: '1' })
  assert.equal(await git('ls-files'), 'docs/a.md\nkept.txt')
})

test('a code worker neither quarantines nor commits files of rw workers', async t => {
  const { work, git, put, outputs } = await prepareWorkerScript(t)
  put('docs/half.md', 'half written')
  await work('echo more >> docs/half.md; echo code > code.txt', { files: ['docs/**'] })
  assert.equal(await git('ls-files'), 'code.txt\nkept.txt')
  assert.equal(fs.readFileSync(path.join(outputs, 'docs/half.md'), 'utf8'), 'half writtenmore\n')
})

test('an rw worker commits only the files it named', async t => {
  const { work, git, outputs } = await prepareWorkerScript(t)
  await work('mkdir docs; echo a > docs/a.md; echo b > b.txt; echo c >> kept.txt', { kind: 'rw', files: ['docs/**'] })
  assert.equal(await git('ls-files'), 'docs/a.md\nkept.txt')
  assert.equal(await git('show', 'HEAD:kept.txt'), 'kept')
  assert.equal(fs.readFileSync(path.join(outputs, 'b.txt'), 'utf8'), 'b\n')
})

test('a new spelling of a name is a new name, also where the file system takes both for one', async t => {
  for (const [kind, files, expected] of [
    ['code', [], 'README\nlib/a.txt'],
    ['rw', ['lib/**', 'Lib/**'], 'Readme\nlib/a.txt'],
  ] as const) {
    const { work, git, put } = await prepareWorkerScript(t)
    put('Readme', 'x\n')
    put('Lib/a.txt', 'x\n')
    await git('rm', '-q', 'kept.txt')
    await git('add', '-A')
    await git('commit', '--quiet', '-m', 'base')
    await git('config', 'core.ignorecase', 'true') // As git finds out on a Mac.
    await work('mv Readme README; mv Lib lib', { kind, files: [...files] })
    assert.equal(await git('ls-tree', '-r', '--name-only', 'HEAD'), expected, kind)
  }
})

test('a bracket in the files of an rw worker is the folder of that name', async t => {
  const { work, git } = await prepareWorkerScript(t)
  const files = decideBrackets(['app/[id]/**', 'docs/[a]', 'x/[new].md', 'z/[new].md'], ['app/[id]/page', 'docs/[a]/b'])
  const made = ['app/[id]/deep/x', 'app/i/x', 'docs/[a]/b', 'docs/a/b', 'x/[new].md', 'z/n.md', 'y']
  const pathspecs = files.flatMap(glob => [glob, `${glob}/**`])
  const write = made.map(file => `mkdir -p "$(dirname '${file}')"; echo x >'${file}'`).join('; ')
  await work(write, { kind: 'rw', files: pathspecs })
  const committed = ['app/[id]/deep/x', 'docs/[a]/b', 'kept.txt', 'x/[new].md', 'z/n.md']
  assert.deepEqual((await git('ls-tree', '-r', '--name-only', 'HEAD')).split('\n').sort(), committed)
})

test('twelve rw workers that end at once all commit their files', async t => {
  const { work, git } = await prepareWorkerScript(t)
  const names = Array.from({ length: 12 }, (_, index) => `rw-${index}`)
  await Promise.all(names.map(name => work(`echo ${name} > ${name}.md`, { kind: 'rw', name, files: [`${name}.md`] })))
  assert.deepEqual((await git('ls-tree', '--name-only', 'HEAD')).split('\n').sort(), [
    'kept.txt',
    ...names.map(name => `${name}.md`).sort(),
  ])
  for (const name of names) assert.equal(await git('show', `HEAD:${name}.md`), name)
})

test('a worker that lost the write lock commits nothing and exits as fenced', async t => {
  const { work, git, lock, readExit } = await prepareWorkerScript(t)
  const before = await git('rev-parse', 'HEAD')
  const ran = await work(`echo late > late.txt; echo 2 > '${lock}/token'`)
  assert.equal(ran.exitCode, 0)
  assert.deepEqual(readExit(), { code: 0, fenced: true, commit: before })
  assert.equal(await git('rev-parse', 'HEAD'), before)
})

test('the process that shows the output ends with the worker', async t => {
  const { work, folder } = await prepareWorkerScript(t)
  await work('true')
  assert.deepEqual(findProcesses(folder), [])
})
