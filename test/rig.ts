import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Ran, run } from '../host/index.ts'
import { settle } from '../notify/index.ts'
import { environmentFor } from '../rehearsal/rehearse.ts'
import type { Scenario } from '../rehearsal/scenario.ts'
import { openStage, type Stage } from '../rehearsal/server.ts'
import { type Event, findSession, readLog, type Session, type Status, statusOf } from '../session/index.ts'

export const door = path.join(import.meta.dirname, '../bin/dispatch')

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
  /** Processes that carry this home in their environment or command line. */
  processes(): { pid: number; command: string }[]
  close(): Promise<void>
}

export const idle: Scenario = { title: '', task: '', workers: {}, orchestrator: [{ hang: true }], ends: [] }

export async function openRig(scenario: Scenario, changes: Record<string, string> = {}): Promise<Rig> {
  const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-test-')))
  const stage = await openStage(scenario)
  for (const name of ['home', 'tmp', 'elsewhere']) fs.mkdirSync(path.join(home, name))
  const environment = Object.fromEntries(
    Object.entries({
      ...environmentFor(home, stage.url, scenario),
      TMPDIR: path.join(home, 'tmp'),
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
    processes: () => processesOf(home),
    async close() {
      await rig.dispatch(['stop', '--all'])
      await settle(path.join(home, 'dispatch'), 3000)
      await stage.close()
      await rig.until('every process of the rig is gone', () => processesOf(home).length === 0, 10)
      fs.rmSync(home, { recursive: true, force: true })
    },
  }
  return rig
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
