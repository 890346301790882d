/**
 * Whole sessions, with the real claude and scripted models, whose runner is killed at random moments. The next runner always
 * reaches the verdict, nothing is done twice, and no process is left. KILLED_SECONDS says for how long, KILLED_SEED seeds the
 * moments; without them it is one session.
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
const MAX_KILLS_OF_SESSION = 3
const MAX_DELAY_MS = 1500

/** Scenarios, and how many events a session of each has, roughly. */
const eventCounts = { 'smart-quotes': 24, 'two-code-workers': 36, 'fibonacci-in-javascript': 52, 'worker-lies': 48 }

interface Round {
  scenarioName: string
  /** When to kill: `delayMs` after event number `event`. */
  kills: { event: number; delayMs: number }[]
}

test('a session whose runner is killed at random moments reaches its verdict', async t => {
  const endsAtMs = Date.now() + seconds * 1000
  const durations: number[] = []
  let [sessions, kills] = [0, 0]
  const runSessions = async () => {
    do {
      const number = sessions++
      const round = drawRound(number)
      const startedMs = Date.now()
      await t.test(`${number}: ${describeRound(round)}`, async () => {
        kills += await runKilledSession(round)
      })
      durations.push(Math.round((Date.now() - startedMs) / 1000))
    } while (Date.now() < endsAtMs)
  }
  await Promise.all(seconds > 0 ? [runSessions(), runSessions()] : [runSessions()])
  t.diagnostic(`${sessions} sessions, ${kills} runners killed`)
  t.diagnostic(`the longest session took ${Math.max(...durations)} s`)
})

function drawRound(number: number): Round {
  const random = createRandom(seed + number)
  const scenarios = Object.entries(eventCounts)
  const [scenarioName, events] = scenarios[Math.floor(random() * scenarios.length)] ?? assert.fail()
  const kills = Array.from({ length: 1 + Math.floor(random() * MAX_KILLS_OF_SESSION) }, () => ({
    event: 1 + Math.floor(random() * events),
    delayMs: Math.floor(random() * MAX_DELAY_MS),
  }))
  return { scenarioName, kills: kills.sort((a, b) => a.event - b.event) }
}

function describeRound({ scenarioName, kills }: Round): string {
  return `${scenarioName}, killed ${kills.map(({ event, delayMs }) => `${delayMs} ms after event ${event}`).join(', ')}`
}

/** Run one session, kill its runners, and check its end. Returns how many runners were killed. */
async function runKilledSession({ scenarioName, kills }: Round): Promise<number> {
  const scenario = await loadScenario(scenarioName)
  const rig = await openRig(scenario)
  const history: string[] = []
  try {
    const starting = rig.dispatch(['--no-repo', '--', scenario.task]).then(ran => {
      history.push(`dispatch: exit ${ran.exitCode}\n${ran.stdout}${ran.stderr}`)
      return ran
    })
    const killed: number[] = []
    for (const { event, delayMs } of kills) {
      await rig.waitUntil(`event ${event}`, () => readEvents(rig).length >= event || isOver(rig))
      await sleep(delayMs)
      const runner = await rig.waitUntil('there is a runner to kill', () => findRunner(rig, killed))
      process.kill(runner, 'SIGKILL')
      killed.push(runner)
      history.push(`killed ${runner} after event ${readEvents(rig).length}`)
    }
    const { exitCode } = await starting
    assert.equal(exitCode, 0)
    const ran = await rig.dispatch(['wait', '--json'])
    history.push(`wait: exit ${ran.exitCode}\n${ran.stdout}${ran.stderr}`)
    assert.ok(scenario.endStates.includes(JSON.parse(ran.stdout).state))
    assertNothingTwice(rig, killed.length)
    const { isSound, problems } = await auditSession(rig.readSession().paths.folder)
    assert.ok(isSound, JSON.stringify(problems))
    return killed.length
  } catch (error) {
    throw new Error(`${error}\n${history.join('\n')}\n${describeState(rig)}`, { cause: error })
  } finally {
    await rig.close().finally(() => {
      for (const { pid } of rig.listProcesses()) kill(pid)
    })
  }
}

/** Each event has its own number, each worker starts and ends once, and there is at most one more runner than kills. */
function assertNothingTwice(rig: Rig, kills: number): void {
  const events = rig.readEvents()
  const numbers = events.map(({ seq }) => seq)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  )
  const assertUnique = (values: (string | number)[]) => assert.equal(new Set(values).size, values.length)
  assertUnique(events.flatMap(event => (event.type === 'worker.started' ? [event.worker] : [])))
  assertUnique(events.flatMap(event => (event.type === 'worker.ended' ? [event.worker] : [])))
  assertUnique(events.flatMap(event => (event.type === 'lock.granted' ? [event.fencingToken] : [])))
  assertUnique(events.flatMap(event => (event.type === 'verdict.given' ? [event.round] : [])))
  const generations = events.flatMap(event => (event.type === 'runner.started' ? [event.generation] : []))
  assertUnique(generations)
  assert.ok(generations.length <= kills + 1)
}

function readEvents(rig: Rig) {
  try {
    return rig.readEvents()
  } catch {
    return [] // There is no session yet.
  }
}

function isOver(rig: Rig): boolean {
  return readEvents(rig).some(event => event.type === 'verdict.given' && event.isFinal)
}

/** The runner that started last, if it still runs and was not killed. */
function findRunner(rig: Rig, killed: number[]): number | undefined {
  const last = readEvents(rig).findLast(event => event.type === 'runner.started')
  return rig.listRunners().find(({ pid }) => pid === last?.pid && !killed.includes(pid))?.pid
}

function describeState(rig: Rig): string {
  const processes = rig.listProcesses().map(({ pid, command }) => `${pid} ${command}`.slice(0, 120))
  const events = readEvents(rig).map(event => JSON.stringify(event).slice(0, 160))
  return [...events, ...processes].join('\n')
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    return // It has already ended.
  }
}
