import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type RunResult, runProgram } from '#host/exec.ts'
import { helloContract, helloTask, honestWorkerTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, type ScriptedTurn, say, type TurnContext } from '#rehearsal/scenario.ts'
import { auditSession } from '#session/audit'
import { copyInstall } from '../fixtures/copy-install.ts'
import { commitFolder, findProcesses, openRig, queueSettings, type Rig } from '../fixtures/rig.ts'
import { openWarmDispatch, type WarmResult } from './warm-dispatch.ts'

/** One call of a program at which it can be killed, as the probe names it. */
export interface KillPoint {
  label: string
  /** The how-maniest call with this label. */
  occurrence: number
  when: 'before' | 'half' | 'after'
}

/** A machine on which programs of dispatch can be killed at a call. */
export interface Lab {
  rig: Rig
  /** The user's repository. */
  repository: string
  /** Run dispatch there. */
  dispatch(args: string[], env?: Record<string, string>): Promise<RunResult>
  /** The same in a process that stays, for the commands that are not killed. One runs after the other. Only where there is a probe. */
  operate(args: string[]): Promise<WarmResult>
  /** The next program with these first words is killed at the first of these points; without one, its calls are noted. */
  arm(words: string[], points: KillPoint[]): void
  /** Wait until a program has taken the plan. */
  waitForProgram(): Promise<unknown>
  /** The point at which it was killed since the last call. Then the next such program gets the other points. */
  takeKilled(): KillPoint | undefined
  /** Every point that `takeKilled` returned, until the caller empties it. */
  killed: KillPoint[]
  disarm(): void
  readCalls(): { label: string; isWrite: boolean }[]
  close(): Promise<void>
}

/** Spawn, wait, submit, end: what a step needs is in what the orchestrator heard last, because it may have been cut off. */
const robustTurn: ScriptedTurn = ({ lastText }: TurnContext) => {
  if (lastText.includes('This is final')) return say('Done.')
  if (lastText.includes('=== ')) return bash('submit')
  return bash("spawn-worker code --clauses C1 <<'BRIEF'\nWrite hello.sh.\nBRIEF\nwait-workers; true")
}

/** The hello task, by an orchestrator that goes on wherever it was cut off. */
export const robustScenario: Scenario = {
  title: '',
  task: helloTask,
  workers: { '*': honestWorkerTurns },
  orchestrator: [
    put('contract.md', helloContract),
    bash('contract check'),
    ...Array.from({ length: 30 }, () => robustTurn),
  ],
  endStates: ['PASS'],
}

const fixtures = path.join(import.meta.dirname, '../fixtures')

/** Copy the install, build it, and load a probe before each of its programs. Returns the path of its `dispatch`. */
export async function prepareInstall(folder: string, probe = 'kill-probe.mjs'): Promise<string> {
  const program = copyInstall(folder)
  const built = path.join(folder, 'built')
  fs.rmSync(built, { recursive: true, force: true })
  fs.copyFileSync(path.join(fixtures, 'warm-dispatch.ts'), path.join(folder, 'bin/warm-dispatch.ts'))
  const build = path.join(folder, 'scripts/build.ts')
  const source = fs.readFileSync(build, 'utf8')
  const withWarm = source.replace("task: 'bin/dispatch',", "$& 'warm-dispatch': 'bin/warm-dispatch',")
  assert.notEqual(withWarm, source, 'scripts/build.ts lists its programs in another way now')
  fs.writeFileSync(build, withWarm)
  const ran = await runProgram(process.execPath, ['scripts/build.ts'], { cwd: folder })
  assert.equal(ran.exitCode, 0, ran.stderr)
  fs.copyFileSync(path.join(fixtures, probe), path.join(built, probe))
  for (const name of ['dispatch', 'runner', 'judge']) {
    const file = path.join(built, `${name}.js`)
    fs.renameSync(file, path.join(built, `${name}-itself.js`))
    fs.writeFileSync(file, `import './${probe}'\nawait import('./${name}-itself.js')\n`)
  }
  return program
}

