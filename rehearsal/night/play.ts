import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installFolder } from '#host/config'
import { runProgram, startDetached } from '#host/exec.ts'
import { parseJson } from '#host/json.ts'
import { readLeaseHolder } from '#host/lease'
import { killProcessTree } from '#host/process'
import { openTmux } from '#host/tmux'
import type { Stage } from '../scenario.ts'
import { renderTask, tasks } from './agents.ts'

const entryPoint = path.join(installFolder, 'bin/dispatch')
const POLL_MS = 1000
/** A night on a busy machine. */
const MAX_NIGHT_MS = 15 * 60_000
/** The machine is started again after so many tasks are done. Its disk is full when the last ones work, and nothing starts. */
const MIN_DONE_COUNT = 2
const FULL_DISK_MS = 10_000

/** An item of `dispatch queue --all --json`, and its session of `dispatch ls --all --json`. */
interface Work {
  id: string
  task: string
  state: string
  session: string
  attempts: number
}

/**
 * Queue the twelve tasks, let the night pass, and show what the person finds in the morning. Returns whether all of it is as it
 * should be: nine tasks done, one that has failed three times, two that wait for an answer; nothing lost, and nothing done twice.
 */
export async function playNight(stage: Stage): Promise<boolean> {
  const show = async (...args: string[]) => {
    stage.say(`\n$ dispatch ${args.join(' ')}`)
    stage.say((await dispatch(stage, args)).trimEnd())
  }
  writeSettings(stage)
  stage.say('In the evening')
  for (const [name, fate] of Object.entries(tasks)) {
    const args = ['later', renderTask(name), '--no-repo', ...(fate === 'needs approval' ? ['--approve'] : [])]
    stage.say(`$ dispatch ${args.map(arg => (arg.includes(' ') ? `"${arg}"` : arg)).join(' ')}`)
    stage.say((await dispatch(stage, args)).trimEnd())
  }
  stage.say('\nIn the night')
  await passNight(stage)
  stage.say('\nIn the morning')
  await show('queue', '--all')
  await show('ls', '--all')
  await show('notify', 'log', '--last', '60')
  return judgeNight(stage)
}

// --- internal ---

/** The queue takes from the file what a person sets for one session. */
function writeSettings({ home, environment }: Stage): void {
  const dispatchHome = path.join(home, 'dispatch')
  const lines = ['ROUNDS', 'SANDBOX'].flatMap(name => (environment[name] ? [`${name}=${environment[name]}\n`] : []))
  fs.mkdirSync(dispatchHome, { recursive: true, mode: 0o700 })
  fs.writeFileSync(path.join(dispatchHome, '.env'), lines.join(''), { mode: 0o600 })
}

/** Wait until nothing goes on by itself any more. Meanwhile the machine is started again once, and its disk is full once. */
async function passNight(stage: Stage): Promise<void> {
  const startedMs = Date.now()
  const tell = (text: string) => stage.say(`${formatElapsed(Date.now() - startedMs)}  ${text}`)
  const told = new Map<string, string>()
  let [hasRebooted, hasFilled] = [false, stage.disk === undefined]
  while (Date.now() - startedMs < MAX_NIGHT_MS) {
    const work = await readWork(stage)
    for (const { id, task, state } of work) {
      if (told.get(id) !== state) tell(`${id.padEnd(5)} ${state.padEnd(12)} ${task}`)
      told.set(id, state)
    }
    const done = work.filter(({ state }) => state === 'done').length
    const isBusy = work.some(({ state }) => state === 'working')
    if (!hasRebooted && done >= MIN_DONE_COUNT && isBusy) {
      hasRebooted = true
      await reboot(stage, tell)
    } else if (!hasFilled && isBusy && !work.some(({ state }) => state === 'waiting')) {
      hasFilled = true
      tell('the disk is full')
      await stage.disk?.fill()
      await sleep(FULL_DISK_MS)
      await stage.disk?.free()
      tell('the disk has room again')
    }
    if (work.every(({ state }) => ['done', 'needs you', 'asking', 'cancelled'].includes(state))) return
    await sleep(POLL_MS)
  }
  tell('the night is over, and something still goes on')
}

