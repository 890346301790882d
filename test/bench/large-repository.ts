/**
 * `npm run bench:repository [FILES] [MEGABYTES]`: what a large repository (30,000 files, 1,000 MB) costs beside one of ten files:
 * the time of `dispatch "task"`, the disk of a session beside a checkout, and a check with 800 MB of node_modules beside one
 * without. The models are scripted; everything else is real. Seconds are medians.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { put } from '#rehearsal/scenario.ts'
import { helloScenario, idleScenario, openRig, type Rig } from '../fixtures/rig.ts'

const fileCount = Number(process.argv[2] ?? 30_000)
const megabytes = Number(process.argv[3] ?? 1000)
const rounds = 3

const rows: string[][] = [['', 'small', 'large']]
await measureStarts()
await measureChecks()
for (const row of rows) console.log(row.map((cell, at) => (at === 0 ? cell.padEnd(34) : cell.padStart(12))).join(' '))

async function measureStarts(): Promise<void> {
  const rig = await openRig(idleScenario)
  try {
    const small = createRepository(rig, 'small', 10, 0.01)
    const large = createRepository(rig, 'large', fileCount, megabytes)
    const first = [await start(rig, small), await start(rig, large)]
    rows.push(['first start, s', ...first.map(format)])
    const times: number[][] = [[], []]
    for (let round = 0; round < rounds; round++)
      for (const [at, folder] of [small, large].entries()) times[at]?.push(await start(rig, folder))
    rows.push(['later starts, s', ...times.map(each => format(median(each)))])
    const sessions = path.join(rig.home, 'dispatch/workspace')
    const ids = fs.readdirSync(sessions).filter(name => /^\d/.test(name))
    const byRepository = [small, large].map(folder =>
      ids.filter(id => fs.readFileSync(path.join(sessions, id, 'session.json'), 'utf8').includes(`"${folder}"`)),
    )
    const disk = byRepository.map(each => measureDisk(path.join(sessions, each.at(-1) ?? '')))
    rows.push(['a checkout with .git, MB', ...[small, large].map(folder => `${measureDisk(folder)}`)])
    rows.push(['one session alone, MB', ...disk.map(String)])
    const all = byRepository.map(each => measureDisk(...each.map(id => path.join(sessions, id))) / each.length)
    rows.push(['a session, shared history once, MB', ...all.map(size => size.toFixed(0))])
  } finally {
    await rig.close()
  }
}

async function measureChecks(): Promise<void> {
  const scenario = {
    ...helloScenario,
    workers: { '*': honestWorkerTurns },
    orchestrator: [put('contract.md', helloContract), ...remainingTurns],
  }
  const rig = await openRig(scenario, { CHECK_REPEAT_SEC: '0' })
  try {
    const times: string[] = []
    for (const size of [0, 800]) {
      const folder = createRepository(rig, `modules-${size}`, 10, 0.01)
      fs.writeFileSync(path.join(folder, '.gitignore'), 'node_modules/\n')
      fs.writeFileSync(path.join(folder, 'package-lock.json'), '{}')
      fs.writeFileSync(path.join(folder, 'make.sh'), makeModules(size))
      fs.writeFileSync(path.join(folder, '.dispatch.json'), JSON.stringify({ setup: ['sh make.sh'] }))
      commit(folder)
      await rig.dispatch(['prepare', '--yes', '--repo', folder])
      const startedAtMs = performance.now()
      const ran = await rig.dispatch([helloTask, '--repo', folder, '--wait'])
      if (ran.exitCode !== 0) throw new Error(ran.stdout + ran.stderr)
      const checks = rig.readEvents().flatMap(event => (event.type === 'check.ran' ? [event.milliseconds] : []))
      times.push(`${format((performance.now() - startedAtMs) / 1000)}`, checks.map(ms => `${ms}`).join(' '))
    }
    rows.push(['a session, modules 0 and 800 MB, s', times[0] ?? '', times[2] ?? ''])
    rows.push(['its checks, ms', times[1] ?? '', times[3] ?? ''])
  } finally {
    await rig.close()
  }
}

/** 20,000 files, as a large node_modules has. */
function makeModules(size: number): string {
  const bytes = Math.round((size * 1e6) / 20_000)
  return size === 0
    ? 'mkdir -p node_modules; echo 1 >node_modules/one'
    : `python3 -c "
import os
for folder in range(200):
    os.makedirs(f'node_modules/{folder}', exist_ok=True)
    for file in range(100):
        open(f'node_modules/{folder}/{file}.js', 'wb').write(os.urandom(${bytes}))"\n`
}

async function start(rig: Rig, folder: string): Promise<number> {
  const startedAtMs = performance.now()
  const ran = await rig.dispatch(['do it', '--repo', folder])
  if (ran.exitCode !== 0) throw new Error(ran.stderr)
  const seconds = (performance.now() - startedAtMs) / 1000
  await rig.waitUntil('the copy is there', () => rig.readEvents().some(({ type }) => type === 'base.prepared'), 600)
  await rig.dispatch(['stop', rig.readSession().id])
  return seconds
}

function createRepository(rig: Rig, name: string, count: number, size: number): string {
  const folder = path.join(rig.home, 'elsewhere', name)
  const bytes = Math.max(1, Math.round((size * 1e6) / count))
  for (let index = 0; index < count; index++) {
    const file = path.join(folder, `d${Math.floor(index / 100)}`, `f${index}`)
    if (index % 100 === 0) fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, randomBytes(bytes))
  }
  execFileSync('git', ['init', '-q', '-b', 'main'], { cwd: folder })
  commit(folder)
  return folder
}

function commit(folder: string): void {
  execFileSync('git', ['add', '-A'], { cwd: folder })
  execFileSync('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', 'commit', '-q', '-m', 'one'], { cwd: folder })
}

/** In MB; a file with several names counts once. */
function measureDisk(...folders: string[]): number {
  const output = execFileSync('du', ['-smc', ...folders], { encoding: 'utf8' })
  return Number(/^(\d+)\ttotal$/m.exec(output)?.[1])
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function format(seconds: number): string {
  return seconds.toFixed(2)
}