/** Open a machine with this install, a repository and nothing else. */
export async function openLab(
  program?: string,
  settings: Record<string, string> = {},
  scenario: Scenario = robustScenario,
): Promise<Lab> {
  const rig = await openRig(
    scenario,
    { RIG_CLAUDE: 'scripted', DISPATCH_DEV: '0', ...queueSettings, ...settings },
    program,
  )
  const repository = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(repository)
  fs.writeFileSync(path.join(repository, 'README.md'), '# A project\n')
  await commitFolder(repository)
  const plan = path.join(rig.home, 'kill-plan.json')
  const log = path.join(rig.home, 'kill.log')
  const killed: KillPoint[] = []
  let armed: { words: string[]; points: KillPoint[] } = { words: [], points: [] }
  const arm = (words: string[], points: KillPoint[]) => {
    armed = { words, points }
    fs.rmSync(log, { force: true })
    fs.writeFileSync(`${plan}.new`, JSON.stringify({ words, log, points }))
    fs.renameSync(`${plan}.new`, plan)
  }
  const readLog = () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\n').filter(Boolean) : [])
  return {
    rig,
    repository,
    dispatch: (args, env = {}) => rig.dispatch(args, { cwd: repository, env }),
    operate: openWarmDispatch(path.join(path.dirname(rig.entryPoint), '../built/warm-dispatch.js'), {
      cwd: repository,
      env: rig.environment,
    }),
    arm,
    waitForProgram: () => rig.waitUntil('the program starts', () => !fs.existsSync(plan)),
    takeKilled() {
      const index = readLog().flatMap(line => /^killed (\d+)/.exec(line)?.[1] ?? [])[0]
      const point = armed.points[Number(index ?? -1)]
      if (point === undefined) return undefined
      killed.push(point)
      fs.rmSync(log)
      const rest = armed.points.filter(other => other !== point)
      if (rest.length > 0) arm(armed.words, rest)
      return point
    },
    killed,
    disarm: () => fs.rmSync(plan, { force: true }),
    readCalls: () =>
      readLog().map(line => ({ label: line.slice(line.indexOf(' ') + 1), isWrite: /^write /.test(line) })),
    async close() {
      await rig.close().finally(() => {
        for (const { pid } of findProcesses(rig.home)) kill(pid)
      })
    },
  }
}

/** The record is sound, and nothing in it happened twice. */
export async function requireSoundRecord(rig: Rig, id: string): Promise<void> {
  const events = rig.readEvents(id)
  const numbers = events.map(({ seq }) => seq)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    'each event has its number',
  )
  const requireOnce = (what: string, values: (string | number)[]) =>
    assert.equal(new Set(values).size, values.length, `${what} twice: ${values.join(' ')}`)
  const attempts = new Map<string, number>()
  requireOnce(
    'a worker started',
    events.flatMap(event => {
      if (event.type === 'worker.interrupted' || event.type === 'worker.parked')
        attempts.set(event.worker, (attempts.get(event.worker) ?? 0) + 1)
      return event.type === 'worker.started' ? [`${event.worker} ${attempts.get(event.worker) ?? 0}`] : []
    }),
  )
  requireOnce(
    'a worker ended',
    events.flatMap(event => (event.type === 'worker.ended' ? [event.worker] : [])),
  )
  requireOnce(
    'a verdict',
    events.flatMap(event => (event.type === 'verdict.given' ? [event.round] : [])),
  )
  requireOnce(
    'a lock',
    events.flatMap(event => (event.type === 'lock.granted' ? [event.fencingToken] : [])),
  )
  requireOnce(
    'a message',
    events.flatMap(event => (event.type === 'message.delivered' ? [event.messageId] : [])),
  )
  requireOnce(
    'a generation',
    events.flatMap(event => (event.type === 'runner.started' ? [event.generation] : [])),
  )
  const { isSound, problems } = await auditSession(rig.readSession(id).paths.folder)
  assert.ok(isSound, `the audit: ${JSON.stringify(problems)}`)
}

/** The ids of the sessions that `ls` shows, with their states. */
export async function listStates(lab: Lab): Promise<Map<string, string>> {
  const ran = await lab.operate(['ls', '--all', '--json'])
  assert.equal(ran.exitCode, 0, `ls: ${ran.stderr}`)
  const rows = JSON.parse(ran.stdout) as { id: string; state: string }[]
  return new Map(rows.map(({ id, state }) => [id, state]))
}

/** Processes of a session, once it should have none. */
export async function requireNoProcesses(lab: Lab, id: string): Promise<void> {
  const find = () => findProcesses(path.join(lab.rig.home, 'dispatch/workspace', id)).map(({ command }) => command)
  await lab.rig
    .waitUntil('its processes end', () => find().length === 0)
    .catch(() => assert.deepEqual(find(), [], `processes of ${id} are left`))
}

export function createTortureFolder(): string {
  return fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-killed-')))
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {} // It has ended.
}
