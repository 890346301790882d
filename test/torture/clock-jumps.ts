/**
 * Sessions whose clock jumps, by libfaketime: only processes of the test see it. A jump ends nothing, wakes nothing too early,
 * and leaves the order of the events. CLOCK_SECONDS says for how long; without it, each jump comes once.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { helloTask, honestWorkerTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario } from '#rehearsal/scenario.ts'
import type { Event } from '#session/log'
import { createRandom } from '../fixtures/scratch.ts'
import {
  createTortureFolder,
  type Lab,
  openLab,
  prepareInstall,
  requireSoundRecord,
  robustScenario,
} from './kill-lab.ts'

const seconds = Number(process.env['CLOCK_SECONDS'] ?? 0)
const random = createRandom(Number(process.env['CLOCK_SEED'] ?? 1))
const library = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map(name => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
  .find(file => fs.existsSync(file))

/** Two hours either way, a day back, and what a change to and from summer time would be if it moved the clock. */
const jumps = ['+2h', '-2h', '-1d', '+1h', '-1h', '+30d']
const moments: Event['type'][] = ['orchestrator.started', 'worker.started', 'worker.ended', 'judging.started']
/** What a clock that jumps must not cause. */
const falseAlarms: Event['type'][] = [
  'deadline.passed',
  'human.needed',
  'machine.slept',
  'orchestrator.stuck',
  'start.failed',
  'time-limit.reached',
  'worker.interrupted',
]

test('a session whose clock jumps reaches its verdict, and nothing is taken for late', async t => {
  if (skipsWithoutLibrary(t)) return
  const endsAtMs = Date.now() + seconds * 1000
  let count = 0
  do {
    for (const jump of jumps) {
      if (seconds > 0 && Date.now() > endsAtMs) break
      const moment = moments[Math.floor(random() * moments.length)] ?? 'worker.started'
      await t.test(`${jump} after ${moment}`, () =>
        withClock(async (lab, setClock) => {
          const starting = lab.dispatch([helloTask, '--json'])
          await waitForEvent(lab, moment)
          setClock(jump)
          const started = await starting
          assert.equal(started.exitCode, 0, started.stderr)
          const { id } = lab.rig.readSession()
          const waited = await lab.dispatch(['wait', id, '--json'])
          assert.equal(waited.exitCode, 0, `${waited.stderr}\n${describe(lab)}`)
          await requireCalm(lab, id)
          // A fast session may have had its verdict before the clock jumped. Its end comes after that.
          assert.equal((await lab.dispatch(['stop', id])).exitCode, 0)
          const last = lab.rig.readEvents(id).findLast(({ type }) => type === 'session.closed')
          assert.ok(last)
          if (jump.startsWith('+'))
            assert.ok(Date.parse(last.time) > Date.now() + 1_800_000, `the runner has seen the jump\n${describe(lab)}`)
        }),
      )
      count++
    }
  } while (Date.now() < endsAtMs)
  t.diagnostic(`${count} jumps of the clock`)
})

test('a runner that dies after the clock was set back gets its successor, and a living one keeps its session', async t => {
  if (skipsWithoutLibrary(t)) return
  await withClock(
    async (lab, setClock) => {
      const started = await lab.dispatch([helloTask, '--json'])
      assert.equal(started.exitCode, 0, started.stderr)
      const { id } = lab.rig.readSession()
      for (const jump of ['+30d', '-1d']) {
        setClock(jump)
        const resumed = await lab.dispatch(['resume', id])
        assert.match(resumed.stdout, /runs already/, `${jump}: ${resumed.stdout}${resumed.stderr}`)
      }
      const [runner] = lab.rig.listRunners()
      assert.ok(runner)
      process.kill(runner.pid, 'SIGKILL')
      const count = () => lab.rig.readEvents().filter(({ type }) => type === 'runner.started').length
      await lab.rig.waitUntil('its successor', () => count() === 2)
      await requireCalm(lab, id)
    },
    { orchestrator: [bash(':'), { hang: true }] },
  )
})

test('a session parked by a usage limit goes on when the wall clock says so, and before that its deadline is not missed', async t => {
  if (skipsWithoutLibrary(t)) return
  const resetHour = new Date(Date.now() + 3 * 3_600_000).getUTCHours()
  const reason = `You've hit your Opus limit · resets ${resetHour % 12 || 12}${resetHour < 12 ? 'am' : 'pm'} (UTC)`
  let attempts = 0
  const worker = () =>
    ++attempts === 1 ? { refuse: 429, kind: 'rate_limit_error', reason } : put('hello.sh', 'echo hello')
  await withClock(
    async (lab, setClock) => {
      const deadline = new Date(Date.now() + 12 * 3_600_000).toISOString()
      const started = await lab.dispatch([helloTask, '--deadline', deadline, '--json'])
      assert.equal(started.exitCode, 0, started.stderr)
      const { id } = lab.rig.readSession()
      await waitForEvent(lab, 'worker.parked')
      for (const jump of ['-1d', '-2h']) {
        setClock(jump)
        await lab.rig.waitForTick()
        assert.equal(attempts, 1, `${jump}: it waits`)
      }
      setClock('+5h')
      const waited = await lab.dispatch(['wait', id, '--json'])
      assert.equal(waited.exitCode, 0, `${waited.stderr}\n${describe(lab)}`)
      assert.ok(attempts > 1)
      await requireCalm(lab, id)
    },
    { workers: { '*': [worker, ...honestWorkerTurns.slice(1)] } },
  )
})

