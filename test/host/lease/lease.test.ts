import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { readIfPresent, readJson } from '#host/fs'
import { acquireLease, holdsLease, isLeaseFree, readLeaseHolder, releaseLease, renewLease } from '#host/lease'
import { identify, type ProcessIdentity } from '#host/process'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const fixtures = path.join(import.meta.dirname, '../../fixtures/session')

async function identifySelf(): Promise<ProcessIdentity> {
  return (await identify(process.pid)) ?? assert.fail('this process cannot be identified')
}

function start(program: string, argument: string, stdout: 'pipe' | 'inherit'): ChildProcess {
  return spawn(process.execPath, [path.join(fixtures, program), argument], {
    stdio: ['ignore', stdout, 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'dispatch-test-compiled') },
  })
}

/** Start a process that acquires the lease and keeps it until the test ends. */
async function startHolder(t: TestContext, folder: string): Promise<{ child: ChildProcess; output: string }> {
  const child = start('lease-holder.ts', folder, 'pipe')
  t.after(() => child.kill('SIGKILL'))
  const [output] = await once(child.stdout ?? assert.fail(), 'data')
  return { child, output: String(output).trim() }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  if (isRunning(child)) await exited
}

test('a second process cannot acquire the lease while the first lives', async t => {
  const folder = path.join(createScratchFolder(t), 'lease')
  const { child, output } = await startHolder(t, folder)
  assert.equal(output, '1')
  assert.equal(await acquireLease(folder, await identifySelf()), undefined)
  assert.equal(readLeaseHolder(folder)?.pid, child.pid)
})

test('the lease of a killed holder is acquired with the next generation', async t => {
  const folder = path.join(createScratchFolder(t), 'lease')
  const { child } = await startHolder(t, folder)
  await end(child)
  assert.deepEqual(await acquireLease(folder, await identifySelf()), { generation: 2 })
})

test('a holder that is stopped by a signal keeps its lease', async t => {
  const folder = path.join(createScratchFolder(t), 'lease')
  const { child } = await startHolder(t, folder)
  child.kill('SIGSTOP')
  if (process.platform === 'linux')
    await waitUntil(() => /^State:\tT/m.test(readIfPresent(`/proc/${child.pid}/status`) ?? ''), 'the holder to stop')
  for (let tries = 0; tries < 50; tries++) assert.equal(await acquireLease(folder, await identifySelf()), undefined)
  child.kill('SIGCONT')
  await end(child)
  assert.deepEqual(await acquireLease(folder, await identifySelf()), { generation: 2 })
})

test('a released lease can be acquired again, also by the same process', async t => {
  const folder = createScratchFolder(t)
  const self = await identifySelf()
  const first = (await acquireLease(folder, self)) ?? assert.fail()
  assert.equal(await acquireLease(folder, self), undefined)
  releaseLease(folder, first)
  assert.equal(readLeaseHolder(folder), undefined)
  assert.ok(!holdsLease(folder, first))
  const second = (await acquireLease(folder, self)) ?? assert.fail()
  assert.deepEqual([second.generation, holdsLease(folder, second)], [2, true])
})

test('a lease that could not be released is released with the next acquire of this process', async t => {
  const folder = createScratchFolder(t)
  const self = await identifySelf()
  const first = (await acquireLease(folder, self)) ?? assert.fail()
  const link = t.mock.method(fs, 'linkSync', () => {
    throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
  })
  releaseLease(folder, first)
  link.mock.restore()
  assert.ok(holdsLease(folder, first))
  await acquireLease(createScratchFolder(t), self)
  assert.ok(!holdsLease(folder, first), 'also with that of another lease')
  assert.deepEqual(await acquireLease(folder, self), { generation: 2 })
})

test('a draft that could not be written is not left', async t => {
  const folder = createScratchFolder(t)
  const write = fs.writeFileSync
  t.mock.method(fs, 'writeFileSync', (file: string) => {
    write(file, '')
    throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
  })
  await assert.rejects(acquireLease(folder, await identifySelf()), { code: 'ENOSPC' })
  assert.deepEqual(fs.readdirSync(folder), [])
})

test('an old generation does not hold the lease, and cannot release it', async t => {
  const folder = createScratchFolder(t)
  const deadProcess = { pid: process.pid, startTime: 'another', bootId: 'another' }
  const stale = (await acquireLease(folder, deadProcess)) ?? assert.fail()
  assert.ok(holdsLease(folder, stale))
  const fresh = (await acquireLease(folder, await identifySelf())) ?? assert.fail()
  assert.deepEqual([holdsLease(folder, stale), holdsLease(folder, fresh)], [false, true])
  releaseLease(folder, stale)
  assert.ok(holdsLease(folder, fresh))
  assert.equal(await acquireLease(folder, await identifySelf()), undefined)
})

test('a pid of another boot, or with another start time, is a dead holder', async t => {
  const { pid, startTime, bootId } = await identifySelf()
  for (const other of [
    { pid, startTime, bootId: 'an earlier boot' },
    { pid, startTime: '1', bootId },
  ]) {
    const folder = createScratchFolder(t)
    await acquireLease(folder, other)
    assert.deepEqual(await acquireLease(folder, await identifySelf()), { generation: 2 })
  }
})

