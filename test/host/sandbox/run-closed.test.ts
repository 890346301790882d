/** A sandbox without a network, started by the process that wants it. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readPlaceTag } from '#host/process'
import { listPids, readProcFile } from '#host/process/proc.ts'
import { buildPolicy, isClosed, runClosed, type SandboxPolicy } from '#host/sandbox'
import { createScratchFolder, HANG_MS, waitUntil } from '../../fixtures/scratch.ts'
import { whyNoBubblewrap } from '../../fixtures/skip-reasons.ts'

const input = { folder: '/s/tree', tempFolder: '/s/home' }
const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/nowhere', SECRET: 'x' }

function createClosed(t: TestContext, changes: Partial<SandboxPolicy> = {}) {
  const folder = fs.realpathSync(createScratchFolder(t))
  const [tree, home] = [path.join(folder, 'tree'), path.join(folder, 'home')]
  const policy = { ...buildPolicy('check', { folder: tree, tempFolder: home, writablePaths: [tree] }), ...changes }
  const sh = (script: string, timeoutMs = HANG_MS) =>
    runClosed(policy, ['/bin/sh', '-c', script], { env, timeoutMs, maxOutputBytes: 1000 })
  return { sh, tree }
}

/** The processes that have this text in their command line. */
const listMarked = (mark: string) => listPids().filter(pid => readProcFile(pid, 'cmdline').includes(mark))

test('a sandbox is closed if nothing beside it is needed', () => {
  const check = buildPolicy('check', input)
  assert.equal(isClosed(check, 'linux'), true)
  assert.equal(isClosed(check, 'darwin'), false)
  assert.equal(isClosed(buildPolicy('setup', input), 'linux'), false, 'a setup has a proxy')
  assert.equal(isClosed(buildPolicy('code', { ...input, allowedHosts: ['h:1'] }), 'linux'), false)
  const model = { placeholder: 'p', claude: '/c', configDirectory: null, leaseFolder: '/l' }
  assert.equal(isClosed({ ...check, model }, 'linux'), false)
  assert.equal(isClosed({ ...check, protectedPaths: ['/s/tree/.git/config'] }, 'linux'), false)
})

test('a command in it has the end, the output and the environment of its own', { skip: whyNoBubblewrap }, async t => {
  const { sh, tree } = createClosed(t, { inheritedVariables: ['PATH'] })
  const listOpenFiles = 'for f in /proc/$$/fd/*; do case $f in */[012]) ;; *) readlink "$f" ;; esac; done'
  const run = await sh(
    `cat; env | cut -d= -f1 | sort; (${listOpenFiles}) | grep -v ^/dev/null; echo two >&2; pwd >here; exit 7`,
  )
  assert.deepEqual(
    [run.hasStarted, run.exitCode, run.signal, run.stdout, run.stderr],
    [true, 7, undefined, 'PATH\nPWD\nTMPDIR\n', 'two\n'],
  )
  assert.equal(fs.readFileSync(path.join(tree, 'here'), 'utf8'), `${tree}\n`)
  assert.equal((await sh('kill -9 $$')).exitCode, 137)
  assert.deepEqual(
    fs.readdirSync(os.tmpdir()).filter(name => name.startsWith(`dsp${readPlaceTag()}-${process.pid}-`)),
    [],
  )
})

test('at the timeout everything inside ends, also what left the session', { skip: whyNoBubblewrap }, async t => {
  const { sh, tree } = createClosed(t)
  const mark = path.join(tree, 'mark')
  const running = sh(`setsid sh -c 'sleep 600; : "${mark}"' & sh -c 'touch "${mark}"; sleep 600; :'`)
  const ended = running.then(run => ({ run }))
  await waitUntil(() => fs.existsSync(mark), 'the command runs')
  const [bubblewrap = 0] = listMarked(mark)
  process.kill(-bubblewrap, 'SIGKILL') // As the timeout does.
  const { run } = await ended
  assert.deepEqual([run.hasStarted, run.signal], [true, 'SIGKILL'])
  await waitUntil(() => listMarked(mark).length === 0, 'nothing of it runs')
})

test('one that does not open says so, and a link is refused', { skip: whyNoBubblewrap }, async t => {
  const { sh, tree } = createClosed(t, { folder: '/nowhere' })
  assert.equal((await sh('true')).exitCode, 126)
  fs.rmSync(tree, { recursive: true })
  fs.symlinkSync('/etc', tree)
  await assert.rejects(sh('true'), error => error instanceof DispatchError && error.exitCode === exitCodes.integrity)
  const broken = path.join(path.dirname(tree), 'bin')
  fs.mkdirSync(broken)
  fs.writeFileSync(path.join(broken, 'bwrap'), '#!/bin/sh\necho "bwrap: no" >&2\nexit 1\n', { mode: 0o755 })
  const policy = buildPolicy('check', {
    folder: path.join(path.dirname(tree), 'out'),
    tempFolder: path.join(path.dirname(tree), 'home'),
  })
  const run = await runClosed(policy, ['touch', path.join(broken, 'ran')], { env: { PATH: `${broken}:/usr/bin:/bin` } })
  assert.deepEqual([run.hasStarted, run.exitCode, run.stderr], [false, 1, 'bwrap: no\n'])
})
