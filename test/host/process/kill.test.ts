import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { identify, killProcessTree } from '#host/process'
import { listProcessTree, type ProcessRow, parseProcessTable } from '#host/process/kill.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

const readFixture = (name: string) =>
  fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/host', name), 'utf8')

/** A shell in its own process group, which sleeps by default; it ends with the test. */
function start(t: TestContext, script = 'exec sleep 1000', marker?: string): ChildProcess & { pid: number } {
  const child = spawn('/bin/sh', ['-c', script], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, ...(marker ? { MARK: marker } : {}) },
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

const isGone = async (pid: number) => (await identify(pid)) === undefined

test('a process tree: descendants, and members of the session or group', () => {
  const row = (pid: number, parentPid: number, groupId = pid, sessionId = 1): ProcessRow => ({
    pid,
    parentPid,
    groupId,
    sessionId,
  })
  const table: [string, ProcessRow[], number[]][] = [
    ['alone', [row(10, 1)], [10]],
    ['unrelated', [row(11, 1)], []],
    ['children and their children', [row(10, 1), row(12, 11), row(11, 10), row(20, 1)], [10, 11, 12]],
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

test('a tree of 3,000 processes is found', () => {
  const chain = Array.from(
    { length: 3000 },
    (_, index): ProcessRow => ({ pid: 5000 - index, parentPid: 4999 - index, groupId: 1, sessionId: 1 }),
  )
  assert.equal(listProcessTree(chain, 2001).size, 3000)
})

test('killing a tree ends grandchildren, jobs and marked daemons, no others', {
  skip: whyNotLinux,
}, async t => {
  const folder = createScratchFolder(t)
  const marker = `dispatch-tést-${process.pid}`
  const writePid = (name: string) => `echo $! > "${folder}/${name}"`
  const victim = start(
    t,
    [
      `sh -c 'sleep 1000 & ${writePid('grandchild')}; wait' &`,
      `setsid sh -c 'sleep 1001 & ${writePid('daemon')}; exec sleep 1002' & ${writePid('leader')}`,
      `(setsid sleep 1003 & ${writePid('orphan')})`,
      `sleep 1004 & ${writePid('job')}; wait`,
    ].join('\n'),
    marker,
  )
  const bystander = start(t, 'sleep 1005 & wait', `${marker}-not`)
  const names = ['grandchild', 'daemon', 'leader', 'orphan', 'job']
  const pids = await waitUntil(() => {
    const current = names.map(name =>
      Number(fs.existsSync(`${folder}/${name}`) && fs.readFileSync(`${folder}/${name}`, 'utf8')),
    )
    return current.every(pid => pid > 0) && current
  }, 'all have started')
  t.after(() => {
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended, as it should.
      }
  })
  // A child of a daemon has the marker only after its exec; wait for each.
  for (const pid of pids)
    await waitUntil(() => fs.readFileSync(`/proc/${pid}/environ`, 'utf8').includes(marker), 'it is marked')
  assert.ok((await killProcessTree(victim.pid, `MARK=${marker}`)) >= 6)
  for (const pid of [victim.pid, ...pids]) await waitUntil(() => isGone(pid), `${pid} is gone`)
  assert.ok(!(await isGone(bystander.pid)), 'the bystander lives')
  assert.ok(!(await isGone(process.pid)))
  assert.equal(await killProcessTree(victim.pid, `MARK=${marker}`), 0, 'no process is left')
})

test('a process that has the pid of a dead one is spared', async t => {
  const other = start(t)
  const identity = await requireIdentity(other.pid)
  for (const identityBefore of [
    { ...identity, startTime: '1' },
    { ...identity, bootId: 'another' },
  ])
    assert.equal(await killProcessTree(identityBefore, `MARK=none-${process.pid}`), 0)
  assert.ok(!(await isGone(other.pid)))
  assert.ok((await killProcessTree(identity, `MARK=none-${process.pid}`)) >= 1)
  await waitUntil(() => isGone(other.pid), 'the process itself is gone')
})

test('a process that kills its own tree survives', async () => {
  const killer = path.join(import.meta.dirname, '../../fixtures/host/killer.ts')
  const result = await runProgram(process.execPath, [killer], {
    env: { ...process.env, MARK: `own-${process.pid}` } as Record<string, string>,
  })
  assert.deepEqual([result.stdout, result.exitCode], ['alive\n', 0], result.stderr)
})

test('an empty marker, or process 1 or 0 as the root, kills nothing', async t => {
  const child = start(t)
  for (const rootPid of [-1, 0, 1, Number.NaN]) assert.equal(await killProcessTree(rootPid, '', 'SIGCONT'), 0)
  assert.ok(!(await isGone(child.pid)))
})

test('the process table of macOS is parsed', () => {
  const rows = parseProcessTable(readFixture('darwin-table.txt'))
  assert.equal(rows.length, 17)
  assert.deepEqual(rows[0], { pid: 1, parentPid: 0, groupId: 1, sessionId: -1 })
  assert.deepEqual([...listProcessTree(rows, 4821)].sort(), [4821, 4822, 4830, 4831])
})
