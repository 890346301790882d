/**
 * Many sessions whose tmux server dies, or whose runners do. The daemon sees it within a second, and takes the sessions up again,
 * never more at once than the cap. Until then their runners are stand-ins: processes in windows of that server, with the lease. The first
 * LOST_REAL of them go on with the real claude, all at once; the others with a program that speaks its protocol.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import { prepareOrchestrator } from '#agents'
import { installFolder, readDefaultConfig } from '#host/config'
import { sha256 } from '#host/hash.ts'
import { acquireLease } from '#host/lease'
import { identify } from '#host/process'
import { openTmux } from '#host/tmux'
import { createSession, createSessionId, type Session, SessionManifest } from '#session'
import { findProcesses, helloScenario, openRig, type Rig } from '../fixtures/rig.ts'
import { createRandom } from '../fixtures/scratch.ts'

const sessionCount = Number(process.env['LOST_SESSIONS'] ?? 100)
const killCount = Math.min(sessionCount, Number(process.env['LOST_KILLS'] ?? 30))
const takenUpCount = Math.min(sessionCount, Number(process.env['LOST_TAKEN_UP'] ?? 12))
const realCount = Math.min(takenUpCount, Number(process.env['LOST_REAL'] ?? 1))
const random = createRandom(Number(process.env['SEED'] ?? 1))

/** Do other programs need this machine? Then times are reported, and decide nothing. */
const isBusy = () => (os.loadavg()[0] ?? 0) > 2 * os.availableParallelism()

const CAP = Math.max(3, realCount)
const MAX_RECOGNITION_MS = 10_000
const MAX_DEATH_MS = 1000
/** With so many sessions, and nothing happening in them, the daemon uses at most this part of a core. */
const MAX_LOAD = 0.05
const LOAD_MS = 30_000

test('the death of runners and of the tmux server is seen at once, and everything is taken up under the cap', async t => {
  const rig = await openRig(helloScenario, {
    RIG_CLAUDE: 'scripted',
    MAX_SESSIONS: String(CAP),
    STAGGER_SEC: '0',
    WEBUI_PORT: '0',
  })
  try {
    const sessions = await openStandIns(rig)
    const daemon = rig.dispatch(['daemon'], { env: { MAX_SESSIONS: '1000' } })
    const seenBy = () => readDaemonLog(rig)
    await rig.waitUntil('the daemon runs', () => seenBy().includes('started, process'))
    await new Promise(resolve => setTimeout(resolve, 6000)) // Until it has looked at all sessions once.

    const load = await measureLoad(findDaemon(rig))
    t.diagnostic(`${sessionCount} idle sessions: the daemon used ${(100 * load).toFixed(2)} % of a core`)
    assert.ok(load < MAX_LOAD, `${load}`)

    const delaysMs = await killRunners(rig, sessions)
    t.diagnostic(`${killCount} runners killed; seen after ${describeMs(delaysMs)}`)
    assert.ok(isBusy() || pick(delaysMs, 0.99) < MAX_DEATH_MS, describeMs(delaysMs))
    process.kill(findDaemon(rig), 'SIGTERM')
    await daemon

    await testServerDeath(rig, sessions.slice(killCount), t.diagnostic.bind(t))
    t.diagnostic(`${sessionCount} sessions`)
  } finally {
    await rig.close()
  }
})

/** The daemon of a usual start, with the cap. */
async function testServerDeath(rig: Rig, sessions: Session[], report: (text: string) => void): Promise<void> {
  const ended = rig.dispatch(['daemon'])
  await rig.waitUntil('the daemon runs again', () => readDaemonLog(rig).split('started, process').length > 2)
  const killedMs = performance.now()
  for (const { pid, command } of findProcesses(rig.home)) if (command.startsWith('tmux')) process.kill(pid, 'SIGKILL')
  await rig.waitUntil('all are recognized', async () => {
    const listed = JSON.parse((await rig.dispatch(['ls', '--all', '--json'])).stdout) as { id: string; state: string }[]
    const ids = new Set(sessions.map(({ id }) => id))
    return listed.every(({ id, state }) => !ids.has(id) || state !== 'opening')
  })
  const recognizedMs = performance.now() - killedMs
  report(`${sessions.length} sessions lost their tmux server; recognized after ${Math.round(recognizedMs)} ms`)
  assert.ok(isBusy() || recognizedMs < MAX_RECOGNITION_MS)

  let most = 0
  await rig.waitUntil(
    'sessions are taken up and judged',
    () => {
      most = Math.max(most, countWorking(rig, sessions))
      return sessions.filter(({ paths }) => fs.existsSync(paths.verdictRecord)).length >= takenUpCount
    },
    600,
  )
  const real = sessions.slice(0, realCount)
  await rig.waitUntil(
    'those with the real claude are judged',
    () => real.every(({ id }) => rig.readStatus(id).verdict !== undefined), // The record is written before its event.
    600,
  )
  for (const { id } of real) assert.equal(rig.readStatus(id).verdict?.verdict, 'PASS', id)
  report(
    `${takenUpCount} of them judged after ${Math.round((performance.now() - killedMs) / 1000)} s, at most ${most} at once, ${realCount} with the real claude`,
  )
  assert.ok(most <= CAP, `${most} sessions worked at once`)
  process.kill(findDaemon(rig), 'SIGKILL')
  await ended
}

