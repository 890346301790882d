/**
 * The storm: thousands of notices through a server in every bad mood, while deliverer and poster are killed again and
 * again.
 *   node test/notify/storm.ts --notices 10000 --kills 200 --posters 50 --seed 1 [--apart | --together]
 * Prints what became of them, and ends with 1 when one was lost, came twice without a lost reply, or out of order, or when
 * the storm was no storm: too few kills, or a bucket that was never empty.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { listNames, readJson } from '../../host/index.ts'
import { getOutboxFolders, type QueuedNotification } from '../../notify/index.ts'
import { runStormDeliverer } from './storm-deliverer.ts'
import { createStormNotifications, parseSessionId, startPoster } from './storm-poster.ts'
import { type AcceptedBatch, type ServerTally, startStormServer } from './storm-server.ts'

const { values } = parseArgs({
  options: {
    notices: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '200' },
    posters: { type: 'string' },
    seed: { type: 'string', default: '1' },
    apart: { type: 'boolean', default: false },
    together: { type: 'boolean', default: false },
  },
})
const wanted = {
  notices: Number(values.notices),
  kills: Number(values.kills),
  posters: Number(values.posters ?? Math.min(50, Number(values.notices) / 50)),
  seed: Number(values.seed),
}

async function storm(apart: boolean): Promise<boolean> {
  const started = performance.now()
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-storm-'))
  const { waiting, dead } = getOutboxFolders(home, 'phone')
  const chance = row(wanted.seed)
  const messages = createStormNotifications(wanted.notices, chance)
  const poster = startPoster(home, messages)
  let emptied = 0
  const server = await startStormServer({
    chance,
    idsOf: sequence => idsOf(home, sequence),
    onRequest() {
      if (readRetryState(home).tokens < 1) emptied++
    },
    onTaken() {
      deliverer.tally.progress++
      if (chance() < 0.3 && owed() > 0) deliverer.kill()
    },
  })
  fs.writeFileSync(
    path.join(home, '.env'),
    `DESKTOP=off\nNTFY_SERVER=http://127.0.0.1:${server.port()}\nNTFY_TOPIC=5f1d09c2a4e87b36d0c1f2a3b4e5d697\n`,
  )
  const deliverer = runStormDeliverer(home, apart, {
    onKilled: () => markUnheard(server.taken, waiting),
    isIdle: () => messagesIn(waiting).length === 0,
  })
  /** Kills are spread over the whole way, as far as it is known by what was posted, and are through before its end. */
  const share = () => Math.min(1, poster.tally.acknowledged / wanted.notices / 0.9)
  const owed = () => Math.ceil(wanted.kills * share()) - deliverer.tally.kills
  const weather = setInterval(() => void server.change(), 150)
  const killer = setInterval(() => {
    if (owed() > 0 && (deliverer.tally.progress > 2 || chance() < 0.05)) deliverer.kill()
  }, 25)
  const most = Math.min(60, wanted.notices / (2 * wanted.posters + 1))
  for (let posted = 0; posted < messages.length; ) {
    const next = Math.min(messages.length, posted + 1 + Math.floor(chance() ** 3 * most))
    const isFatal = poster.tally.kills < wanted.posters * share()
    await poster.upTo(next, isFatal ? posted + Math.ceil(chance() * (next - posted)) : undefined)
    posted = next
    const backlog = chance() ** 2 * 150 // Below 20 they mostly go one by one.
    do await sleep(5)
    while (messagesIn(waiting).length > backlog || owed() > (share() < 1 ? 2 : 0))
  }
  poster.stop()
  for (let left = 0, since = Date.now(); messagesIn(waiting).length > 0; await sleep(20)) {
    if (messagesIn(waiting).length !== left) since = Date.now()
    left = messagesIn(waiting).length
    if (Date.now() - since > 60_000) break // Whatever still waits then counts as lost.
  }
  clearInterval(killer)
  clearInterval(weather)
  const stopped = deliverer.stop()
  if (messagesIn(waiting).length > 0) deliverer.kill()
  await stopped
  server.stop()
  const givenUpIds = new Set(listNames(dead).map(name => name.slice(16, -5)))
  const drafts = listNames(waiting).length - messagesIn(waiting).length
  const { taken, tally } = server
  const { kills } = deliverer.tally
  return report({
    apart,
    home,
    messages,
    taken,
    givenUpIds,
    kills,
    emptied,
    drafts,
    poster: poster.tally,
    tally,
    started,
  })
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

const RetryState = z.object({
  tokens: z.number(),
  tries: z.record(z.string(), z.object({ names: z.array(z.string()) })),
})

/** What the deliverer has written down before it sends. */
function readRetryState(home: string): z.infer<typeof RetryState> {
  return RetryState.parse(readJson(path.join(home, 'outbox/phone/standing.json')))
}

