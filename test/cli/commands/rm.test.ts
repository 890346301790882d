import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { confirmUnsavedWork } from '#cli/input/confirm-removal.ts'
import { parseAge, removeIfSafe, removeSessions, throwFailures } from '#cli/tidy/remove-safe.ts'
import { readDefaultConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { readLeaseHolder } from '#host/lease'
import { reopenSession } from '#runner'
import { createSession } from '#session'
import { appendEvent } from '#session/log'
import { prepareRepository } from '#session/repository'
import { createTestSession } from '../../fixtures/new-session.ts'
import '../../fixtures/plain-git.ts'
import { runInScript } from '../../fixtures/run-at-terminal.ts'
import { createScratchFolder, HANG_MS } from '../../fixtures/scratch.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

test('an age has a unit', () => {
  assert.deepEqual(['12h', '30d', '2w'].map(parseAge), [43_200_000, 2_592_000_000, 1_209_600_000])
  for (const text of ['30', 'd', '-1d', '1.5d', '30 d']) assert.throws(() => parseAge(text), { exitCode: 2 }, text)
})

test('only sessions that lose nothing are removed, and each one says why', async t => {
  const first = createTestSession(t)
  const workspace = path.dirname(first.paths.folder)
  const home = path.dirname(workspace)
  const user = path.join(home, '../user')
  const environment = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const git = async (cwd: string, ...args: string[]) => {
    const identity = ['-c', 'user.name=u', '-c', 'user.email=u@localhost']
    const result = await runProgram('git', [...identity, ...args], { cwd })
    assert.equal(result.exitCode, 0, result.stderr)
    return result.stdout.trim()
  }
  const dispatch = (...args: string[]) =>
    runProgram('/bin/sh', [path.join(import.meta.dirname, '../../../bin/dispatch'), ...args], {
      env: environment,
      cwd: home,
    })
  fs.mkdirSync(user)
  t.after(() => fs.rmSync(user, { recursive: true, force: true }))
  await git(user, 'init', '-q')
  await git(user, 'commit', '-q', '--allow-empty', '-m', 'base')
  await git(user, 'tag', '-m', 'one', 'v1')
  const commit = await git(user, 'rev-parse', 'HEAD')
  const open = async (letters: string, hasWork: boolean) => {
    const manifest = {
      ...first.manifest,
      id: `2026-11-21-say-${letters}`,
      repository: { path: user, commit, uncommittedFiles: 0 },
    }
    const session = createSession(workspace, manifest, Buffer.from('Say'))
    const base = await prepareRepository(session.paths, 'work', user)
    appendEvent(session.paths.events, { type: 'base.prepared', ...base }, 0, new Date())
    const close = (lastSeq: number) =>
      appendEvent(session.paths.events, { type: 'session.closed', actor: 'you', reason: '' }, lastSeq, new Date())
    if (!hasWork) {
      close(1)
      return session
    }
    fs.writeFileSync(path.join(session.paths.outputs, letters), letters)
    await git(session.paths.outputs, 'add', '-A')
    await git(session.paths.outputs, 'commit', '-qm', letters)
    const head = await git(session.paths.outputs, 'rev-parse', 'HEAD')
    const tree = await git(session.paths.outputs, 'rev-parse', 'HEAD^{tree}')
    const verdict = {
      round: 1,
      verdict: 'PASS' as const,
      reason: '',
      isFinal: true,
      independence: '',
      commit: head,
      tree,
    }
    appendEvent(session.paths.events, { type: 'verdict.given', ...verdict, clauses: [] }, 1, new Date())
    close(2)
    return session
  }
  fs.rmSync(first.paths.folder, { recursive: true })
  const [applied, unapplied, idle, aside, branched] = [
    await open('aaaa', true),
    await open('bbbb', true),
    await open('cccc', false),
    await open('dddd', true),
    await open('eeee', true),
  ]
  for (const { paths } of [applied, aside, branched])
    await git(user, 'fetch', '-q', paths.outputs, `HEAD:refs/heads/${path.basename(paths.folder)}`)
  fs.writeFileSync(path.join(aside.paths.outputs, 'stray'), '')
  await git(aside.paths.outputs, 'stash', 'push', '-qu')
  // A branch at earlier work loses nothing. One with a commit of its own does, also when git has packed it.
  await git(applied.paths.outputs, 'branch', 'earlier', 'HEAD~1')
  await git(applied.paths.outputs, 'tag', 'earlier')
  await git(
    branched.paths.outputs,
    'branch',
    'idea',
    await git(branched.paths.outputs, 'commit-tree', '-m', 'idea', 'HEAD~1^{tree}'),
  )
  await git(branched.paths.outputs, 'pack-refs', '--all')

  const asked = await dispatch('rm', '--applied', '--json')
  assert.equal(asked.exitCode, exitCodes.usage, asked.stdout)
  const listed = await dispatch('rm', '--applied', '--dry-run')
  assert.match(listed.stdout, /remove +2026-11-21-say-aaaa +\S+ [kM]B +its work is in .*user\n/)
  assert.match(listed.stdout, /keep +2026-11-21-say-bbbb .*\(judged\) is not in any branch/)
  assert.match(listed.stdout, /keep +2026-11-21-say-dddd .*set aside/)
  assert.match(listed.stdout, /keep +2026-11-21-say-eeee .*commits besides its work: refs\/heads\/idea\n/)
  assert.match(listed.stdout, /removes 1 session and frees/)
  assert.ok(fs.existsSync(applied.paths.folder))
  const young = await dispatch('rm', '--older', '1d', '--yes')
  assert.match(young.stdout, /5 sessions kept: too young/)
  const removed = await dispatch('rm', '--older', '0h', '--yes', '--json')
  const actions = (JSON.parse(removed.stdout) as { id: string; action: string }[]).map(each => [
    each.id.slice(-4),
    each.action,
  ])
  assert.deepEqual(actions.sort(), [
    ['aaaa', 'removed'],
    ['bbbb', 'kept'],
    ['cccc', 'removed'],
    ['dddd', 'kept'],
    ['eeee', 'kept'],
  ])
  assert.deepEqual(
    [applied, unapplied, idle, aside, branched].map(({ paths }) => fs.existsSync(paths.folder)),
    [false, true, false, true, true],
  )
})

/** Runs in a mount namespace of its own, with a disk of 8 MB that it fills. Prints what it finds as JSON. */
const fullDisk = `
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { blankManifest } from './test/fixtures/blank-manifest.ts'
import { createSession } from '#session'
import { appendEvent } from '#session/log'
import { prepareRepository } from '#session/repository'
const home = process.argv[1]
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', home])
process.env.TMPDIR = home + '/tmp'
fs.mkdirSync(process.env.TMPDIR)
for (const letters of ['aaaa', 'bbbb']) {
  const session = createSession(home + '/workspace', { ...blankManifest, id: '2026-11-21-say-' + letters }, Buffer.from('do it'))
  const base = await prepareRepository(session.paths, 'work', undefined)
  if (letters === 'aaaa') {
    appendEvent(session.paths.events, { type: 'base.prepared', ...base }, 0, new Date())
    const verdict = { round: 1, verdict: 'PASS', reason: '', isFinal: true, independence: '', clauses: [], ...base }
    appendEvent(session.paths.events, { type: 'verdict.given', ...verdict }, 1, new Date())
  } else fs.rmSync(session.paths.outputs, { recursive: true })
  appendEvent(session.paths.events, { type: 'session.closed', actor: 'you', reason: '' }, 2, new Date())
}
try { fs.writeFileSync(home + '/ballast', Buffer.alloc(16 << 20)) } catch (error) { if (error.code !== 'ENOSPC') throw error }
const env = { PATH: process.env.PATH, HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1', TMPDIR: process.env.TMPDIR }
const dispatch = (...args) => spawnSync('/bin/sh', ['bin/dispatch', ...args], { env, encoding: 'utf8' })
const results = [dispatch('ls'), dispatch('rm', '--older', '0h', '--yes')]
fs.writeSync(3, JSON.stringify({ results, left: fs.readdirSync(home + '/workspace') }))
`

test('on a full disk, sessions are listed, and those are removed that lose nothing for certain', {
  skip: whyNotLinux,
}, async t => {
  const node = [process.execPath, '--input-type=module', '-e', fullDisk, createScratchFolder(t)]
  const line = '"$@" 3>&1 >&2'
  const run = await runProgram('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', line, 'sh', ...node], {
    cwd: path.join(import.meta.dirname, '../../..'),
    timeoutMs: HANG_MS,
  })
  if (/unshare|mount:/.test(run.stderr) && run.stdout === '') return t.skip(`no namespaces here: ${run.stderr.trim()}`)
  const { results, left } = JSON.parse(run.stdout || assert.fail(run.stderr))
  const [listed, removed] = results
  assert.equal(listed.status, 0, listed.stderr)
  assert.match(listed.stdout, /^PASS +2026-11-21-say-aaaa/m)
  assert.equal(removed.status, 0, removed.stderr)
  assert.match(removed.stdout, /keep +2026-11-21-say-aaaa .* dispatch cannot tell what would be lost: .*\n/)
  assert.match(removed.stdout, /remove +2026-11-21-say-bbbb/)
  assert.deepEqual(left, ['2026-11-21-say-aaaa'])
})

