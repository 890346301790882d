import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openTmux, type RunResult, runProgram } from '../host/index.ts'
import { drainOutbox } from '../notify/index.ts'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '../rehearsal/hello.ts'
import { buildRehearsalEnvironment } from '../rehearsal/rehearse.ts'
import { put, type Scenario } from '../rehearsal/scenario.ts'
import { type FakeModels, startFakeModels } from '../rehearsal/server.ts'
import { computeStatus, type Event, findSession, readLog, type Session, type SessionStatus } from '../session/index.ts'

export const entryPoint = path.join(import.meta.dirname, '../bin/dispatch')

// A single test runs the sources, so that an edit counts at once. `npm test` builds first and sets this to 0.
process.env['DISPATCH_DEV'] ??= '1'

/** Where Node keeps compiled sources for every rig: a command in a home that is new costs half as much. */
export const compileCacheFolder = path.join(os.tmpdir(), 'dispatch-test-compiled')

/** A machine for one test: a home of its own, the real dispatch, claude, tmux and git, and scripted models on loopback. */
export interface Rig {
  home: string
  models: FakeModels
  environment: Record<string, string>
  dispatch(
    words: string[],
    options?: { input?: string | Uint8Array; cwd?: string; env?: Record<string, string> },
  ): Promise<RunResult>
  readSession(named?: string): Session
  readEvents(named?: string): Event[]
  readStatus(named?: string): SessionStatus
  /** Wait until this holds, looking every 50 ms; fails loudly after `seconds`. */
  waitUntil<T>(what: string, look: () => T | undefined | false, seconds?: number): Promise<T>
  /** Keys for the orchestrator's terminal, as tmux names them. */
  sendKeys(...words: string[]): Promise<RunResult>
  /** Processes that carry this home in their environment or command line. */
  listProcesses(): { pid: number; command: string }[]
  /** Those that are runners. */
  listRunners(): { pid: number; command: string }[]
  close(): Promise<void>
}

/** A model that thinks for ever. */
export const idleScenario: Scenario = {
  title: '',
  task: '',
  workers: {},
  orchestrator: [{ hang: true }],
  endStates: [],
}

/** The smallest task there is, done without a slip. */
export const helloScenario: Scenario = {
  title: '',
  task: helloTask,
  workers: { '*': honestWorkerTurns },
  orchestrator: [put('contract.md', helloContract), ...remainingTurns],
  endStates: ['PASS'],
}

/** Open a rig for one body, and close it whatever happens. */
export async function withRig(
  scenario: Scenario,
  body: (rig: Rig) => Promise<void>,
  changes: Record<string, string> = {},
): Promise<void> {
  const rig = await openRig(scenario, changes)
  try {
    await body(rig)
  } finally {
    await rig.close()
  }
}

export async function openRig(scenario: Scenario, changes: Record<string, string> = {}): Promise<Rig> {
  const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-test-')))
  const models = await startFakeModels(scenario)
  for (const name of ['home', 'tmp', 'elsewhere']) fs.mkdirSync(path.join(home, name))
  const environment = Object.fromEntries(
    Object.entries({
      ...buildRehearsalEnvironment(home, models.url, scenario),
      TMPDIR: path.join(home, 'tmp'),
      NODE_COMPILE_CACHE: compileCacheFolder,
      // Half a second for each agent and each run of a check; the rehearsals and some rigs have it on.
      SANDBOX: process.env['RIG_SANDBOX'] ?? 'off',
      ...changes,
    }).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  ) as Record<string, string>
  const workspace = path.join(home, 'dispatch/workspace')
  const readSession = (named?: string) => findSession(workspace, named ?? findNewest(workspace))
  const readEvents = (named?: string) => readLog(readSession(named).paths.events).events
  const rig: Rig = {
    home,
    models,
    environment,
    readSession,
    readEvents,
    readStatus: named => computeStatus(readEvents(named)),
    dispatch: (words, { input, cwd = path.join(home, 'elsewhere'), env = {} } = {}) =>
      runProgram('/bin/sh', [entryPoint, ...words], {
        env: { ...environment, ...env },
        cwd,
        timeoutMs: 150_000,
        ...(input === undefined ? {} : { input }),
      }),
    async waitUntil(what, look, seconds = 30) {
      for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
        const found = look()
        if (found) return found
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      throw new Error(`not within ${seconds} s: ${what}`)
    },
    sendKeys: (...words) => {
      const { socket } = openTmux(path.join(home, 'dispatch'))
      return runProgram('tmux', [
        '-L',
        socket,
        'send-keys',
        '-t',
        `=dispatch-${readSession().id}:=orchestrator`,
        ...words,
      ])
    },
    listProcesses: () => findProcesses(home),
    listRunners: () => findProcesses(home).filter(({ command }) => /^\S*node\S* \S*\/runner\.[jt]s /.test(command)),
    async close() {
      if (findProcesses(home).length > 0) await rig.dispatch(['stop', '--all'])
      await drainOutbox(path.join(home, 'dispatch'), 3000)
      await models.close()
      await rig
        .waitUntil('every process of the rig is gone', () => findProcesses(home).length === 0, 30)
        .catch(({ message }: Error) => {
          throw new Error(
            `${message}: ${findProcesses(home)
              .map(({ pid, command }) => `${pid} ${command}`)
              .join('; ')}`,
          )
        })
      fs.rmSync(home, { recursive: true, force: true })
    },
  }
  return rig
}

/** Every file below a folder, with what is in it and when it was written. */
export function fingerprintFolder(folder: string): Record<string, string> {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Object.fromEntries(
    files
      .map(entry => path.join(entry.parentPath, entry.name))
      .map(file => [
        path.relative(folder, file),
        createHash('sha256').update(fs.readFileSync(file)).digest('hex') + fs.statSync(file).mtimeMs,
      ]),
  )
}

/** Make a folder a repository whose one commit holds all that lies in it, ignored files too if so asked; answers the folder. */
export async function commitFolder(folder: string, ...how: string[]): Promise<string> {
  for (const words of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A', ...how],
    ['commit', '-q', '-m', 'one'],
  ]) {
    const ran = await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...words], { cwd: folder })
    assert.equal(ran.exitCode, 0, `git ${words.join(' ')}: ${ran.stderr}`)
  }
  return folder
}

/** Every process whose command line or environment names this folder; not ourselves. */
export function findProcesses(folder: string): { pid: number; command: string }[] {
  return fs
    .readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(name => {
      const command = readProcFile(name, 'cmdline').replaceAll('\0', ' ').trim()
      const names = command.includes(folder) || readProcFile(name, 'environ').includes(folder)
      return names && command !== '' ? [{ pid: Number(name), command }] : []
    })
}

function readProcFile(pid: string, what: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${what}`, 'latin1')
  } catch {
    return '' // Gone, or not ours to see.
  }
}

function findNewest(workspace: string): string {
  const ids = fs
    .readdirSync(workspace)
    .map(id => ({ id, born: fs.statSync(path.join(workspace, id)).birthtimeMs }))
    .sort((a, b) => b.born - a.born)
  return ids[0]?.id ?? 'none'
}
