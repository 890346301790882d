/**
 * The storm: thousands of notices through a server in every bad mood, while the deliverer is killed again and again.
 *   node test/notify/storm.ts --notices 10000 --kills 200 --seed 1 [--apart | --together]
 * Prints what became of them, and ends with 1 when one was lost, came twice without a lost reply, or out of order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { namesIn, readJson } from '../../host/index.ts'
import { foldersOf, type Message, post } from '../../notify/index.ts'
import { startStorm, type Taken } from './storm-server.ts'

const { values } = parseArgs({
  options: {
    notices: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    apart: { type: 'boolean', default: false },
    together: { type: 'boolean', default: false },
  },
})
const wanted = { notices: Number(values.notices), kills: Number(values.kills), seed: Number(values.seed) }
const born = Date.now() - 3600_000

async function storm(apart: boolean): Promise<boolean> {
  const started = performance.now()
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-storm-'))
  const { waiting, dead } = foldersOf(home, 'phone')
  const chance = row(wanted.seed)
  const messages = Array.from({ length: wanted.notices }, (_, at) => messageOf(at, chance))
  let child: ChildProcess | undefined
  let kills = 0
  let progress = 0
  let isOver = false
  process.once('exit', () => child?.kill('SIGKILL'))
  const server = await startStorm({
    chance,
    idsOf: sequence => idsOf(home, sequence),
    onTaken() {
      progress++
      if (chance() < 0.3 && isDue()) kill()
    },
  })
  fs.writeFileSync(
    path.join(home, '.env'),
    `DESKTOP=off\nNTFY_SERVER=http://127.0.0.1:${server.port()}\nNTFY_TOPIC=5f1d09c2a4e87b36d0c1f2a3b4e5d697\n`,
  )

  /** Kills are spread over the whole way, as far as it is known by what was posted. */
  let posted = 0
  const isDue = () => kills < (wanted.kills * posted) / wanted.notices && child !== undefined
  const kill = () => {
    if (child?.kill('SIGKILL')) kills++
  }
  const keepAlive = (async () => {
    while (!isOver) {
      const words = [path.join(import.meta.dirname, 'storm-deliverer.ts'), ...(apart ? ['--apart'] : [])]
      const env = { PATH: process.env['PATH'], HOME: home, DISPATCH_HOME: home }
      child = spawn(process.execPath, words, { env, stdio: ['ignore', 'inherit', 'inherit'] })
      progress = 0
      const signal = await new Promise(resolve => child?.once('exit', (_, by) => resolve(by)))
      child = undefined
      if (signal === 'SIGKILL') markUnheard(server.taken, waiting)
      else if (namesIn(waiting).length === 0) await sleep(20)
    }
  })()
  const weather = setInterval(() => void server.change(), 150)
  const killer = setInterval(() => {
    if (isDue() && (progress > 2 || chance() < 0.05)) kill()
  }, 25)
  while (posted < messages.length) {
    const many = 1 + Math.floor(chance() ** 3 * 60)
    for (const message of messages.slice(posted, posted + many)) post(home, message, ['phone'])
    posted = Math.min(messages.length, posted + many)
    do await sleep(5)
    while (namesIn(waiting).length > 150 || (isDue() && kills < (wanted.kills * posted) / wanted.notices - 2))
  }
  for (let left = 0, since = Date.now(); namesIn(waiting).length > 0; await sleep(20)) {
    if (namesIn(waiting).length !== left) since = Date.now()
    left = namesIn(waiting).length
    if (Date.now() - since > 60_000) break // Whatever still waits then counts as lost.
  }
  isOver = true
  if (namesIn(waiting).length > 0) child?.kill('SIGKILL')
  clearInterval(killer)
  clearInterval(weather)
  await keepAlive
  server.stop()
  const given = new Set(namesIn(dead).map(name => name.slice(16, -5)))
  return report({ apart, home, messages, taken: server.taken, given, kills, tally: server.tally, started })
}