test('a holder on another machine is never taken for dead, unless the lease may expire', async t => {
  const folder = createScratchFolder(t)
  const self = await identifySelf()
  const place = { hostName: 'attic', machine: 'another', pidNamespace: '' }
  await acquireLease(folder, { ...self, bootId: 'another', place })
  assert.equal(await acquireLease(folder, self), undefined)
  assert.equal(await acquireLease(folder, self, { elsewhereExpiresMs: 60_000 }), undefined)
  const acquired = path.join(folder, '000000000001')
  fs.utimesSync(acquired, new Date(), new Date(Date.now() - 61_000))
  assert.equal(await isLeaseFree(folder), false)
  assert.equal(await isLeaseFree(folder, { elsewhereExpiresMs: 60_000 }), true)
  renewLease(folder, { generation: 1 })
  assert.equal(await isLeaseFree(folder, { elsewhereExpiresMs: 60_000 }), false, 'its holder has given a sign of life')
  fs.utimesSync(acquired, new Date(), new Date(Date.now() - 61_000))
  assert.deepEqual(await acquireLease(folder, self, { elsewhereExpiresMs: 60_000 }), { generation: 2 })
  const before = fs.statSync(acquired).mtimeMs
  renewLease(folder, { generation: 1 })
  assert.equal(fs.statSync(acquired).mtimeMs, before, 'it is not its lease any more')
})

test('an unreadable generation is not replaced: its holder may live', async t => {
  const folder = createScratchFolder(t)
  fs.writeFileSync(path.join(folder, '000000000007'), '{"pid":')
  assert.equal(await acquireLease(folder, await identifySelf()), undefined)
  assert.equal(readLeaseHolder(folder), undefined)
  assert.deepEqual(fs.readdirSync(folder), ['000000000007'])
})

test('other files are ignored, and no drafts are left', async t => {
  const folder = createScratchFolder(t)
  for (const name of ['7', '99999999999x', '.tmp-1', 'holder', '0000000000099'])
    fs.writeFileSync(path.join(folder, name), '')
  const lease = (await acquireLease(folder, await identifySelf())) ?? assert.fail()
  assert.equal(lease.generation, 1)
  assert.deepEqual(
    fs.readdirSync(folder).filter(name => name.startsWith('.tmp-') && name !== '.tmp-1'),
    [],
  )
})

test('old generations are removed, but not the newest five', async t => {
  const folder = createScratchFolder(t)
  const self = await identifySelf()
  for (let times = 0; times < 30; times++) releaseLease(folder, (await acquireLease(folder, self)) ?? assert.fail())
  const generations = fs.readdirSync(folder).filter(name => !name.endsWith('.free'))
  assert.deepEqual(generations.map(Number), [26, 27, 28, 29, 30])
})

test('eight contenders and killed holders: each generation enters once', { timeout: 3_600_000 }, async t => {
  const seconds = Number(process.env['TORTURE_SECONDS'] ?? 0)
  const folder = createScratchFolder(t)
  const history = path.join(folder, 'history')
  const contenders = new Map<number, ChildProcess>()
  const startContender = () => {
    const child = start('lease-contender.ts', folder, 'inherit')
    if (child.pid !== undefined) contenders.set(child.pid, child)
  }
  t.after(() => contenders.forEach(child => void child.kill('SIGKILL')))
  for (let count = 0; count < 8; count++) startContender()
  await waitUntil(() => fs.existsSync(history) || undefined, 'the first entry')
  const countEntries = () => fs.readFileSync(history, 'utf8').split('\n').length
  const endAt = Date.now() + seconds * 1000
  let kills = 0
  while (Date.now() < endAt || kills < 10) {
    await new Promise(resolve => setTimeout(resolve, 3))
    const inside = readJson(path.join(folder, 'inside')) as ProcessIdentity | null | undefined
    const victim = inside ? contenders.get(inside.pid) : undefined
    if (!inside || !victim) continue
    contenders.delete(inside.pid)
    await end(victim)
    kills++
    startContender()
    const entries = countEntries()
    await waitUntil(() => countEntries() > entries + 5, 'others enter and leave without being killed')
  }
  fs.writeFileSync(path.join(folder, 'stop'), '')
  await Promise.all([...contenders.values()].map(child => (isRunning(child) ? once(child, 'exit') : undefined)))
  const lines = fs.readFileSync(history, 'utf8').trim().split('\n')
  assert.deepEqual(
    lines.filter(line => !line.startsWith('entered ')),
    [],
  )
  const generations = lines.map(line => Number(line.split(' ')[1]))
  assert.equal(new Set(generations).size, generations.length, 'each generation entered once')
  assert.deepEqual(
    generations,
    [...generations].sort((a, b) => a - b),
    'in their order',
  )
  assert.ok(generations.length > kills, `${generations.length} entries, ${kills} killed`)
  t.diagnostic(`${generations.length} entries, ${kills} holders killed`)
})