/** What goes under a sequence is written down before it goes. */
function idsOf(home: string, sequence: string): string[] {
  const ids = Object.values(readRetryState(home).tries).map(({ names }) => names.map(name => name.slice(16, -5)))
  return ids.find(([first]) => first === sequence) ?? []
}

/** The messages that lie there; a draft is none, for nobody was told that it was taken. */
function messagesIn(folder: string): string[] {
  return listNames(folder).filter(name => !name.startsWith('.tmp-'))
}

/** After a kill: what the server took last, and the deliverer had no time to put away. */
function markUnheard(taken: AcceptedBatch[], waiting: string): void {
  const last = taken.at(-1)
  if (last && messagesIn(waiting).some(name => name.slice(16, -5) === last.ids[0])) last.isUnacknowledged = true
}

interface StormResult {
  apart: boolean
  home: string
  messages: QueuedNotification[]
  taken: AcceptedBatch[]
  givenUpIds: Set<string>
  kills: number
  /** How often the deliverer sent the last that its bucket held. */
  emptied: number
  drafts: number
  poster: ReturnType<typeof startPoster>['tally']
  tally: ServerTally
  started: number
}

function report(outcome: StormResult): boolean {
  const { apart, home, messages, taken, givenUpIds, kills, poster, tally } = outcome
  const arrivals = new Map<string, AcceptedBatch[]>()
  for (const one of taken) for (const id of one.ids) arrivals.set(id, [...(arrivals.get(id) ?? []), one])
  const lost = messages.filter(({ id }) => !arrivals.has(id) && !givenUpIds.has(id))
  const bySequence = Map.groupBy(taken, ({ sequence }) => sequence)
  const duplicates = [...bySequence.values()].reduce((sum, all) => sum + all.length - 1, 0)
  const unheard = taken.filter(one => one.isUnacknowledged).length
  const causeless = [...bySequence.values()].filter(
    all => all.length - 1 > all.filter(one => one.isUnacknowledged).length,
  )
  const shownTwice = [...arrivals.values()].filter(all => new Set(all.map(({ sequence }) => sequence)).size > 1)
  const breaks = orderBreaks(messages, taken)
  const lines = {
    'laid out': messages.length,
    acknowledged: poster.acknowledged,
    arrived: arrivals.size,
    'given up (refused twice)': givenUpIds.size,
    lost: lost.length,
    pushes: bySequence.size,
    'duplicates (pushes)': duplicates,
    'replies lost': unheard,
    'duplicates without a lost reply': causeless.length,
    'duplicates where sequence ids work': shownTwice.length,
    'order breaks within a session': breaks,
    kills,
    'kills of the poster': poster.kills,
    'posted again after a kill': poster.again,
    'drafts left': outcome.drafts,
    'our bucket empty': outcome.emptied,
    'the server’s bucket empty': tally.overflows,
    requests: tally.requests,
    refusals: Object.entries(tally.refusals)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
    'times down': tally.outages,
    seconds: Math.round((performance.now() - outcome.started) / 1000),
  }
  console.log(`\n${apart ? 'each by itself' : 'coalesced'} (seed ${wanted.seed})`)
  for (const [name, figure] of Object.entries(lines)) console.log(`  ${name.padEnd(38)} ${figure}`)
  const isSmall = messages.length < 1000 // On a busy machine so few may go slower than the bucket fills.
  const isKept = lost.length + causeless.length + shownTwice.length + breaks === 0 && duplicates <= unheard
  const isStorm = kills >= wanted.kills && poster.kills >= wanted.posters && (outcome.emptied > 0 || isSmall)
  const isWell = isKept && isStorm && poster.acknowledged === messages.length
  if (isWell) fs.rmSync(home, { recursive: true })
  else console.log(`  It is not well; the home stays in ${home}`)
  return isWell
}

/** Within a session each push is the one before once more, or all of it happened later. */
function orderBreaks(messages: QueuedNotification[], taken: AcceptedBatch[]): number {
  const place = new Map(messages.map(({ id }, at) => [id, at]))
  const last = new Map<string, { sequence: string; place: number }>()
  let breaks = 0
  for (const { sequence, ids } of taken)
    for (const [of, its] of Map.groupBy(ids, parseSessionId)) {
      const places = its.map(id => place.get(id) ?? -1)
      const before = last.get(of)
      const isSorted = places.every((at, index) => index === 0 || at > (places[index - 1] ?? 0))
      const isLater = before === undefined || (places[0] ?? 0) > before.place
      if (!isSorted || (before?.sequence !== sequence && !isLater)) breaks++
      last.set(of, { sequence, place: places.at(-1) ?? -1 })
    }
  return breaks
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1))
const ways = values.apart === values.together ? [false, true] : [values.apart]
let isSound = true
for (const apart of ways) isSound = (await storm(apart)) && isSound
process.exitCode = isSound ? 0 : 1
