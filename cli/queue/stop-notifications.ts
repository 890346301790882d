import type { Config } from '#host/config'
import { DAY_MS } from '#host/time.ts'
import type { Item, Queue, Room } from '#queue'
import { enqueueHomeNotification } from '../home-notification.ts'
import { NotifyOnce } from '../notify-once.ts'

/** How things stand with what waits: `room` is undefined where `.env` has a mistake, or nothing waits. */
interface Standstill {
  waiting: Item[]
  room: Pick<Room, 'reason'> | undefined
  now: Date
}

/** Something that a person is told once, as long as its stamp stays the same. */
interface Stop {
  key: string
  stamp: string
  line: string
}

/**
 * Queue one notification for each reason for which what waits does not start, and which a person can change: starts that fail, a
 * cap for a day, a mistake in `.env`, and a deadline that has passed meanwhile. The caller starts the deliverer.
 */
export async function notifyStops(config: Config, queue: Queue, { waiting, room, now }: Standstill): Promise<void> {
  const due = waiting.filter(({ notBefore }) => notBefore === null || Date.parse(notBefore) <= now.getTime())
  const starting = await queue.list(['starting'])
  if (waiting.length === 0 && starting.length > 0) return // What is tried now may wait again.
  const failed = waiting.length === 0 ? [] : await listFailedStarts(queue, { waiting, starting }, now)
  const stops = [...listStops(due, room, now), ...failed, ...waiting.flatMap(item => findMissedDeadline(item, now))]
  const told = new NotifyOnce(config.home, 'queue')
  for (const { key, stamp, line } of stops) told.tell(key, stamp, line, (id, at) => write(config, line, { id, at }))
  // A cap is told once a day, however often a place becomes free for a moment.
  const kept = [...stops.map(({ key }) => key), ...(waiting.length > 0 ? [CAP_KEY] : [])]
  told.keep('stopped', new Set(kept))
}

// --- internal ---

const CAP_KEY = 'stopped/cap'
/** One that fails may be chance, and the queue rests after it. */
const TOLD_FAILURE_COUNT = 3

function listStops(due: Item[], room: Standstill['room'], now: Date): Stop[] {
  if (due.length === 0) return []
  if (room === undefined)
    return [
      {
        key: 'stopped/settings',
        stamp: '',
        line: 'The queue starts nothing: .env has a mistake. Next: dispatch doctor',
      },
    ]
  const cap = /MAX_(?:STARTS|USD)_DAY/.exec(room.reason)?.[0]
  if (cap === undefined) return []
  const line = `The queue starts nothing for now: ${cap} allows no more. Next: dispatch queue`
  return [{ key: CAP_KEY, stamp: now.toDateString(), line }]
}

/** Of the whole queue, or else of single items: so many of the last starts in a row. One that is under way says nothing yet. */
async function listFailedStarts(
  queue: Queue,
  { waiting, starting }: Record<'waiting' | 'starting', Item[]>,
  now: Date,
): Promise<Stop[]> {
  const underWay = new Map(starting.map(({ id, since }) => [id, since]))
  const all = await queue.listStarts(new Date(now.getTime() - DAY_MS).toISOString())
  const starts = all.filter(({ item = '', at }) => at < (underWay.get(item) ?? '~'))
  const findFirst = (own: typeof starts) => {
    const row = own.slice(own.findLastIndex(({ isFailed }) => !isFailed) + 1)
    return row.length < TOLD_FAILURE_COUNT ? undefined : row[0]
  }
  const first = findFirst(starts)
  if (first !== undefined)
    return [
      {
        key: 'stopped/starts',
        stamp: first.at,
        line: `The last ${TOLD_FAILURE_COUNT} starts of the queue or more have failed. Next: dispatch queue`,
      },
    ]
  return waiting.flatMap(({ id }) => {
    const ownFirst = findFirst(starts.filter(({ item }) => item === id))
    const line = `${id} has not started ${TOLD_FAILURE_COUNT} times or more in a row. Next: dispatch queue show ${id}`
    return ownFirst === undefined ? [] : [{ key: `stopped/${id}`, stamp: ownFirst.at, line }]
  })
}

function findMissedDeadline({ id, options }: Item, now: Date): Stop[] {
  const deadline = options[options.indexOf('--deadline') + 1] ?? ''
  if (!options.includes('--deadline') || !(Date.parse(deadline) <= now.getTime())) return []
  const line = `${id} still waits, and its deadline has passed. Next: dispatch queue show ${id}`
  return [{ key: `stopped/late-${id}`, stamp: deadline, line }]
}

function write(config: Config, line: string, { id, at }: { id: string; at: string }): void {
  const head = { sessionId: 'queue', title: 'The queue needs you', priority: 4 as const, tags: ['clipboard'] }
  enqueueHomeNotification(config, { id, at, lines: [line], ...head })
}
