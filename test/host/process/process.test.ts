import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { readIfPresent } from '#host/fs'
import { checkLiveness, identify, killProcessTree } from '#host/process'
import {
  listProcessTree,
  type ProcessRow,
  parseDarwinBoot,
  parseDarwinStart,
  parseLinuxStart,
  parseProcessTable,
} from '#host/process/process.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const linux = process.platform === 'linux'
const recorded = (name: string) => fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/host', name), 'utf8')

/** A process that sleeps, in a group of its own; it is ended with the test. */
function start(t: TestContext, script = 'exec sleep 1000', mark?: string): ChildProcess & { pid: number } {
  const child = spawn('/bin/sh', ['-c', script], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, ...(mark ? { MARK: mark } : {}) },
  })
  t.after(() => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  })
  assert.ok(child.pid !== undefined)
  return child as ChildProcess & { pid: number }
}

async function whoIs(pid: number) {
  return (await identify(pid)) ?? assert.fail(`nobody is ${pid}`)
}

const isGone = async (pid: number) => (await identify(pid)) === undefined

test('this process knows itself, and is alive', async () => {
  const who = await whoIs(process.pid)
  assert.ok(who.pid === process.pid && who.startTime !== '' && who.bootId.length > 8)
  assert.equal(await checkLiveness(who), 'alive')
  assert.deepEqual(await identify(process.pid), who, 'and is the same every time')
})

test('a killed process is dead, also while its parent has not taken notice', async t => {
  const child = start(t)
  const who = await whoIs(child.pid)
  assert.equal(await checkLiveness(who), 'alive')
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  assert.equal(await checkLiveness(who), 'dead')
})

test('a zombie is dead', { skip: !linux && 'needs /proc' }, async t => {
  const folder = createScratchFolder(t)
  const parent = start(t, `sleep 1000 & echo $! > '${folder}/pid'; exec sleep 999`)
  const pid = await waitUntil(() => Number(readIfPresent(`${folder}/pid`)) || false, 'it has a child')
  // The shell has become `sleep 999`, which never waits for children.
  await waitUntil(() => fs.readFileSync(`/proc/${parent.pid}/comm`, 'utf8').startsWith('sleep'), 'it is a bad parent')
  const who = await whoIs(pid)
  process.kill(pid, 'SIGKILL')
  await waitUntil(() => / Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')), 'it is a zombie')
  assert.equal(process.kill(pid, 0), true, 'kill -0 says it is there')
  assert.equal(await checkLiveness(who), 'dead')
})

test('a stopped process is alive', async t => {
  const child = start(t)
  const who = await whoIs(child.pid)
  child.kill('SIGSTOP')
  assert.equal(await checkLiveness(who), 'alive')
})

test('a number that was given again, or is of another boot, is another process', async () => {
  const who = await whoIs(process.pid)
  assert.equal(await checkLiveness({ ...who, startTime: `${Number(who.startTime) - 1}` }), 'dead')
  assert.equal(await checkLiveness({ ...who, bootId: 'another' }), 'dead')
  assert.equal(await identify(2 ** 22 + 1), undefined)
})

test('the start is read behind the last bracket, whatever the program is called', () => {
  const rest = `S 1 2 2 0 -1 4194560 ${'0 '.repeat(12)}4242 0 0`
  for (const name of ['sh', 'a b', ') Z 1 (', '((', 'x) S', '\n'])
    assert.equal(parseLinuxStart(`7 (${name}) ${rest}`), '4242', name)
  for (const state of ['Z', 'X', 'x']) assert.equal(parseLinuxStart(`7 (sh) ${rest.replace('S', state)}`), undefined)
  assert.equal(parseLinuxStart(undefined), undefined)
})

test('a family is who descends from one, or shares its session or group', () => {
  const row = (pid: number, parentPid: number, groupId = pid, sessionId = 1): ProcessRow => ({
    pid,
    parentPid,
    groupId,
    sessionId,
  })
  const table: [string, ProcessRow[], number[]][] = [
    ['alone', [row(10, 1)], [10]],
    ['nobody', [row(11, 1)], []],
    ['children and theirs', [row(10, 1), row(12, 11), row(11, 10), row(20, 1)], [10, 11, 12]],
    ['an orphan of its group', [row(10, 1), row(11, 1, 10)], [10, 11]],
    ['an orphan of its session', [row(10, 1), row(11, 1, 11, 10), row(12, 11)], [10, 11, 12]],
    ['the group when the leader is gone', [row(11, 1, 10), row(12, 11), row(13, 1)], [11, 12]],
    ['children listed before parents', [row(13, 12), row(12, 11), row(11, 10), row(10, 1)], [10, 11, 12, 13]],
    ['a ring of parents', [row(10, 11), row(11, 10)], [10, 11]],
    ['not its parent, not its siblings', [row(9, 1), row(10, 9), row(11, 9)], [10]],
    ['Darwin, which has no sessions', parseProcessTable('10 1 10 0\n11 1 11 0\n12 10 12 0'), [10, 12]],
  ]
  for (const [name, rows, members] of table) assert.deepEqual([...listProcessTree(rows, 10)].sort(), members, name)
})

test('a family of thousands is found quickly', () => {
  const chain = Array.from(
    { length: 3000 },
    (_, index): ProcessRow => ({ pid: 5000 - index, parentPid: 4999 - index, groupId: 1, sessionId: 1 }),
  )
  assert.equal(listProcessTree(chain, 2001).size, 3000)
})

test('killing a family ends grandchildren, background jobs and marked daemons, and nobody else', {
  skip: !linux && 'needs /proc',
}, async t => {
  const folder = createScratchFolder(t)
  const mark = `dispatch-test-${process.pid}`
  const note = (name: string) => `echo $! > "${folder}/${name}"`
  const victim = start(
    t,
    [
      `sh -c 'sleep 1000 & ${note('grandchild')}; wait' &`,
      `setsid sh -c 'sleep 1001 & ${note('daemon')}; exec sleep 1002' & ${note('leader')}`,
      `(setsid sleep 1003 & ${note('orphan')})`,
      `sleep 1004 & ${note('job')}; wait`,
    ].join('\n'),
    mark,
  )
  const bystander = start(t, 'sleep 1005 & wait', `${mark}-not`)
  const names = ['grandchild', 'daemon', 'leader', 'orphan', 'job']
  const pids = await waitUntil(() => {
    const found = names.map(name =>
      Number(fs.existsSync(`${folder}/${name}`) && fs.readFileSync(`${folder}/${name}`, 'utf8')),
    )
    return found.every(pid => pid > 0) && found
  }, 'all have started')
  t.after(() => {
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It is gone, as it should be.
      }
  })
  // A daemon's own child carries the mark as soon as it has begun; give each time to become what it is.
  for (const pid of pids)
    await waitUntil(() => fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark), 'it is marked')
  assert.ok((await killProcessTree(victim.pid, `MARK=${mark}`)) >= 6)
  for (const pid of [victim.pid, ...pids]) await waitUntil(() => isGone(pid), `${pid} is gone`)
  assert.ok(!(await isGone(bystander.pid)), 'the bystander lives')
  assert.ok(!(await isGone(process.pid)))
  assert.equal(await killProcessTree(victim.pid, `MARK=${mark}`), 0, 'and there is nobody left')
})

