import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { readIfPresent } from '#host/fs'
import { checkLiveness, identify } from '#host/process'
import { buildStartQuestion, parseDarwinStart, parseLinuxStart } from '#host/process/identity.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

const readFixture = (name: string) =>
  fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/host', name), 'utf8')

/** A shell in its own process group, which sleeps by default; it ends with the test. */
function start(t: TestContext, script = 'exec sleep 1000'): ChildProcess & { pid: number } {
  const child = spawn('/bin/sh', ['-c', script], {
    stdio: 'ignore',
    detached: true,
  })
  t.after(() => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  })
  assert.ok(child.pid !== undefined)
  return child as ChildProcess & { pid: number }
}

async function requireIdentity(pid: number) {
  return (await identify(pid)) ?? assert.fail(`there is no process ${pid}`)
}

test('this process is alive, and its identity does not change', async () => {
  const identity = await requireIdentity(process.pid)
  assert.ok(identity.pid === process.pid && identity.startTime !== '' && identity.bootId.length > 8)
  assert.equal(await checkLiveness(identity), 'alive')
  assert.deepEqual(await identify(process.pid), identity, 'the identity is stable')
})

test('a killed process is dead, even before its parent has reaped it', async t => {
  const child = start(t)
  const identity = await requireIdentity(child.pid)
  assert.equal(await checkLiveness(identity), 'alive')
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  assert.equal(await checkLiveness(identity), 'dead')
})

test('a zombie is dead', { skip: whyNotLinux }, async t => {
  const folder = createScratchFolder(t)
  const parent = start(t, `sleep 1000 & echo $! > '${folder}/pid'; exec sleep 999`)
  const pid = await waitUntil(() => Number(readIfPresent(`${folder}/pid`)) || false, 'it has a child')
  // The shell has become `sleep 999`, which never waits for children.
  await waitUntil(
    () => fs.readFileSync(`/proc/${parent.pid}/comm`, 'utf8').startsWith('sleep'),
    'the shell has become sleep',
  )
  const identity = await requireIdentity(pid)
  process.kill(pid, 'SIGKILL')
  await waitUntil(() => / Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')), 'it is a zombie')
  assert.equal(process.kill(pid, 0), true, 'kill -0 still succeeds')
  assert.equal(await checkLiveness(identity), 'dead')
})

test('a stopped process is alive', async t => {
  const child = start(t)
  const identity = await requireIdentity(child.pid)
  child.kill('SIGSTOP')
  assert.equal(await checkLiveness(identity), 'alive')
})

test('the same pid with another start or another boot is dead', async () => {
  const identity = await requireIdentity(process.pid)
  assert.equal(await checkLiveness({ ...identity, startTime: `${Number(identity.startTime) - 1}` }), 'dead')
  assert.equal(await checkLiveness({ ...identity, bootId: 'another' }), 'dead')
  assert.equal(await identify(2 ** 22 + 1), undefined)
})

test('the start time is found whatever the program is called', () => {
  const rest = `S 1 2 2 0 -1 4194560 ${'0 '.repeat(12)}4242 0 0`
  for (const name of ['sh', 'a b', ') Z 1 (', '((', 'x) S', '\n'])
    assert.equal(parseLinuxStart(`7 (${name}) ${rest}`), '4242', name)
  for (const state of ['Z', 'X', 'x']) assert.equal(parseLinuxStart(`7 (sh) ${rest.replace('S', state)}`), undefined)
  assert.equal(parseLinuxStart(undefined), undefined)
})

test('start times of macOS are parsed', () => {
  const lines = readFixture('darwin-start.txt').split('\n')
  assert.deepEqual(lines.map(parseDarwinStart), [
    'Sat Nov 21 00:26:06 2026',
    'Tue Nov 3 09:05:59 2026',
    'Sat Nov 21 00:26:07 2026',
    undefined,
    undefined,
  ])
  assert.equal(parseDarwinStart(''), undefined)
  // A laptop that travels changes its zone, in which `ps` would print the time.
  assert.deepEqual(buildStartQuestion(7), {
    program: '/bin/ps',
    args: ['-o', 'lstart=,state=', '-p', '7'],
    env: { LC_ALL: 'C', TZ: 'UTC' },
  })
  assert.deepEqual(buildStartQuestion(7, true).env, { LC_ALL: 'C' })
})