/** Sessions that were just started: all their files, and a process in a window that holds the lease of their runner. */
async function openStandIns(rig: Rig): Promise<Session[]> {
  const config = readDefaultConfig(rig.environment)
  const tmux = openTmux(config.home)
  const sessions: Session[] = []
  for (let index = 0; index < sessionCount; index++) {
    const session = createSession(config.workspace, createManifest(rig, index), Buffer.from(helloScenario.task))
    prepareOrchestrator(session)
    const folder = session.paths.windows
    await tmux.openSession(
      { session: `dispatch-${session.id}`, folder },
      [{ name: 'runner', command: ['sleep', '3600'] }],
      ['PATH'],
    )
    sessions.push(session)
  }
  const panes = await tmux.listPanes()
  for (const session of sessions) {
    const pane = panes.find(({ session: name }) => name === `dispatch-${session.id}`)
    const holder = pane && (await identify(pane.pid))
    assert.ok(holder && (await acquireLease(session.paths.runnerLease, holder)))
  }
  return sessions
}

function createManifest(rig: Rig, index: number): SessionManifest {
  const now = new Date(Date.now() - 60_000 + index)
  const { task } = helloScenario
  const isReal = index >= killCount && index < killCount + realCount
  const scripted = path.join(import.meta.dirname, '../fixtures/scripted-claude/claude')
  return SessionManifest.parse({
    format: 1,
    id: createSessionId(task, now, index.toString(16).padStart(4, '0')),
    openedAt: now.toISOString(),
    repository: null,
    task: { bytes: task.length, sha256: sha256(task), title: task },
    models: {
      orchestrator: 'opus',
      code: 'opus',
      rw: 'sonnet',
      judge: rig.environment['JUDGE_MODEL'] ?? 'gemini-2.5-pro',
    },
    maxRounds: 3,
    allowsJudgedOnly: false,
    sandbox: { kind: null, reason: 'a test' },
    ...(isReal && { loginKind: 'key' }),
    claude: {
      program: isReal ? path.join(installFolder, 'node_modules/.bin/claude') : scripted,
      sessionId: crypto.randomUUID(),
      configDirectory: rig.environment['CLAUDE_CONFIG_DIR'] ?? null,
    },
  })
}

/** Kill stand-ins one after the other, and measure until the daemon says so. Each gets a real runner then, so it is stopped. */
async function killRunners(rig: Rig, sessions: Session[]): Promise<number[]> {
  const delaysMs: number[] = []
  for (const session of sessions.slice(0, killCount)) {
    await new Promise(resolve => setTimeout(resolve, random() * 400))
    const [pid] = fs
      .readdirSync(session.paths.runnerLease)
      .flatMap(name => JSON.parse(fs.readFileSync(path.join(session.paths.runnerLease, name), 'utf8')).pid as number)
    const killedAt = Date.now()
    process.kill(pid as number, 'SIGKILL')
    const line = await rig.waitUntil('the daemon sees it', () =>
      readDaemonLog(rig)
        .split('\n')
        .find(text => text.includes(`the runner of ${session.id} is gone`)),
    )
    delaysMs.push(Date.parse(line.split(' ')[0] ?? '') - killedAt)
    await rig.dispatch(['stop', session.id])
  }
  return delaysMs.sort((a, b) => a - b)
}

/** The processor time of the daemon while nothing happens, in cores. */
async function measureLoad(pid: number): Promise<number> {
  const read = () => {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) * 10
  }
  const beforeMs = read()
  await new Promise(resolve => setTimeout(resolve, LOAD_MS))
  return (read() - beforeMs) / LOAD_MS
}

/** How many have a runner and no verdict. The verdicts are looked at last: one session may end while the next one starts. */
function countWorking(rig: Rig, sessions: Session[]): number {
  const runners = rig.listRunners()
  const running = sessions.filter(({ id }) => runners.some(({ command }) => command.includes(id)))
  return running.filter(({ paths }) => !fs.existsSync(paths.verdictRecord)).length
}

function findDaemon(rig: Rig): number {
  const found = rig.listProcesses().find(({ command }) => /node\S* \S+ daemon$/.test(command))
  assert.ok(found, 'a daemon runs')
  return found.pid
}

function readDaemonLog(rig: Rig): string {
  const file = path.join(rig.home, 'dispatch/logs/daemon.log')
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
}

function pick(sorted: number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

function describeMs(sorted: number[]): string {
  return `${pick(sorted, 0.5)} ms (p50), ${pick(sorted, 0.99)} ms (p99), ${sorted.at(-1)} ms (most)`
}