test('a session that cannot be removed keeps no other one', async t => {
  const [gone, other] = [createTestSession(t), createTestSession(t)]
  const home = path.dirname(path.dirname(other.paths.folder))
  const config = readDefaultConfig({ DISPATCH_HOME: home })
  fs.rmSync(gone.paths.folder, { recursive: true })
  const failures = await removeSessions([{ ...gone, id: 'gone' }, other], config)
  assert.deepEqual([...failures.keys()], ['gone'])
  assert.deepEqual(fs.readdirSync(path.dirname(other.paths.folder)), [])
  assert.throws(() => throwFailures(failures), {
    exitCode: 1,
    message: /^1 session could not be removed: gone: ENOENT/,
  })
})

/** A session that has ended with a file that nothing else has. */
async function createUnsaved(t: TestContext) {
  const session = createTestSession(t, { id: '2026-11-21-say-abcd' })
  const { events, outputs, folder } = session.paths
  const base = await prepareRepository(session.paths, 'work', undefined)
  appendEvent(events, { type: 'base.prepared', ...base }, 0, new Date())
  appendEvent(events, { type: 'session.closed', actor: 'you', reason: '' }, 1, new Date())
  fs.writeFileSync(path.join(outputs, 'a.txt'), '')
  return { session, home: path.dirname(path.dirname(folder)) }
}

