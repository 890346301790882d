/**
 * `npm run bench:sessions [COUNT] [EVENTS]`: what `dispatch ls` and the list page cost with 10 sessions and with COUNT (10,000) of
 * EVENTS (200) events each. Every figure is a median, in ms; the page's load comes from this process.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { sha256 } from '#host/hash.ts'
import { createSession } from '#session'
import type { Event, EventBody } from '#session/log'
import { computeGenesisHash, serializeEvent } from '#session/log/log.ts'
import { startServer } from '#webui'
import { blankManifest } from '../fixtures/blank-manifest.ts'
import { sealedEvent } from '../fixtures/web-sessions.ts'

const sessionCount = Number(process.argv[2] ?? 10_000)
const eventCount = Number(process.argv[3] ?? 200)
const dispatch = path.resolve(import.meta.dirname, '../../bin/dispatch')

const small = createHome(10)
const large = createHome(sessionCount)
try {
  const rows: [string, string, string][] = [['', '10 sessions', `${sessionCount} sessions`]]
  const measure = async (what: string, work: (home: string) => Promise<number>, times: number) =>
    rows.push([what, await median(() => work(small), times), await median(() => work(large), times)])
  await measure('ls, no index yet', home => timeDispatch(home, ['ls']), 1)
  await measure('ls', home => timeDispatch(home, ['ls']), 7)
  await measure('ls --search hello', home => timeDispatch(home, ['ls', '--search', 'hello']), 5)
  await measure('ls --state FAIL', home => timeDispatch(home, ['ls', '--state', 'FAIL']), 5)
  await measure('first page', home => withPage(home, timeRequest), 3)
  await measure('pages a second', home => withPage(home, countRequests), 1)
  for (const [what, a, b] of rows) console.log(`${what.padEnd(20)} ${a.padStart(14)} ${b.padStart(16)}`)
} finally {
  for (const home of [small, large]) fs.rmSync(home, { recursive: true, force: true })
}

function createHome(count: number): string {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-sessions-'))
  for (let index = 0; index < count; index++) writeSession(path.join(home, 'workspace'), index)
  return home
}

/** Most have ended, and not one has a living runner. */
function writeSession(workspace: string, index: number): void {
  const openedAtMs = Date.now() - (index + 1) * 60_000
  const openedAt = new Date(openedAtMs).toISOString()
  const id = `${openedAt.slice(0, 10)}-bench-${index.toString(36).padStart(4, '0')}`
  const task = Buffer.from(`Task ${index}: print ${index % 100 === 0 ? 'hello' : 'a word'} and refuse an empty name.`)
  const title = task.toString()
  const session = createSession(
    workspace,
    { ...blankManifest, id, openedAt, task: { bytes: task.length, sha256: sha256(task), title } },
    task,
  )
  const filler: EventBody = {
    type: 'tool.failed',
    agent: 'orchestrator',
    tool: 'Bash',
    reason: 'exit code 1'.repeat(8),
  }
  const ending: EventBody =
    index % 500 === 0
      ? { type: 'human.needed', reason: 'the orchestrator tried to end its turn' }
      : { type: 'session.closed', actor: 'you', reason: index % 2 === 0 ? 'dispatch stop' : 'done' }
  const bodies = [
    { type: 'orchestrator.started', claudeSessionId: 'x' } as const,
    sealedEvent,
    ...Array.from({ length: eventCount - 3 }, () => filler),
    ending,
  ]
  let head = computeGenesisHash(id)
  const lines = bodies.map((body, at) => {
    const event: Event = { seq: at + 1, time: new Date(openedAtMs + at * 1000).toISOString(), ...body }
    const line = serializeEvent(event, head)
    head = sha256(line)
    return line
  })
  fs.writeFileSync(session.paths.events, `\n${lines.join('\n\n')}\n`)
}

async function timeDispatch(home: string, args: string[]): Promise<number> {
  const startedAtMs = performance.now()
  const child = spawn(dispatch, args, { env: { ...process.env, DISPATCH_HOME: home, HOME: home }, stdio: 'ignore' })
  const exitCode = await new Promise(resolve => child.on('exit', resolve))
  if (exitCode !== 0) throw new Error(`dispatch ${args.join(' ')}: exit ${exitCode}`)
  return performance.now() - startedAtMs
}

async function withPage(home: string, work: (url: string) => Promise<number>): Promise<number> {
  const config = { home, workspace: path.join(home, 'workspace'), installFolder: path.resolve(dispatch, '../..') }
  const page = await startServer({ ...config, WEBUI_PORT: 20_000 + (process.pid % 20_000), WEBUI_HOSTS: '' })
  try {
    return await work(page.url)
  } finally {
    if (page.kind === 'opened') await page.close()
  }
}

async function timeRequest(url: string): Promise<number> {
  const startedAtMs = performance.now()
  await request(url)
  return performance.now() - startedAtMs
}

async function countRequests(url: string): Promise<number> {
  const agent = new http.Agent({ keepAlive: true })
  const endMs = performance.now() + 3000
  let count = 0
  const run = async () => {
    for (; performance.now() < endMs; count++) await request(url, agent)
  }
  await Promise.all(Array.from({ length: 8 }, run))
  agent.destroy()
  return count / 3
}

function request(url: string, agent?: http.Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { ...(agent && { agent }) }, response => {
        if (response.statusCode !== 200) reject(new Error(`HTTP ${response.statusCode}`))
        response.resume().on('end', resolve)
      })
      .on('error', reject)
  })
}

async function median(work: () => Promise<number>, times: number): Promise<string> {
  const figures: number[] = []
  for (let run = 0; run < times; run++) figures.push(await work())
  return (figures.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0).toFixed(0)
}
