import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Ran, run, tmuxOf } from '../host/index.ts'
import { settle } from '../notify/index.ts'
import { contract, honest, task, therest } from '../rehearsal/hello.ts'
import { environmentFor } from '../rehearsal/rehearse.ts'
import { put, type Scenario } from '../rehearsal/scenario.ts'
import { openStage, type Stage } from '../rehearsal/server.ts'
import { type Event, findSession, readLog, type Session, type Status, statusOf } from '../session/index.ts'

export const door = path.join(import.meta.dirname, '../bin/dispatch')

// A single test runs the sources, so that an edit counts at once. `npm test` builds first and sets this to 0.
process.env['DISPATCH_DEV'] ??= '1'

/** Where Node keeps compiled sources for every rig: a command in a home that is new costs half as much. */
export const compiled = path.join(os.tmpdir(), 'dispatch-test-compiled')

/** A machine for one test: a home of its own, the real dispatch, claude, tmux and git, and scripted models on loopback. */
export interface Rig {
  home: string
  stage: Stage
  environment: Record<string, string>
  dispatch(
    words: string[],
    options?: { input?: string | Uint8Array; cwd?: string; env?: Record<string, string> },
  ): Promise<Ran>
  session(named?: string): Session
  events(named?: string): Event[]
  status(named?: string): Status
  /** Wait until this holds, looking every 50 ms; fails loudly after `seconds`. */
  until<T>(what: string, look: () => T | undefined | false, seconds?: number): Promise<T>
  /** Keys for the orchestrator's terminal, as tmux names them. */
  keys(...words: string[]): Promise<Ran>
  /** Processes that carry this home in their environment or command line. */
  processes(): { pid: number; command: string }[]
  /** Those that are runners. */
  runners(): { pid: number; command: string }[]
  close(): Promise<void>
}

/** A model that thinks for ever. */
export const idle: Scenario = { title: '', task: '', workers: {}, orchestrator: [{ hang: true }], ends: [] }

/** The smallest task there is, done without a slip. */
export const hello: Scenario = {
  title: '',
  task,
  workers: { '*': honest },
  orchestrator: [put('contract.md', contract), ...therest],
  ends: ['PASS'],
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
  const stage = await openStage(scenario)
  for (const name of ['home', 'tmp', 'elsewhere']) fs.mkdirSync(path.join(home, name))
  const environment = Object.fromEntries(
    Object.entries({
      ...environmentFor(home, stage.url, scenario),
      TMPDIR: path.join(home, 'tmp'),
      NODE_COMPILE_CACHE: compiled,
      // Half a second for each agent and each run of a check; the rehearsals and some rigs have it on.
      SANDBOX: process.env['RIG_SANDBOX'] ?? 'off',
      ...changes,
    }).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  ) as Record<string, string>
  const workspace = path.join(home, 'dispatch/workspace')
  const session = (named?: string) => findSession(workspace, named ?? newest(workspace))
  const events = (named?: string) => readLog(session(named).paths.events).events
  const rig: Rig = {
    home,
    stage,
    environment,
    session,
    events,
    status: named => statusOf(events(named)),
    dispatch: (words, { input, cwd = path.join(home, 'elsewhere'), env = {} } = {}) =>
      run('/bin/sh', [door, ...words], {
        env: { ...environment, ...env },
        cwd,
        deadline: 150_000,
        ...(input === undefined ? {} : { input }),
      }),
    async until(what, look, seconds = 30) {
      for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
        const found = look()
        if (found) return found
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      throw new Error(`not within ${seconds} s: ${what}`)
    },
    keys: (...words) => {
      const { socket } = tmuxOf(path.join(home, 'dispatch'))
      return run('tmux', ['-L', socket, 'send-keys', '-t', `=dispatch-${session().id}:=orchestrator`, ...words])
    },
    processes: () => processesOf(home),
    runners: () => processesOf(home).filter(({ command }) => /^\S*node\S* \S*\/runner\.[jt]s /.test(command)),
    async close() {
      if (processesOf(home).length > 0) await rig.dispatch(['stop', '--all'])
      await settle(path.join(home, 'dispatch'), 3000)
      await stage.close()
      await rig
        .until('every process of the rig is gone', () => processesOf(home).length === 0, 30)
        .catch(({ message }: Error) => {
          throw new Error(
            `${message}: ${processesOf(home)
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
export function fingerprint(folder: string): Record<string, string> {
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
export async function committed(folder: string, ...how: string[]): Promise<string> {
  for (const words of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A', ...how],
    ['commit', '-q', '-m', 'one'],
  ]) {
    const ran = await run('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...words], { cwd: folder })
    assert.equal(ran.code, 0, `git ${words.join(' ')}: ${ran.stderr}`)
  }
  return folder
}

/** Every process whose command line or environment names this folder; not ourselves. */
export function processesOf(folder: string): { pid: number; command: string }[] {
  return fs
    .readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(name => {
      const command = readProc(name, 'cmdline').replaceAll('\0', ' ').trim()
      const names = command.includes(folder) || readProc(name, 'environ').includes(folder)
      return names && command !== '' ? [{ pid: Number(name), command }] : []
    })
}

function readProc(pid: string, what: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${what}`, 'latin1')
  } catch {
    return '' // Gone, or not ours to see.
  }
}

function newest(workspace: string): string {
  const ids = fs
    .readdirSync(workspace)
    .map(id => ({ id, born: fs.statSync(path.join(workspace, id)).birthtimeMs }))
    .sort((a, b) => b.born - a.born)
  return ids[0]?.id ?? 'none'
}
