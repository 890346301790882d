import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { installFolder } from '#host/config'
import { type RunResult, runProgram } from '#host/exec.ts'
import { findProcesses } from '../fixtures/rig.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

/** A repository with one commit, and what `worker.sh` is told by its launch script. */
async function desk(t: TestContext) {
  const outputs = path.join(createScratchFolder(t), 'outputs')
  const folder = path.join(createScratchFolder(t), 'w1')
  const lock = path.join(createScratchFolder(t), '.write-lock')
  for (const made of [outputs, folder, lock]) fs.mkdirSync(made, { recursive: true })
  const environment = { PATH: process.env['PATH'] ?? '', HOME: createScratchFolder(t), GIT_CONFIG_NOSYSTEM: '1' }
  const git = async (...words: string[]) => {
    const ran = await runProgram('git', words, { cwd: outputs, env: environment })
    assert.equal(ran.exitCode, 0, `git ${words.join(' ')}: ${ran.stderr}`)
    return ran.stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch', 'work')
  for (const [name, value] of [
    ['user.name', 'w'],
    ['user.email', 'w@localhost'],
  ] as const)
    await git('config', name, value)
  const put = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(outputs, name)), { recursive: true })
    fs.writeFileSync(path.join(outputs, name), text)
  }
  put('kept.txt', 'kept\n')
  await git('add', '-A')
  await git('commit', '--quiet', '-m', 'base')
  fs.writeFileSync(path.join(lock, 'token'), '1')
  const given = { kind: 'code', files: [] as string[], name: 'w1', token: '1', accepted: '' }
  /** The real script round a program that plays claude. */
  const work = (claude: string, changes: Partial<typeof given> = {}): Promise<RunResult> => {
    const { kind, files, name, token, accepted } = { ...given, ...changes }
    const own = path.join(path.dirname(folder), name)
    fs.mkdirSync(own, { recursive: true })
    fs.writeFileSync(path.join(own, 'brief.md'), 'the brief, with "quotes" and $(no shell)\n')
    fs.writeFileSync(path.join(own, 'files'), files.map(glob => `${glob}\n`).join(''))
    return runProgram('/bin/sh', [path.join(installFolder, 'agents/worker.sh'), '/bin/sh', '-c', claude], {
      timeoutMs: 60_000,
      env: {
        ...environment,
        DISPATCH_FOLDER: own,
        DISPATCH_OUTPUTS: outputs,
        DISPATCH_KIND: kind,
        DISPATCH_WORKER: `sid/${name}`,
        DISPATCH_FILES: path.join(own, 'files'),
        DISPATCH_SANDBOX_LAUNCHER: '',
        DISPATCH_NODE: '',
        DISPATCH_TOOLS: '',
        DISPATCH_TOKEN: token,
        DISPATCH_LOCK: lock,
        DISPATCH_ACCEPTED: accepted,
      },
    })
  }
  const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8')
  const exit = (name = 'w1') => JSON.parse(fs.readFileSync(path.join(path.dirname(folder), name, 'exit.json'), 'utf8'))
  return { outputs, folder, lock, environment, git, put, work, read, exit }
}

test('a worker hears its brief, its words are kept, its exit is true, and what it left is committed', async t => {
  const { work, git, read, exit } = await desk(t)
  const ran = await work('cat; echo oops >&2; mkdir -p "a b"; echo new > "a b/ü.txt"; rm kept.txt; exit 7')
  assert.equal(ran.exitCode, 7)
  assert.equal(read('stream.jsonl'), 'the brief, with "quotes" and $(no shell)\n')
  assert.equal(read('stderr.txt'), 'oops\n')
  assert.deepEqual(exit(), { code: 7, fenced: false, commit: await git('rev-parse', 'HEAD') })
  assert.equal(await git('-c', 'core.quotePath=off', 'ls-files'), 'a b/ü.txt')
  assert.equal(await git('log', '-1', '--format=%s'), 'w1: what it left uncommitted')
  assert.equal(await git('status', '--porcelain'), '')
})