/** Every process of the home ends at once, as when a machine loses its power. Then its service starts the daemon. */
async function reboot({ home, environment }: Stage, tell: (text: string) => void): Promise<void> {
  const dispatchHome = path.join(home, 'dispatch')
  tell('the machine is switched off')
  const daemon = readLeaseHolder(path.join(dispatchHome, 'daemon'))
  if (daemon) await killProcessTree(daemon, '')
  await openTmux(dispatchHome).killServer()
  await killProcessTree(0, `DISPATCH_HOME=${dispatchHome}`)
  tell('the machine is switched on, and its service starts the daemon')
  const log = path.join(dispatchHome, 'logs/daemon.log')
  void startDetached('/bin/sh', [entryPoint, 'daemon'], { env: environment, log, isOutputLogged: false })
}

/** Each item with the state of its session where that says more. */
async function readWork(stage: Stage): Promise<Work[]> {
  const read = async (...args: string[]) => parseJson(await dispatch(stage, args))
  const queue = (await read('queue', '--all', '--json')) as
    | { items: { id: string; title: string; state: string; sessionId: string | null; attempt: number }[] }
    | undefined
  const sessions = (await read('ls', '--all', '--json')) as { id: string; state: string }[] | undefined
  return (queue?.items ?? []).map(({ id, title, state, sessionId, attempt }) => {
    const session = sessions?.find(each => each.id === sessionId)
    const detail = state === 'running' ? (session?.state ?? 'starting') : state
    return { id, task: title, state: simplify(detail), session: sessionId ?? '', attempts: attempt }
  })
}

/** A person who looks at the list in the morning does not care how far the work is. */
function simplify(state: string): string {
  return ['opening', 'planning', 'working', 'judging', 'starting', 'PASS', 'FAIL'].includes(state) ? 'working' : state
}

/** Is everything as it should be? What is not is said. */
async function judgeNight(stage: Stage): Promise<boolean> {
  const work = await readWork(stage)
  const problems: string[] = []
  for (const [name, fate] of Object.entries(tasks)) {
    const item = work.find(({ task }) => task === renderTask(name))
    const wanted = { 'never ends': 'needs you', asks: 'asking', 'needs approval': 'asking' }[fate as string] ?? 'done'
    if (item?.state === wanted) continue
    const shown = item ? await dispatch(stage, ['show', item.session]) : ''
    problems.push(`${name} is ${item?.state ?? 'lost'}, and should be ${wanted}\n${shown}`)
  }
  const workspace = path.join(stage.home, 'dispatch/workspace')
  // A start that was cut off by the reboot leaves a folder that is no session yet.
  const sessions = fs.readdirSync(workspace).filter(id => fs.existsSync(path.join(workspace, id, 'session.json')))
  const attempts = work.reduce((sum, item) => sum + item.attempts, 0)
  if (sessions.length > attempts) problems.push(`there are ${sessions.length} sessions of ${attempts} attempts`)
  for (const id of sessions) {
    const audited = await run(stage, ['audit', id])
    if (audited.exitCode !== 0) problems.push(`the record of ${id} does not hold: ${audited.stdout}`)
  }
  const done = work.filter(({ state }) => state === 'done').length
  stage.say(
    `\n${done} of ${work.length} tasks are done. ${sessions.length} sessions were started, and every record holds.`,
  )
  for (const problem of problems) stage.say(`WRONG: ${problem}`)
  return problems.length === 0
}

async function dispatch(stage: Stage, args: string[]): Promise<string> {
  return (await run(stage, args)).stdout
}

function run({ environment, home }: Stage, args: string[]) {
  return runProgram('/bin/sh', [entryPoint, ...args], {
    env: environment,
    cwd: path.join(home, 'home'),
    timeoutMs: 60_000,
  })
}

function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}
