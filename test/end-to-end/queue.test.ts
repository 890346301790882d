/** Tasks that wait for their turn, the daemon that starts them, and a pause. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { closeLongestFinished } from '#cli/queue/free-memory.ts'
import { readConfig } from '#host/config'
import { openQueue } from '#queue'
import { helloTask } from '#rehearsal/hello.ts'
import { listSessions } from '#session'
import { readView } from '#session/status'
import { listQueue } from '../fixtures/list-queue.ts'
import { createItem } from '../fixtures/queue-contract.ts'
import { helloScenario, idleScenario, queueSettings, type Rig, withRig } from '../fixtures/rig.ts'
import { waitForDaemon } from '../fixtures/wait-for-daemon.ts'

interface QueuedItem {
  id: string
  state: string
  reason: string
  attempt: number
  sessionId: string | null
}

const readQueue = async (rig: Rig, ...args: string[]) => {
  const ran = await rig.dispatch(['queue', '--json', ...args])
  assert.equal(ran.exitCode, 0, ran.stderr)
  return JSON.parse(ran.stdout) as { items: QueuedItem[]; heldBackBy: string | null }
}
const listRigSessions = (rig: Rig) => listSessions(path.join(rig.home, 'dispatch/workspace'))
/** It reads the queue itself: `dispatch queue` again and again would take processor time from what it waits for. */
const waitForQueue = (rig: Rig, what: string, check: (items: Pick<QueuedItem, 'id' | 'state'>[]) => boolean) =>
  rig.waitUntil(what, async () => check(await listQueue(path.join(rig.home, 'dispatch'))))
/** Wait until the daemon has looked at the queue once more. It takes such a file before each look. */
async function waitForLook(rig: Rig): Promise<void> {
  for (const name of ['0-first', '0-second']) {
    const file = path.join(rig.home, 'dispatch/external-events', name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, '{}')
    await rig.waitUntil('a look of the daemon', () => !fs.existsSync(file))
  }
}