test('a stranger who was given the number of one that is gone is spared', async t => {
  const stranger = start(t)
  const who = await whoIs(stranger.pid)
  for (const gone of [
    { ...who, startTime: '1' },
    { ...who, bootId: 'another' },
  ])
    assert.equal(await killProcessTree(gone, `MARK=none-${process.pid}`), 0)
  assert.ok(!(await isGone(stranger.pid)))
  assert.ok((await killProcessTree(who, `MARK=none-${process.pid}`)) >= 1)
  await waitUntil(() => isGone(stranger.pid), 'the one that is meant is gone')
})

test('who kills a family it belongs to lives on', async () => {
  const killer = path.join(import.meta.dirname, '../../fixtures/host/killer.ts')
  const ran = await runProgram(process.execPath, [killer], {
    env: { ...process.env, MARK: `own-${process.pid}` } as Record<string, string>,
  })
  assert.deepEqual([ran.stdout, ran.exitCode], ['alive\n', 0], ran.stderr)
})

test('nobody is killed for an empty mark, or as the family of process 1 or 0', async t => {
  const child = start(t)
  for (const nobody of [-1, 0, 1, Number.NaN]) assert.equal(await killProcessTree(nobody, '', 'SIGCONT'), 0)
  assert.ok(!(await isGone(child.pid)))
})

test('the process table of macOS reads', () => {
  const rows = parseProcessTable(recorded('darwin-table.txt'))
  assert.equal(rows.length, 17)
  assert.deepEqual(rows[0], { pid: 1, parentPid: 0, groupId: 1, sessionId: -1 })
  assert.deepEqual([...listProcessTree(rows, 4821)].sort(), [4821, 4822, 4830, 4831])
})

test('starts and boots of macOS read', () => {
  const lines = recorded('darwin-start.txt').split('\n')
  assert.deepEqual(lines.map(parseDarwinStart), [
    'Sat Nov 21 00:26:06 2026',
    'Tue Nov 3 09:05:59 2026',
    'Sat Nov 21 00:26:07 2026',
    undefined,
    undefined,
  ])
  assert.equal(parseDarwinStart(''), undefined)
  const boots = recorded('darwin-boot.txt').trim().split('\n')
  assert.deepEqual(boots.map(parseDarwinBoot), ['1795000000', '1726230489'])
})