/** The same row of numbers for the same seed (mulberry32). */
function row(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function messageOf(at: number, chance: () => number): Message {
  const of = `2026-11-21-storm-${String(Math.floor(chance() ** 2 * 40)).padStart(4, '0')}`
  const notice = { title: 'Dispatch: storm', body: `${of} is at ${at}`, priority: 3, tags: ['zap'] }
  return { id: `${of}-${at}`, of, at: new Date(born + at).toISOString(), latest: null, notice }
}

const Tries = z.object({ tries: z.record(z.string(), z.object({ names: z.array(z.string()) })) })

/** What goes under a sequence is written down before it goes. */
function idsOf(home: string, sequence: string): string[] {
  const { tries } = Tries.parse(readJson(path.join(home, 'outbox/phone/standing.json')))
  const ids = Object.values(tries).map(({ names }) => names.map(name => name.slice(16, -5)))
  return ids.find(([first]) => first === sequence) ?? []
}

/** After a kill: what the server took last, and the deliverer had no time to put away. */
function markUnheard(taken: Taken[], waiting: string): void {
  const last = taken.at(-1)
  if (last && namesIn(waiting).some(name => name.slice(16, -5) === last.ids[0])) last.unheard = true
}

interface Outcome {
  apart: boolean
  home: string
  messages: Message[]
  taken: Taken[]
  given: Set<string>
  kills: number
  tally: { requests: number; refusals: Record<string, number>; outages: number }
  started: number
}

function report({ apart, home, messages, taken, given, kills, tally, started }: Outcome): boolean {
  const arrivals = new Map<string, Taken[]>()
  for (const one of taken) for (const id of one.ids) arrivals.set(id, [...(arrivals.get(id) ?? []), one])
  const lost = messages.filter(({ id }) => !arrivals.has(id) && !given.has(id))
  const bySequence = Map.groupBy(taken, ({ sequence }) => sequence)
  const duplicates = [...bySequence.values()].reduce((sum, all) => sum + all.length - 1, 0)
  const unheard = taken.filter(one => one.unheard).length
  const causeless = [...bySequence.values()].filter(all => all.length - 1 > all.filter(one => one.unheard).length)
  const shownTwice = [...arrivals.values()].filter(all => new Set(all.map(({ sequence }) => sequence)).size > 1)
  const breaks = orderBreaks(messages, taken)
  const lines = {
    'laid out': messages.length,
    arrived: arrivals.size,
    'given up (refused twice)': given.size,
    lost: lost.length,
    pushes: bySequence.size,
    'duplicates (pushes)': duplicates,
    'replies lost': unheard,
    'duplicates without a lost reply': causeless.length,
    'duplicates where sequence ids work': shownTwice.length,
    'order breaks within a session': breaks,
    kills,
    requests: tally.requests,
    refusals: Object.entries(tally.refusals)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
    'times down': tally.outages,
    seconds: Math.round((performance.now() - started) / 1000),
  }
  console.log(`\n${apart ? 'each by itself' : 'coalesced'} (seed ${wanted.seed})`)
  for (const [name, figure] of Object.entries(lines)) console.log(`  ${name.padEnd(38)} ${figure}`)
  const isWell = lost.length + causeless.length + shownTwice.length + breaks === 0 && duplicates <= unheard
  if (isWell) fs.rmSync(home, { recursive: true })
  else console.log(`  It is not well; the home stays in ${home}`)
  return isWell
}

/** Within a session each push is the one before once more, or all of it happened later. */
function orderBreaks(messages: Message[], taken: Taken[]): number {
  const place = new Map(messages.map(({ id }, at) => [id, at]))
  const sessionOf = new Map(messages.map(({ id, of }) => [id, of]))
  const last = new Map<string, Taken>()
  let breaks = 0
  for (const one of taken) {
    const of = sessionOf.get(one.ids[0] ?? '') ?? ''
    const before = last.get(of)
    const places = one.ids.map(id => place.get(id) ?? -1)
    const isSorted = places.every((at, index) => index === 0 || at > (places[index - 1] ?? 0))
    const isLater = before === undefined || (places[0] ?? 0) > (place.get(before.ids.at(-1) ?? '') ?? 0)
    if (!isSorted || (before?.sequence !== one.sequence && !isLater)) breaks++
    last.set(of, one)
  }
  return breaks
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1))
const ways = values.apart === values.together ? [false, true] : [values.apart]
let isSound = true
for (const apart of ways) isSound = (await storm(apart)) && isSound
process.exitCode = isSound ? 0 : 1
