import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { parseSessionId } from './storm-poster.ts'

/** A parcel that the server has taken. */
export interface AcceptedBatch {
  sequence: string
  ids: string[]
  /** The deliverer never got to hear of it. */
  isUnacknowledged: boolean
}

/** What the server did, for the table. */
export interface ServerTally {
  requests: number
  refusals: Record<string, number>
  /** Refusals because too many came at once. */
  overflows: number
  outages: number
}

interface StormOptions {
  /** From 0 to 1, the same row for the same seed. */
  chance: () => number
  /** The ids that go under this sequence; the storm knows, the wire does not say. */
  idsOf: (sequence: string) => string[]
  /** Called when somebody comes, whatever becomes of it. */
  onRequest: () => void
  /** Called when a message was taken, before the answer: the moment at which a kill hurts most. */
  onTaken: () => void
}

const moods = ['fair', 'fair', 'fair', '429', '429 later', '500', '507', 'down', 'drops', 'slow', 'crowded'] as const

/** ntfy's bucket beside the deliverer's: six times as big, and a sixth faster. */
const bucket = { burst: 24, refill: 12.5 }

/**
 * A server that speaks ntfy's publish protocol in all moods: well, busy, broken, away, without replies, too slow, or with
 * others behind the same address who empty the bucket of all. It refuses one message in 20 in its full form (400, 413) and
 * one in 100 in any form. It keeps account of every reply that it owes.
 */
export async function startStormServer({ chance, idsOf, onRequest, onTaken }: StormOptions) {
  const taken: AcceptedBatch[] = []
  const tally: ServerTally = { requests: 0, refusals: {}, overflows: 0, outages: 0 }
  let mood: (typeof moods)[number] = 'fair'
  let tokens = bucket.burst
  let counted = Date.now()
  let port = 0
  let slow = 4 // So many replies come too late; each costs the deliverer its whole deadline.
  let server = await open()

  function open(): Promise<http.Server> {
    const opened = http.createServer({ keepAliveTimeout: 2000 }, (request, response) => void hear(request, response))
    return new Promise(resolve => {
      opened.listen(port, '127.0.0.1', () => {
        port = (opened.address() as AddressInfo).port
        resolve(opened)
      })
    })
  }

  async function hear(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    tally.requests++
    const sequence = new URL(request.url ?? '', 'http://ntfy').searchParams.get('sequence-id') ?? ''
    const title = String(request.headers['x-title'])
    const body = await text(request).catch(() => undefined)
    if (body === undefined) return // The deliverer was killed in the middle of its words.
    onRequest()
    if (isOverfull()) return refuse(response, 429, '1')
    const refusal = isPicky(sequence, request.headers['x-tags'] !== undefined) ?? refusalNow()
    if (refusal !== undefined) return refuse(response, refusal, mood === '429 later' ? '1' : undefined)
    take(sequence, `${title}\n${body}`, response)
    onTaken()
    if (mood === 'drops' && chance() < 0.5) return void response.destroy()
    const late = mood === 'slow' && slow > 0 && chance() < 0.1
    if (late) slow--
    const wait = late ? 2500 : mood === 'slow' ? chance() * 30 : 0
    setTimeout(() => response.writeHead(200).end(JSON.stringify({ id: `m${taken.length}`, event: 'message' })), wait)
  }

  function take(sequence: string, words: string, response: http.ServerResponse): void {
    const ids = idsOf(sequence)
    const sessions = new Set(ids.map(parseSessionId)).size
    const said = /\n(\d+) notices of /.exec(words)?.[1]
    const news = /news of (\d+) sessions\n/.exec(words)?.[1]
    const isSo = news === undefined ? sessions === 1 && ids.length === Number(said ?? 1) : sessions === Number(news)
    if (!isSo) throw new Error(`${sequence} is ${ids.length} notices of ${sessions} sessions, and says: ${words}`)
    const one: AcceptedBatch = { sequence, ids, isUnacknowledged: false }
    taken.push(one)
    response.once('close', () => {
      if (!response.writableFinished) one.isUnacknowledged = true
    })
  }

  function refusalNow(): number | undefined {
    if (mood === '429' || mood === '429 later') return 429
    return mood === '500' || mood === '507' ? Number(mood) : undefined
  }

  /** Of a crowd's bucket the others leave one in five. */
  function isOverfull(): boolean {
    const now = Date.now()
    const refill = bucket.refill * (mood === 'crowded' ? 5 : 1)
    tokens = Math.min(bucket.burst, tokens + (now - counted) / refill)
    counted = now
    const isEmpty = tokens < 1
    if (isEmpty) tally.overflows++
    else tokens--
    return isEmpty
  }

  function refuse(response: http.ServerResponse, status: number, again?: string): void {
    tally.refusals[status] = (tally.refusals[status] ?? 0) + 1
    response
      .writeHead(status, status === 429 && again ? { 'retry-after': again } : {})
      .end('{"code":40000,"error":"refused"}')
  }

  async function change(): Promise<void> {
    const next = moods[Math.floor(chance() * moods.length)] ?? 'fair'
    if (mood === 'down' && next !== 'down') server = await open()
    if (mood !== 'down' && next === 'down') {
      tally.outages++
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
    if (next === 'crowded') tokens = 0
    mood = next
  }

  function stop(): void {
    server.closeAllConnections()
    server.close()
  }

  return { taken, tally, change, stop, port: () => port }
}

/** What the server holds against some messages, whatever its mood. */
function isPicky(sequence: string, isFull: boolean): number | undefined {
  const number = [...sequence].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7) % 100
  if (number === 0) return 400
  return isFull && number <= 5 ? (number % 2 === 0 ? 400 : 413) : undefined
}
