/**
 * Whole sessions, with the real claude and scripted models, whose runner is killed at random moments. The successor always
 * reaches the verdict, nothing is done twice, and no process is left. KILLED_SECONDS says for how long, KILLED_SEED from
 * which numbers; without them it is one session.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadScenario } from '#rehearsal/rehearse.ts'
import { auditSession } from '#session/audit'
import { openRig, type Rig } from '../fixtures/rig.ts'
import { createRandom } from '../fixtures/scratch.ts'

const seed = Number(process.env['KILLED_SEED'] ?? 1)
const seconds = Number(process.env['KILLED_SECONDS'] ?? 0)

/** Who is played, and how many events a session of it has, more or less: that is where its moments are drawn from. */
const plays = { 'smart-quotes': 24, 'two-code-workers': 36, 'fibonacci-in-javascript': 52, 'worker-lies': 48 }

interface Round {
  name: string
  /** Each kill: so many milliseconds after so many events. */
  moments: { after: number; wait: number }[]
}

test('a session whose runners are killed at random moments reaches its verdict all the same', async t => {
  const over = Date.now() + seconds * 1000
  const lengths: number[] = []
  let [begun, kills] = [0, 0]
  const lane = async () => {
    do {
      const number = begun++
      const round = drawRound(number)
      const began = Date.now()
      await t.test(`${number}: ${describeRound(round)}`, async () => {
        kills += await runKilledSession(round)
      })
      lengths.push(Math.round((Date.now() - began) / 1000))
    } while (Date.now() < over)
  }
  await Promise.all(seconds > 0 ? [lane(), lane()] : [lane()])
  t.diagnostic(`${begun} sessions, ${kills} runners killed`)
  t.diagnostic(`the longest session took ${Math.max(...lengths)} s`)
})

function drawRound(number: number): Round {
  const random = createRandom(seed + number)
  const names = Object.entries(plays)
  const [name, events] = names[Math.floor(random() * names.length)] ?? assert.fail()
  const moments = Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
    after: 1 + Math.floor(random() * events),
    wait: Math.floor(random() * 1500),
  }))
  return { name, moments: moments.sort((a, b) => a.after - b.after) }
}

function describeRound({ name, moments }: Round): string {
  return `${name}, killed ${moments.map(({ after, wait }) => `${wait} ms after event ${after}`).join(', ')}`
}

/** Play one session, kill its runners, and hold what it came to against what it may come to. Answers how many were killed. */
async function runKilledSession({ name, moments }: Round): Promise<number> {
  const scenario = await loadScenario(name)
  const rig = await openRig(scenario)
  const said: string[] = []
  try {
    const starting = rig.dispatch(['--no-repo', '--', scenario.task]).then(ran => {
      said.push(`dispatch: exit ${ran.exitCode}\n${ran.stdout}${ran.stderr}`)
      return ran
    })
    const killed: number[] = []
    for (const { after, wait } of moments) {
      await rig.waitUntil(`event ${after}`, () => eventsOf(rig).length >= after || isOver(rig), 150)
      await sleep(wait)
      const runner = await rig.waitUntil('there is a runner to be killed', () => runnerOf(rig, killed), 60)
      process.kill(runner, 'SIGKILL')
      killed.push(runner)
      said.push(`killed ${runner} behind event ${eventsOf(rig).length}`)
    }
    const { exitCode } = await starting
    assert.equal(exitCode, 0)
    const ran = await rig.dispatch(['wait', '--json'])
    said.push(`wait: exit ${ran.exitCode}\n${ran.stdout}${ran.stderr}`)
    assert.ok(scenario.endStates.includes(JSON.parse(ran.stdout).state))
    assertNothingTwice(rig, killed.length)
    const { isSound, problems } = await auditSession(rig.readSession().paths.folder)
    assert.ok(isSound, JSON.stringify(problems))
    return killed.length
  } catch (error) {
    throw new Error(`${error}\n${said.join('\n')}\n${storyOf(rig)}`, { cause: error })
  } finally {
    await rig.close().finally(() => {
      for (const { pid } of rig.listProcesses()) end(pid)
    })
  }
}

/** One number for each event, one start for each worker, one token for each grant, and no more runners than deaths ask for. */
function assertNothingTwice(rig: Rig, kills: number): void {
  const events = rig.readEvents()
  const numbers = events.map(({ seq }) => seq)
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => at + 1),
  )
  const once = (things: (string | number)[]) => assert.equal(new Set(things).size, things.length)
  once(events.flatMap(event => (event.type === 'worker.started' ? [event.worker] : [])))
  once(events.flatMap(event => (event.type === 'worker.ended' ? [event.worker] : [])))
  once(events.flatMap(event => (event.type === 'lock.granted' ? [event.fencingToken] : [])))
  once(events.flatMap(event => (event.type === 'verdict.given' ? [event.round] : [])))
  const runners = events.flatMap(event => (event.type === 'runner.started' ? [event.generation] : []))
  once(runners)
  assert.ok(runners.length <= kills + 1)
}

function eventsOf(rig: Rig) {
  try {
    return rig.readEvents()
  } catch {
    return [] // There is no session yet.
  }
}

function isOver(rig: Rig): boolean {
  return eventsOf(rig).some(event => event.type === 'verdict.given' && event.isFinal)
}

/** The runner that has claimed the session last, if it lives and was not killed already. */
function runnerOf(rig: Rig, killed: number[]): number | undefined {
  const last = eventsOf(rig).findLast(event => event.type === 'runner.started')
  return rig.listRunners().find(({ pid }) => pid === last?.pid && !killed.includes(pid))?.pid
}

function storyOf(rig: Rig): string {
  const running = rig.listProcesses().map(({ pid, command }) => `${pid} ${command}`.slice(0, 120))
  const events = eventsOf(rig).map(event => JSON.stringify(event).slice(0, 160))
  return [...events, ...running].join('\n')
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    return // It has gone by itself.
  }
}