test('a session that is taken up while the question stands is not removed', async t => {
  const { session, home } = await createUnsaved(t)
  fs.mkdirSync(path.join(home, 'elsewhere'))
  const environment = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const entryPoint = path.join(import.meta.dirname, '../../../bin/dispatch')
  const { code, shown } = await runInScript({ home, entryPoint, environment }, 'rm abcd', {
    answer: 'abcd\n',
    atPrompt: () => void appendEvent(session.paths.events, { type: 'session.reopened', actor: 'you' }, 2, new Date()),
  })
  assert.equal(code, exitCodes.conflict, shown)
  assert.match(shown, /still open; nothing was removed/)
  assert.ok(fs.existsSync(session.paths.outputs))
})

test('what was given up counts only as long as it is all that would be lost', async t => {
  const { session, home } = await createUnsaved(t)
  const config = readDefaultConfig({ DISPATCH_HOME: home })
  const givenUp = 'not committed in outputs/: a.txt'
  assert.equal(await confirmUnsavedWork(session, config, { givenUp }), givenUp)
  fs.writeFileSync(path.join(session.paths.outputs, 'b.txt'), '')
  await assert.rejects(confirmUnsavedWork(session, config, { givenUp }), { exitCode: exitCodes.conflict })
})

test('nothing takes up a session while it is decided and removed', async t => {
  const session = createTestSession(t)
  const { events, folder, runnerLease } = session.paths
  const workspace = path.dirname(folder)
  const config = readDefaultConfig({ DISPATCH_HOME: path.dirname(workspace) })
  const base = await prepareRepository(session.paths, 'work', undefined)
  appendEvent(events, { type: 'base.prepared', ...base }, 0, new Date())
  appendEvent(events, { type: 'session.closed', actor: 'you', reason: '' }, 1, new Date())
  const rule = { isAppliedOnly: false, minAgeMs: 0 }
  const removing = removeIfSafe(session, config, rule)
  while (fs.existsSync(folder) && readLeaseHolder(runnerLease) === undefined) await setImmediate()
  assert.ok(fs.existsSync(folder), 'it is held before it is removed')
  await assert.rejects(reopenSession(session, config, 'you'), /already has a runner|was removed/)
  assert.ok((await removing).isRemoved)
  await assert.rejects(reopenSession(session, config, 'you'), { exitCode: exitCodes.notFound })
  assert.deepEqual(fs.readdirSync(workspace), [])
})

test('a session that stays can be taken up', async t => {
  const { session, home } = await createUnsaved(t)
  const config = readDefaultConfig({ DISPATCH_HOME: home })
  const rule = { isAppliedOnly: false, minAgeMs: 0 }
  assert.match((await removeIfSafe(session, config, rule)).reason, /not committed/)
  await reopenSession(session, config, 'you')
  assert.match((await removeIfSafe(session, config, rule)).reason, /taken up meanwhile/)
})

test('--json asks nothing, also at a terminal', async t => {
  const { session, home } = await createUnsaved(t)
  fs.mkdirSync(path.join(home, 'elsewhere'))
  const environment = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const entryPoint = path.join(import.meta.dirname, '../../../bin/dispatch')
  const { code, shown } = await runInScript({ home, entryPoint, environment }, 'rm abcd --json', { answer: 'abcd\n' })
  assert.equal(code, exitCodes.conflict, shown)
  assert.doesNotMatch(shown, /Type abcd/)
  assert.ok(fs.existsSync(session.paths.outputs))
})