describe('a queue', { concurrency: 2 }, () => {
  it('starts one after the other under a cap, and each once', () =>
    withRig(
      helloScenario,
      async rig => {
        for (const priority of ['low', 'high']) {
          const ran = await rig.dispatch(['later', helloTask, '--no-repo', '--priority', priority])
          assert.equal(ran.exitCode, 0, ran.stderr)
          assert.match(ran.stdout, /^q-\d {2}/)
        }
        const last = await rig.dispatch(['later', helloTask, '--no-repo', '--after', 'q-1', '--json'])
        assert.equal(JSON.parse(last.stdout).id, 'q-3')
        await waitForQueue(rig, 'all are done', items => items.every(({ state }) => state === 'done'))
        const views = await Promise.all(listRigSessions(rig).map(readView))
        assert.deepEqual(
          views.map(({ state }) => state),
          ['PASS', 'PASS', 'PASS'],
        )
        const times = views.map(({ session: { manifest }, status }) => {
          assert.equal(manifest.queueItem?.attempt, 1)
          const provedAt = status.verdict?.time ?? assert.fail('no verdict')
          return { item: manifest.queueItem.item, from: manifest.openedAt, provedAt }
        })
        const byItem = (item: string) => times.find(each => each.item === item) ?? assert.fail(item)
        assert.ok(byItem('q-3').from > byItem('q-1').provedAt, 'q-3 comes after q-1')
        assert.match((await rig.dispatch(['queue'])).stdout, /queue is empty/)
        const oldest = times.toSorted((a, b) => (a.provedAt < b.provedAt ? -1 : 1))[0]
        const closed = await closeLongestFinished(readConfig(rig.environment), views)
        const { status } = await readView(rig.readSession(closed ?? assert.fail('none is closed')))
        assert.deepEqual([status.closed?.actor, status.phase], ['dispatch', 'PASS'])
        assert.equal(rig.readSession(closed).manifest.queueItem?.item, oldest?.item)
        assert.match((await rig.dispatch(['logs', 'daemon'])).stdout, /q-1: started 2\S+[\s\S]*q-1: done, PASS/)
        const shown = (await rig.dispatch(['queue', 'show', 'q-2'])).stdout
        assert.match(shown, /state +done[\s\S]*why +PASS[\s\S]*next +dispatch apply/)
      },
      { MAX_SESSIONS: '1', ...queueSettings }, // A session with a verdict is still open, and takes no place.
    ))

  it('a pause is obeyed by every way to start, and --force is recorded', () =>
    withRig(
      idleScenario,
      async rig => {
        const paused = await rig.dispatch(['pause', '--reason', 'holiday'])
        assert.equal(paused.exitCode, 0, paused.stderr)
        const refused = await rig.dispatch(['do it', '--no-repo'])
        assert.equal(refused.exitCode, 5)
        assert.match(refused.stderr, /dispatch is paused: holiday\n.*dispatch unpause.*--force/)
        const queued = await rig.dispatch(['do it', '--no-repo', '--queue'])
        assert.match(queued.stdout, /nothing starts now: paused \(holiday\)/)
        const forced = await rig.dispatch(['do it', '--no-repo', '--force'])
        assert.equal(forced.exitCode, 0, forced.stderr)
        assert.ok(rig.readSession().manifest.startedDespitePause)
        // What another command has no option for is not named.
        const resumed = await rig.dispatch(['resume', rig.readSession().id])
        assert.match(resumed.stderr, /dispatch unpause.*--force(?!.*later)/)
        const smoke = await rig.dispatch(['smoke-test', '--yes'])
        assert.equal(smoke.exitCode, 5)
        assert.match(smoke.stderr, /dispatch unpause(?!.*(--force|later))/)
        assert.equal((await readQueue(rig)).items[0]?.state, 'waiting')
        const unpause = async () => JSON.parse((await rig.dispatch(['unpause', '--json'])).stdout)
        assert.deepEqual([await unpause(), await unpause()], [{ wasPaused: true }, { wasPaused: false }])
        await waitForQueue(rig, 'it starts', items => items[0]?.state === 'running')
        assert.equal(listRigSessions(rig).length, 2)

        const [item] = (await readQueue(rig)).items
        const sid = item?.sessionId ?? assert.fail()
        for (const again of [true, false]) {
          assert.equal((await rig.dispatch(['stop', sid])).exitCode, 0)
          await waitForQueue(rig, 'it is cancelled', items => items[0]?.state === 'cancelled')
          if (again) assert.equal((await rig.dispatch(['resume', sid])).exitCode, 0)
          assert.equal((await readQueue(rig, '--all')).items[0]?.state, again ? 'running' : 'cancelled')
        }
      },
      queueSettings,
    ))

  it('a daemon that is killed at any time loses and doubles nothing', () =>
    withRig(
      idleScenario,
      async rig => {
        for (let item = 0; item < 4; item++) {
          assert.equal((await rig.dispatch(['later', `task ${item}`, '--no-repo'])).exitCode, 0)
          const daemon = await waitForDaemon(rig)
          await new Promise(resolve => setTimeout(resolve, 150 * item)) // Another moment of a start each time.
          process.kill(daemon, 'SIGKILL')
        }
        assert.equal((await rig.dispatch(['later', 'the last', '--no-repo'])).exitCode, 0)
        await waitForQueue(
          rig,
          'all run',
          items => items.length === 5 && items.every(({ state }) => state === 'running'),
        )
        const { items } = await readQueue(rig)
        const started = listRigSessions(rig).map(({ id, manifest }) => ({ id, ...manifest.queueItem }))
        assert.equal(new Set(started.map(({ item }) => item)).size, started.length, JSON.stringify(started))
        for (const { id, sessionId } of items)
          assert.equal(started.find(({ item }) => item === id)?.id, sessionId ?? '', id)
      },
      { ...queueSettings, MAX_SESSIONS_PROJECT: '9' },
    ))

  it('what cannot start says why, and does not block the rest', () =>
    withRig(
      idleScenario,
      async rig => {
        const home = path.join(rig.home, 'dispatch')
        const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
        const work = { priority: 'default', needs: [], notBefore: null, after: [], source: 'test' } as const
        const task = Buffer.from('do it')
        await queue.enqueue([
          { ...work, repository: '/gone', task, title: 'a', options: ['--repo', '/gone'], needs: [], after: [] },
          { ...work, repository: null, task, title: 'b', options: ['--no-repo'], needs: [], after: [] },
        ])
        queue.close()
        assert.equal((await rig.dispatch(['later', 'third', '--no-repo'])).exitCode, 0)
        await waitForQueue(rig, 'the first needs a person', items => items.some(({ state }) => state === 'needs you'))
        await waitForQueue(
          rig,
          'the others run',
          items => items.filter(({ state }) => state === 'running').length === 2,
        )
        const { items } = await readQueue(rig)
        assert.match(items.find(({ id }) => id === 'q-1')?.reason ?? '', /did not start: .*\/gone/)
        const needy = await rig.dispatch(['later', 'fourth', '--no-repo', '--needs', 'gpu'])
        assert.match(needy.stdout, /it does not start now: needs gpu, which CAPABILITIES/)
        assert.match((await rig.dispatch(['queue'])).stdout, /waiting +q-4 .*needs gpu/)
        assert.equal((await rig.dispatch(['queue', 'again', 'q-2'])).exitCode, 5)
        assert.equal((await rig.dispatch(['queue', 'rm', 'q-1'])).exitCode, 0)
        assert.equal((await rig.dispatch(['queue', 'rm', 'q-1'])).exitCode, 5)
        assert.equal((await rig.dispatch(['queue', 'show', 'q-9'])).exitCode, 4)
        assert.equal((await rig.dispatch(['queue', 'move', 'q-3', '--priority', 'urgent'])).exitCode, 2)
      },
      queueSettings,
    ))

  it('a session that the queue started sees each later change of `.env`', () =>
    withRig(
      idleScenario,
      async rig => {
        assert.equal((await rig.dispatch(['later', 'do it', '--no-repo'])).exitCode, 0)
        await waitForQueue(rig, 'it runs', items => items[0]?.state === 'running')
        fs.appendFileSync(path.join(rig.home, 'dispatch/.env'), 'SESSION_TIMEOUT_SEC=1\n')
        await rig.waitUntil('it stops and asks', () => /SESSION_TIMEOUT_SEC=1/.test(rig.readStatus().problem ?? ''))
      },
      queueSettings,
    ))

  it('nothing starts while `.env` has a mistake, and no attempt is lost to it, or to a deadline', () =>
    withRig(
      idleScenario,
      async rig => {
        const home = path.join(rig.home, 'dispatch')
        const [file, log] = [path.join(home, '.env'), path.join(home, 'logs/daemon.log')]
        assert.equal((await rig.dispatch(['later', 'do it', '--no-repo', '--at', '2036-01-01T00:00'])).exitCode, 0)
        await waitForLook(rig)
        const settings = fs.readFileSync(file, 'utf8')
        fs.writeFileSync(file, `${settings}SESSION_TIMEOUT=1\n`)
        await rig.waitUntil('the daemon has seen it', () => /SESSION_TIMEOUT is no/.test(fs.readFileSync(log, 'utf8')))
        const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
        await queue.enqueue([
          createItem({ repository: null, options: ['--no-repo', '--deadline', '2026-01-01T06:30:00.000Z'] }),
        ])
        queue.close()
        await waitForLook(rig)
        assert.partialDeepStrictEqual(await listQueue(home), [{ id: 'q-1' }, { state: 'waiting', attempt: 0 }])
        fs.writeFileSync(file, settings)
        await waitForQueue(rig, 'it runs', items => items[1]?.state === 'running')
        await rig.waitUntil('its deadline has passed', () => rig.readStatus().isPastDeadline)
      },
      queueSettings,
    ))

  it('after `stop --all`, the next command after which something goes on starts the daemon', () =>
    withRig(
      idleScenario,
      async rig => {
        assert.equal((await rig.dispatch(['do it', '--no-repo'])).exitCode, 0)
        assert.equal((await rig.dispatch(['later', 'do it', '--no-repo', '--at', '2036-01-01T00:00'])).exitCode, 0)
        for (const args of [['queue', 'move', 'q-1', '--first'], ['unpause'], ['resume', rig.readSession().id]]) {
          const daemon = await waitForDaemon(rig)
          assert.equal((await rig.dispatch(['stop', '--all'])).exitCode, 0)
          const ran = await rig.dispatch(args)
          assert.equal(ran.exitCode, 0, ran.stderr)
          assert.notEqual(await waitForDaemon(rig), daemon)
        }
        assert.equal((await rig.dispatch(['stop', '--all'])).exitCode, 0)
        assert.equal((await rig.dispatch(['queue', 'rm', 'q-1'])).exitCode, 0)
        assert.deepEqual(
          rig.listProcesses().filter(({ command }) => / daemon$/.test(command)),
          [],
          'what is taken out starts nothing',
        )
      },
      queueSettings,
    ))

  it('`stop --all` starts nothing of what waits, also where something is just starting', () =>
    withRig(
      idleScenario,
      async rig => {
        for (const task of ['one', 'two', 'three'])
          assert.equal((await rig.dispatch(['later', task, '--no-repo'])).exitCode, 0)
        for (const [tried, state] of [
          [1, 'running'],
          [2, 'starting'],
        ] as const) {
          await waitForQueue(rig, `an item is ${state}`, items => items.some(item => item.state === state))
          assert.equal((await rig.dispatch(['stop', '--all'])).exitCode, 0)
          await rig.waitUntil('every process has ended', () => rig.listProcesses().length === 0)
          const items = await listQueue(path.join(rig.home, 'dispatch'))
          assert.equal(items.filter(({ attempt }) => attempt > 0).length, tried)
          assert.ok(items.every(item => item.state !== 'starting'))
          await rig.dispatch(['queue', 'move', 'q-3', '--first'])
        }
      },
      { ...queueSettings, MAX_SESSIONS: '1' },
    ))

  it('the daemon of a machine that is gone is replaced when a person says so', () =>
    withRig(
      idleScenario,
      async rig => {
        const home = path.join(rig.home, 'dispatch')
        assert.equal((await rig.dispatch(['later', 'do it', '--no-repo', '--at', '2036-01-01T00:00'])).exitCode, 0)
        const first = await waitForDaemon(rig)
        const place = { hostName: 'attic', machine: 'another', pidNamespace: 'another' }
        const elsewhere = { pid: 17, startTime: '1', bootId: 'another', place }
        fs.writeFileSync(path.join(home, 'daemon/000000000099'), JSON.stringify(elsewhere))
        await rig.waitUntil('the first one ends', () => rig.listProcesses().every(({ pid }) => pid !== first))
        const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
        await queue.enqueue([createItem({ repository: null, options: ['--no-repo'] })])
        const limits = { capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 1 }
        assert.equal((await queue.claim({ process: elsewhere, ...limits })).length, 1)
        queue.close()
        const remedy = /If attic is gone for good: dispatch daemon --restart --host-gone/
        assert.match((await rig.dispatch(['queue'])).stdout, /daemon of this home runs on attic.*--host-gone/)
        const refused = await rig.dispatch(['daemon', '--restart'])
        assert.deepEqual([refused.exitCode, remedy.test(refused.stderr)], [5, true], refused.stderr)
        assert.equal((await rig.dispatch(['daemon', '--host-gone'])).exitCode, 2)
        const ran = await rig.dispatch(['daemon', '--restart', '--host-gone'])
        assert.equal(ran.exitCode, 0, ran.stderr)
        await waitForQueue(rig, 'what was starting there starts', items => items[1]?.state === 'running')
      },
      queueSettings,
    ))

  it('what a start would refuse is refused at once', () =>
    withRig(idleScenario, async rig => {
      for (const [args, exitCode] of [
        [['later', ''], 2],
        [['later', 'do it', '--no-repo', '--priority', 'urgent'], 2],
        [['later', 'do it', '--no-repo', '--at', 'soon'], 2],
        [['later', 'do it', '--no-repo', '--after', 'q-7'], 4],
        [['later', 'do it', '--no-repo', '--after', 'none'], 4],
        [['later', 'do it', '--no-repo', '--needs', 'a b'], 2],
        [['later', 'do it', '--no-repo', '--sandbox', 'maybe'], 2],
        [['later', 'do it', '--repo', '/nowhere'], 2],
        [['queue', 'jump'], 2],
        [['queue', 'show'], 2],
      ] as const) {
        const ran = await rig.dispatch([...args])
        assert.equal(ran.exitCode, exitCode, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
      }
      const byAgent = await rig.dispatch(['later', 'do it', '--no-repo'], { env: { DISPATCH_SESSION: 'x' } })
      assert.equal(byAgent.exitCode, 5)
      assert.deepEqual((await readQueue(rig)).items, [])
    }))
})
