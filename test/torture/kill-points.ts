/**
 * Programs of dispatch that are killed at each call that writes a file or starts a process, one call a run. KILL_SECONDS says for
 * how long, KILL_SEED which points come first, KILL_FLOWS which flows; without them it is one point of each flow.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { createRandom } from '../fixtures/scratch.ts'
import { type KillFlow, killFlows } from './kill-flows.ts'
import { createTortureFolder, type KillPoint, type Lab, openLab, prepareInstall } from './kill-lab.ts'

const seconds = Number(process.env['KILL_SECONDS'] ?? 0)
const random = createRandom(Number(process.env['KILL_SEED'] ?? 1))
const labCount = Number(process.env['KILL_LABS'] ?? 2)
const named = process.env['KILL_FLOWS']?.split(',')
/** A lab is renewed after so many runs: its sessions stay. */
const LAB_RUNS = 12
/** Of the starts of one program with the same arguments, and of signals: the first ones and the last. */
const MAX_STARTS = 8

interface Job {
  flow: KillFlow
  /** The points of each run. */
  runs: KillPoint[][]
}

test('a program that is killed at any call leaves nothing illegal, and loses nothing that it acknowledged', async t => {
  const folder = createTortureFolder()
  const program = await prepareInstall(folder)
  const endsAtMs = Date.now() + seconds * 1000
  const isTimeUp = () => seconds > 0 && Date.now() >= endsAtMs
  const counts = new Map<string, number>()
  const failures: string[] = []
  let [missed, total] = [0, 0]
  const report = (flow: KillFlow, killed: number, problem: string | undefined) => {
    counts.set(flow.name, (counts.get(flow.name) ?? 0) + killed)
    const sum = [...counts.values()].reduce((all, count) => all + count, 0)
    if (Math.floor(sum / 50) > Math.floor((sum - killed) / 50)) process.stderr.write(`    ${sum} kill points\n`)
    if (problem === undefined) return
    failures.push(problem)
    process.stderr.write(`    FAILED ${problem}\n`)
  }
  try {
    const jobs: Job[] = []
    const flows = killFlows.filter(({ name }) => named === undefined || named.includes(name))
    await inParallel(labCount, flows, async flow => {
      const points = await withLab(program, flow, lab => recordPoints(lab, flow))
      total += points.length
      jobs.push(...cut(flow, points))
    })
    const chosen = seconds > 0 ? shuffle(jobs) : jobs.map(job => ({ ...job, runs: job.runs.slice(0, 1) }))
    await inParallel(labCount, chosen, async ({ flow, runs }) => {
      if (isTimeUp()) return
      await withLab(program, flow, async lab => {
        for (const [index, points] of runs.entries()) {
          if (isTimeUp()) return
          const { killed, problem } = await runPoints(lab, flow, points, index + 1)
          missed += points.length - killed
          report(flow, killed, problem)
          if (problem !== undefined) return // What is left of it may disturb the next one.
        }
      })
    })
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
  const lost = failures.filter(text => text.includes('lost: ')).length
  const killed = [...counts.values()].reduce((all, count) => all + count, 0)
  t.diagnostic(`${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')}; ${missed} not reached`)
  t.diagnostic(
    `${killed} kill points of ${total} in ${counts.size} flows; ${failures.length - lost} illegal, ${lost} lost`,
  )
  assert.deepEqual(failures, [])
})

/** One run that is not killed: its calls are the points. */
async function recordPoints(lab: Lab, flow: KillFlow): Promise<KillPoint[]> {
  const subject = (await flow.prepare?.(lab, 0)) ?? ''
  lab.arm(flow.words, [])
  const ran = await flow.run(lab, subject)
  await flow.finish(lab, subject, ran)
  lab.disarm()
  const calls = lab.readCalls()
  assert.ok(calls.length > 0, `${flow.name}: no calls were seen`)
  const totals = Map.groupBy(calls, ({ label }) => label)
  const counts = new Map<string, number>()
  return calls.flatMap(({ label, isWrite }) => {
    const occurrence = (counts.get(label) ?? 0) + 1
    counts.set(label, occurrence)
    const most = totals.get(label)?.length ?? 0
    if (/^(spawn|kill)/.test(label) && occurrence >= MAX_STARTS && occurrence < most) return []
    const moments: KillPoint['when'][] = isWrite ? ['before', 'half', 'after'] : ['before', 'after']
    return moments.map(when => ({ label, occurrence, when }))
  })
}

/** How many of these points were reached, and what is wrong then. */
async function runPoints(
  lab: Lab,
  flow: KillFlow,
  points: KillPoint[],
  number: number,
): Promise<{ killed: number; problem?: string }> {
  const describe = ({ label, occurrence, when }: KillPoint) => `${when} ${label} #${occurrence}`
  lab.killed.length = 0
  try {
    const subject = (await flow.prepare?.(lab, number)) ?? ''
    lab.arm(flow.words, points)
    const ran = await flow.run(lab, subject)
    await flow.finish(lab, subject, ran)
    lab.takeKilled()
    return { killed: lab.killed.length }
  } catch (error) {
    lab.takeKilled()
    const where = `${flow.name}, killed ${lab.killed.map(describe).join('; ')}`
    return { killed: lab.killed.length, problem: `${where}: ${error instanceof Error ? error.message : error}` }
  } finally {
    lab.disarm()
  }
}

async function withLab<Result>(program: string, flow: KillFlow, use: (lab: Lab) => Promise<Result>): Promise<Result> {
  const lab = await openLab(program, flow.settings)
  try {
    await flow.open?.(lab)
    return await use(lab)
  } finally {
    await lab.close()
  }
}

/** Points of one run are spread over the whole of it, in their order. */
function cut(flow: KillFlow, points: KillPoint[]): Job[] {
  const { pointsOfRun = 1 } = flow
  const count = Math.ceil(points.length / pointsOfRun)
  const runs = Array.from({ length: count }, (_, at) => points.filter((_, index) => index % count === at))
  const shuffled = shuffle(runs)
  const labRuns = flow.isLabUsedUp ? 1 : LAB_RUNS
  return Array.from({ length: Math.ceil(count / labRuns) }, (_, index) => ({
    flow,
    runs: shuffled.slice(index * labRuns, (index + 1) * labRuns),
  }))
}

function shuffle<Item>(items: Item[]): Item[] {
  return items
    .map(item => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

/** Each item once, by so many at a time. */
async function inParallel<Item>(count: number, items: Item[], use: (item: Item) => Promise<void>): Promise<void> {
  const rest = [...items]
  const work = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await use(item)
  }
  await Promise.all(Array.from({ length: count }, work))
}
