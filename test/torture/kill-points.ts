/**
 * Programs of dispatch that are killed at each call that writes a file or starts a process, one call of each process. KILL_SECONDS says for
 * how long, KILL_SEED which points come first, KILL_FLOWS which flows; without them it is one run of each flow. With a file in
 * KILL_COVERAGE a run goes on where others ended: what is covered there comes not again.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { createRandom } from '../fixtures/scratch.ts'
import { hashPrograms, type KillCoverage, openCoverage } from './kill-coverage.ts'
import { type KillFlow, killFlows } from './kill-flows.ts'
import { createTortureFolder, type KillPoint, type Lab, openLab, prepareInstall } from './kill-lab.ts'

const seconds = Number(process.env['KILL_SECONDS'] ?? 0)
const random = createRandom(Number(process.env['KILL_SEED'] ?? 1))
const labCount = Number(process.env['KILL_LABS'] ?? 2)
const named = process.env['KILL_FLOWS']?.split(',')
const coverageFile = process.env['KILL_COVERAGE']
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
  let endsAtMs = Number.POSITIVE_INFINITY
  const isTimeUp = () => seconds > 0 && Date.now() >= endsAtMs
  const coverage = openCoverage(coverageFile, hashPrograms(path.join(folder, 'built')))
  const failures: string[] = []
  let [killed, missed] = [0, 0]
  const report = (flow: KillFlow, ran: PointsRun) => {
    for (const point of ran.killed) coverage.note(flow.name, point, ran.problem === undefined ? 'covered' : 'failed')
    for (const point of ran.missed) coverage.note(flow.name, point, 'missed')
    if (Math.floor((killed + ran.killed.length) / 50) > Math.floor(killed / 50))
      process.stderr.write(`    ${killed + ran.killed.length} kill points\n`)
    killed += ran.killed.length
    missed += ran.missed.length
    if (ran.problem === undefined) return
    failures.push(ran.problem)
    process.stderr.write(`    FAILED ${ran.problem}\n`)
  }
  try {
    const jobs: Job[] = []
    const flows = killFlows.filter(({ name }) => named === undefined || named.includes(name))
    await inParallel(labCount, flows, async flow => {
      const points = coverage.readPoints(flow.name) ?? (await withLab(program, flow, lab => recordPoints(lab, flow)))
      if (coverage.readPoints(flow.name) === undefined) coverage.notePoints(flow.name, points)
      jobs.push(...cut(flow, points, coverage))
    })
    endsAtMs = Date.now() + seconds * 1000
    const chosen = seconds > 0 ? shuffle(jobs) : jobs.map(job => ({ ...job, runs: job.runs.slice(0, 1) }))
    await inParallel(labCount, chosen, async ({ flow, runs }) => {
      if (isTimeUp()) return
      await withLab(program, flow, async lab => {
        for (const [index, points] of runs.entries()) {
          if (isTimeUp()) return
          const ran = await runPoints(lab, flow, points, index + 1)
          report(flow, ran)
          if (ran.problem !== undefined) return // What is left of it may disturb the next one.
        }
      })
    })
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
  const lost = failures.filter(text => text.includes('lost: ')).length
  const summary = coverage.summarize()
  const sum = (name: 'covered' | 'withThese' | 'known') => summary.reduce((total, each) => total + each[name], 0)
  t.diagnostic(`covered: ${summary.map(each => `${each.flow} ${each.covered} of ${each.known}`).join(', ')}`)
  t.diagnostic(
    `${sum('covered')} distinct points of ${sum('known')} are covered, ${sum('withThese')} with these very programs`,
  )
  t.diagnostic(
    `${killed} kill points in this run, ${missed} not reached; ${failures.length - lost} illegal, ${lost} lost`,
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

interface PointsRun {
  killed: KillPoint[]
  missed: KillPoint[]
  /** What is wrong afterwards. */
  problem?: string
}

async function runPoints(lab: Lab, flow: KillFlow, points: KillPoint[], number: number): Promise<PointsRun> {
  const describe = ({ label, occurrence, when }: KillPoint) => `${when} ${label} #${occurrence}`
  const end = (problem?: string): PointsRun => {
    lab.takeKilled()
    const killed = [...lab.killed]
    const missed = points.filter(point => !killed.includes(point))
    const where = `${flow.name}, killed ${killed.map(describe).join('; ')}`
    return { killed, missed, ...(problem === undefined ? {} : { problem: `${where}: ${problem}` }) }
  }
  lab.killed.length = 0
  try {
    const subject = (await flow.prepare?.(lab, number)) ?? ''
    lab.arm(flow.words, points)
    const ran = await flow.run(lab, subject)
    await flow.finish(lab, subject, ran)
    return end()
  } catch (error) {
    return end(error instanceof Error ? error.message : String(error))
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

/**
 * Points of one run are spread over the whole of it, in their order. One that two runs have missed is alone in the next.
 */
function cut(flow: KillFlow, all: KillPoint[], coverage: KillCoverage): Job[] {
  const points = all.filter(point => !coverage.isCovered(flow.name, point))
  const isHard = (point: KillPoint) => coverage.countMisses(flow.name, point) >= 2
  const easy = points.filter(point => !isHard(point))
  const count = Math.ceil(easy.length / (flow.pointsOfRun ?? 1))
  const runs = Array.from({ length: count }, (_, at) => easy.filter((_, index) => index % count === at))
  const shuffled = shuffle([...runs, ...points.filter(isHard).map(point => [point])])
  return Array.from({ length: Math.ceil(shuffled.length / LAB_RUNS) }, (_, index) => ({
    flow,
    runs: shuffled.slice(index * LAB_RUNS, (index + 1) * LAB_RUNS),
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
  const results = await Promise.allSettled(Array.from({ length: count }, work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