test('a deadline passes once by the clock of the wall, however often that is set', async t => {
  if (skipsWithoutLibrary(t)) return
  await withClock(
    async (lab, setClock) => {
      const deadline = new Date(Date.now() + 3 * 3_600_000).toISOString()
      const started = await lab.dispatch([helloTask, '--deadline', deadline, '--json'])
      assert.equal(started.exitCode, 0, started.stderr)
      const count = () => lab.rig.readEvents().filter(({ type }) => type === 'deadline.passed').length
      setClock('-1d')
      await lab.rig.waitForTick()
      assert.equal(count(), 0)
      for (const jump of ['+4h', '-1d', '+5h']) {
        setClock(jump)
        await waitForEvent(lab, 'deadline.passed')
        await lab.rig.waitForTick()
        assert.equal(count(), 1, jump)
      }
    },
    { orchestrator: [bash(':'), { hang: true }] },
  )
})

test('an item of the queue starts at its time, by the clock of the wall', async t => {
  if (skipsWithoutLibrary(t)) return
  await withClock(async (lab, setClock) => {
    const at = new Date(Date.now() + 3 * 3_600_000).toISOString().slice(0, 16)
    const queued = await lab.dispatch(['later', helloTask, '--at', `${at}Z`, '--json'])
    assert.equal(queued.exitCode, 0, queued.stderr)
    const { id } = JSON.parse(queued.stdout) as { id: string }
    const readState = async () => {
      const ran = await lab.dispatch(['queue', 'show', id, '--json'])
      return (JSON.parse(ran.stdout) as { state: string }).state
    }
    setClock('-1d')
    await lab.dispatch(['watchdog'])
    assert.equal(await readState(), 'waiting')
    setClock('+4h')
    for (const endMs = Date.now() + 90_000; (await readState()) === 'waiting'; )
      assert.ok(Date.now() < endMs, 'it does not start')
    assert.ok(['starting', 'running', 'done'].includes(await readState()))
  })
})

const install = createTortureFolder()
const preparing = library === undefined ? undefined : prepareInstall(install, 'clock-probe.mjs')
after(() => fs.rmSync(install, { recursive: true, force: true }))

/** A lab whose programs of dispatch see the clock of a file. */
async function withClock(
  run: (lab: Lab, setClock: (offset: string) => void) => Promise<void>,
  changes: Partial<Scenario> = {},
): Promise<void> {
  const lab = await openLab(await preparing, {}, { ...robustScenario, ...changes })
  const file = path.join(lab.rig.home, 'clock')
  const setClock = (offset: string) => {
    fs.writeFileSync(`${file}.new`, `${offset}\n`)
    fs.renameSync(`${file}.new`, file)
  }
  setClock('+0')
  try {
    await run(lab, setClock)
  } finally {
    await lab.close()
  }
}

async function waitForEvent(lab: Lab, type: Event['type']): Promise<void> {
  const isThere = () => {
    try {
      return lab.rig.readEvents().some(event => event.type === type)
    } catch {
      return false // There is no session yet.
    }
  }
  await lab.rig.waitUntil(type, isThere)
}

/** Nothing was taken for late, the events are in their order, and no time that a person reads is negative. */
async function requireCalm(lab: Lab, id: string): Promise<void> {
  const events = lab.rig.readEvents(id)
  assert.deepEqual(
    events.filter(({ type }) => falseAlarms.includes(type)),
    [],
  )
  const times = events.map(({ time }) => time)
  assert.deepEqual(times, times.toSorted())
  await requireSoundRecord(lab.rig, id)
  for (const args of [['ls'], ['show', id], ['logs', id], ['cost', id], ['queue']]) {
    const ran = await lab.dispatch(args)
    assert.equal(ran.exitCode, 0, `${args.join(' ')}: ${ran.stderr}`)
    assert.doesNotMatch(ran.stdout, /(^|\s)-\d+(:\d\d| ?(s|min|h|d)\b)|NaN|Invalid Date/, args.join(' '))
  }
}

function describe(lab: Lab): string {
  return lab.rig
    .readEvents()
    .map(event => JSON.stringify({ ...event, prev: undefined }).slice(0, 200))
    .join('\n')
}

function skipsWithoutLibrary(t: TestContext): boolean {
  if (library === undefined) t.skip('libfaketime is not installed: apt-get install libfaketime')
  return library === undefined
}