test('a worker that committed by itself, or did nothing, gets no commit on top', async t => {
  const { work, git } = await desk(t)
  await work('echo x > x.txt; git add x.txt; git commit -qm mine')
  assert.equal(await git('log', '-1', '--format=%s'), 'mine')
  const before = await git('rev-parse', 'HEAD')
  await work('true')
  assert.equal(await git('rev-parse', 'HEAD'), before)
})

test('what nobody handed in is set aside before a code worker begins: changes in the stash, commits under a ref', async t => {
  const { work, git, put, read } = await desk(t)
  const accepted = await git('rev-parse', 'HEAD')
  put('foreign.txt', 'committed by nobody\n')
  await git('add', '-A')
  await git('commit', '--quiet', '-m', 'foreign')
  const foreign = await git('rev-parse', 'HEAD')
  put('kept.txt', 'changed\n')
  put('stray.txt', 'new\n')
  await work('ls > seen.txt', { accepted })
  assert.equal(await git('show', 'HEAD:seen.txt'), 'kept.txt\nseen.txt')
  assert.equal(await git('show', 'HEAD:kept.txt'), 'kept')
  assert.equal(await git('rev-parse', 'refs/set-aside/w1'), foreign)
  assert.equal(await git('show', 'stash@{0}:kept.txt'), 'changed')
  assert.deepEqual(read('quarantined.txt').trim().split('\n').sort(), ['foreign.txt', 'kept.txt', 'stray.txt'])
})

test('a code worker leaves the files of rw workers alone, before and after', async t => {
  const { work, git, put, outputs } = await desk(t)
  put('docs/half.md', 'half written')
  await work('echo more >> docs/half.md; echo code > code.txt', { files: ['docs/**'] })
  assert.equal(await git('ls-files'), 'code.txt\nkept.txt')
  assert.equal(fs.readFileSync(path.join(outputs, 'docs/half.md'), 'utf8'), 'half writtenmore\n')
})

test('an rw worker commits what it named and nothing else', async t => {
  const { work, git, outputs } = await desk(t)
  await work('mkdir docs; echo a > docs/a.md; echo b > b.txt; echo c >> kept.txt', { kind: 'rw', files: ['docs/**'] })
  assert.equal(await git('ls-files'), 'docs/a.md\nkept.txt')
  assert.equal(await git('show', 'HEAD:kept.txt'), 'kept')
  assert.equal(fs.readFileSync(path.join(outputs, 'b.txt'), 'utf8'), 'b\n')
})

test('twelve rw workers that end at one moment all have their files in the history', async t => {
  const { work, git } = await desk(t)
  const names = Array.from({ length: 12 }, (_, at) => `rw-${at}`)
  await Promise.all(names.map(name => work(`echo ${name} > ${name}.md`, { kind: 'rw', name, files: [`${name}.md`] })))
  assert.deepEqual((await git('ls-tree', '--name-only', 'HEAD')).split('\n').sort(), [
    'kept.txt',
    ...names.map(name => `${name}.md`).sort(),
  ])
  for (const name of names) assert.equal(await git('show', `HEAD:${name}.md`), name)
})

test('a worker that lost the write lock commits nothing, and its exit says so', async t => {
  const { work, git, lock, exit } = await desk(t)
  const before = await git('rev-parse', 'HEAD')
  const ran = await work(`echo late > late.txt; echo 2 > '${lock}/token'`)
  assert.equal(ran.exitCode, 0)
  assert.deepEqual(exit(), { code: 0, fenced: true, commit: before })
  assert.equal(await git('rev-parse', 'HEAD'), before)
})

test('the viewer of its window ends with it', async t => {
  const { work, folder } = await desk(t)
  await work('true')
  assert.deepEqual(findProcesses(folder), [])
})
