import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { readIfPresent, readJson } from '#host/fs'
import { identify, type ProcessIdentity } from '#host/process'
import { acquireLease, holdsLease, readLeaseHolder, releaseLease } from '#session/lease'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const fixtures = path.join(import.meta.dirname, '../../fixtures/session')

async function self(): Promise<ProcessIdentity> {
  return (await identify(process.pid)) ?? assert.fail('this process does not know itself')
}

function start(program: string, argument: string, stdout: 'pipe' | 'inherit'): ChildProcess {
  return spawn(process.execPath, [path.join(fixtures, program), argument], {
    stdio: ['ignore', stdout, 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'dispatch-test-compiled') },
  })
}

/** A process that claims and stays; it is ended with the test. */
async function startHolder(t: TestContext, chain: string): Promise<{ child: ChildProcess; said: string }> {
  const child = start('holder.ts', chain, 'pipe')
  t.after(() => child.kill('SIGKILL'))
  const [said] = await once(child.stdout ?? assert.fail(), 'data')
  return { child, said: String(said).trim() }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  if (isRunning(child)) await exited
}

test('a second claimant is refused while the first lives', async t => {
  const chain = path.join(createScratchFolder(t), 'chain')
  const { child, said } = await startHolder(t, chain)
  assert.equal(said, '1')
  assert.equal(await acquireLease(chain, await self()), undefined)
  assert.equal(readLeaseHolder(chain)?.pid, child.pid)
})

test('what a killed holder held is taken over, with the next generation', async t => {
  const chain = path.join(createScratchFolder(t), 'chain')
  const { child } = await startHolder(t, chain)
  await end(child)
  assert.deepEqual(await acquireLease(chain, await self()), { generation: 2 })
})

test('a stopped holder is a living one: nobody takes over from it', async t => {
  const chain = path.join(createScratchFolder(t), 'chain')
  const { child } = await startHolder(t, chain)
  child.kill('SIGSTOP')
  if (process.platform === 'linux')
    await waitUntil(() => /^State:\tT/m.test(readIfPresent(`/proc/${child.pid}/status`) ?? ''), 'it stands still')
  for (let tries = 0; tries < 50; tries++) assert.equal(await acquireLease(chain, await self()), undefined)
  child.kill('SIGCONT')
  await end(child)
  assert.deepEqual(await acquireLease(chain, await self()), { generation: 2 })
})

test('what is released is free, also for the one who released it', async t => {
  const chain = createScratchFolder(t)
  const who = await self()
  const first = (await acquireLease(chain, who)) ?? assert.fail()
  assert.equal(await acquireLease(chain, who), undefined)
  releaseLease(chain, first)
  assert.equal(readLeaseHolder(chain), undefined)
  assert.ok(!holdsLease(chain, first))
  const second = (await acquireLease(chain, who)) ?? assert.fail()
  assert.deepEqual([second.generation, holdsLease(chain, second)], [2, true])
})

test('a generation that was passed holds nothing, and can free nothing', async t => {
  const chain = createScratchFolder(t)
  const gone = { pid: process.pid, startTime: 'another', bootId: 'another' }
  const stale = (await acquireLease(chain, gone)) ?? assert.fail()
  assert.ok(holdsLease(chain, stale))
  const fresh = (await acquireLease(chain, await self())) ?? assert.fail()
  assert.deepEqual([holdsLease(chain, stale), holdsLease(chain, fresh)], [false, true])
  releaseLease(chain, stale)
  assert.ok(holdsLease(chain, fresh))
  assert.equal(await acquireLease(chain, await self()), undefined)
})

test('a pid of another boot, or with another start, is a dead holder', async t => {
  const { pid, startTime, bootId } = await self()
  for (const other of [
    { pid, startTime, bootId: 'an earlier boot' },
    { pid, startTime: '1', bootId },
  ]) {
    const chain = createScratchFolder(t)
    await acquireLease(chain, other)
    assert.deepEqual(await acquireLease(chain, await self()), { generation: 2 })
  }
})

test('a generation nobody can read is not taken: it may be a living one', async t => {
  const chain = createScratchFolder(t)
  fs.writeFileSync(path.join(chain, '000000000007'), '{"pid":')
  assert.equal(await acquireLease(chain, await self()), undefined)
  assert.equal(readLeaseHolder(chain), undefined)
  assert.deepEqual(fs.readdirSync(chain), ['000000000007'])
})

test('names that are no generations are passed over, and no drafts are left', async t => {
  const chain = createScratchFolder(t)
  for (const name of ['7', '99999999999x', '.tmp-1', 'holder', '0000000000099'])
    fs.writeFileSync(path.join(chain, name), '')
  const claimed = (await acquireLease(chain, await self())) ?? assert.fail()
  assert.equal(claimed.generation, 1)
  assert.deepEqual(
    fs.readdirSync(chain).filter(name => name.startsWith('.tmp-') && name !== '.tmp-1'),
    [],
  )
})

test('old generations are cleared away, never the newest five', async t => {
  const chain = createScratchFolder(t)
  const who = await self()
  for (let times = 0; times < 30; times++) releaseLease(chain, (await acquireLease(chain, who)) ?? assert.fail())
  const generations = fs.readdirSync(chain).filter(name => !name.endsWith('.free'))
  assert.deepEqual(generations.map(Number), [26, 27, 28, 29, 30])
})

test('eight contenders, holders killed in their midst: nobody ever enters twice', { timeout: 3_600_000 }, async t => {
  const seconds = Number(process.env['TORTURE_SECONDS'] ?? 5)
  const folder = createScratchFolder(t)
  const history = path.join(folder, 'history')
  const crowd = new Map<number, ChildProcess>()
  const join = () => {
    const child = start('contender.ts', folder, 'inherit')
    if (child.pid !== undefined) crowd.set(child.pid, child)
  }
  t.after(() => crowd.forEach(child => void child.kill('SIGKILL')))
  for (let count = 0; count < 8; count++) join()
  await waitUntil(() => fs.existsSync(history) || undefined, 'somebody has entered', 60)
  const over = Date.now() + seconds * 1000
  let kills = 0
  while (Date.now() < over || kills < 3) {
    await new Promise(resolve => setTimeout(resolve, 3))
    const inside = readJson(path.join(folder, 'inside')) as ProcessIdentity | null | undefined
    const victim = inside ? crowd.get(inside.pid) : undefined
    if (!inside || !victim) continue
    crowd.delete(inside.pid)
    await end(victim)
    kills++
    join()
    await new Promise(resolve => setTimeout(resolve, 150)) // Others come in without being killed, too.
  }
  fs.writeFileSync(path.join(folder, 'over'), '')
  await Promise.all([...crowd.values()].map(child => (isRunning(child) ? once(child, 'exit') : undefined)))
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
    'and in their order',
  )
  assert.ok(generations.length > kills, `${generations.length} entries, ${kills} killed`)
  t.diagnostic(`${generations.length} entries, ${kills} holders killed`)
})
