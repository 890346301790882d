import assert from 'node:assert/strict'
import { test } from 'node:test'
import { computeRoom, type Limits, type Load } from '#queue'

const now = new Date('2026-11-30T12:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString()
const limits: Limits = {
  maxSessions: 4,
  maxSessionsPerProject: 2,
  staggerSeconds: 0,
  maxStartsPerDay: 5,
  maxUsdPerDay: 20,
}
const load: Load = {
  pause: undefined,
  sessionsByRepository: { '/a': 2, '': 1 },
  freeMemoryBytes: 8e9,
  starts: [],
  lastAnswered: '',
  pendingStarts: [],
  usd: 0,
}
const compute = (changes: Partial<Load & Limits> = {}) =>
  computeRoom({ ...limits, ...changes }, { ...load, ...changes }, now)

test('what is left of the caps by machine, project and memory', () => {
  assert.deepEqual(compute(), {
    slots: 1,
    roomByRepository: { '/a': 0, '': 1 },
    defaultRoom: 2,
    reasonByRepository: { '/a': '2 sessions run in its repository; MAX_SESSIONS_PROJECT=2 allows no more' },
    reason: '',
    lacksMemory: false,
    until: null,
  })
  const own = { maxSessionsByRepository: { '/a': 3, '/b': 1 } }
  assert.deepEqual(compute(own).roomByRepository, { '/a': 1, '': 1, '/b': 1 })
  assert.equal(compute({ maxSessions: 0 }).slots, 12)
  assert.equal(compute({ maxSessions: 0, freeMemoryBytes: 1.9e9 }).slots, 3)
  assert.equal(compute({ maxSessions: 9, staggerSeconds: 1 }).slots, 1, 'one at a time, with the pause between')
})

test('what holds back everything, until when, and what lifts it', () => {
  const table: [changes: Partial<Load & Limits>, reason: RegExp, until: string | null][] = [
    [{ maxSessions: 3 }, /3 sessions run; MAX_SESSIONS=3/, null],
    [{ freeMemoryBytes: 100 << 20 }, /100 MB of memory are free, and a session needs about 600 MB/, null],
    [
      { pause: { since: minutesAgo(9), until: minutesAgo(-5), reason: 'holiday' } },
      /paused \(holiday\); `dispatch unpause`/,
      minutesAgo(-5),
    ],
    [{ pause: { since: minutesAgo(9), until: null, reason: '' } }, /^paused;/, null],
    [{ starts: [{ at: minutesAgo(2), isFailed: true }] }, /a start has failed/, minutesAgo(-3)],
    [
      { staggerSeconds: 120, starts: [{ at: minutesAgo(1), isFailed: false }] },
      /less than 120 s ago \(STAGGER_SEC\)/,
      minutesAgo(-1),
    ],
    [
      { starts: [900, 400, 300, 200, 100, 50].map(minutes => ({ at: minutesAgo(minutes), isFailed: false })) },
      /6 starts in 24 hours; MAX_STARTS_DAY=5/,
      minutesAgo(400 - 24 * 60),
    ],
    [{ usd: 20 }, /\$20\.00 spent in 24 hours; MAX_USD_DAY=20/, null],
  ]
  for (const [changes, reason, until] of table) {
    const room = compute(changes)
    assert.equal(room.slots, 0, String(reason))
    assert.match(room.reason, reason)
    assert.equal(room.until, until, String(reason))
  }
})

test('it is told where memory is all that is missing', () => {
  const freeMemoryBytes = 100 << 20
  assert.equal(compute({ freeMemoryBytes }).lacksMemory, true)
  assert.equal(compute({ freeMemoryBytes, maxSessions: 3 }).lacksMemory, false)
  assert.equal(compute({ freeMemoryBytes, usd: 20 }).lacksMemory, false)
})

test('what is over holds back nothing', () => {
  assert.equal(compute({ starts: [{ at: minutesAgo(6), isFailed: true }] }).slots, 1)
  assert.equal(compute({ staggerSeconds: 30, starts: [{ at: minutesAgo(1), isFailed: false }] }).slots, 1)
  assert.equal(compute({ usd: 19.99 }).slots, 1)
  const failures = [900, 800, 700, 600, 500].map(minutes => ({ at: minutesAgo(minutes), isFailed: true }))
  assert.equal(compute({ starts: failures }).slots, 1, 'starts that failed do not count in a day')
  assert.equal(compute({ usd: 1e6, maxUsdPerDay: 0 }).slots, 1)
})

test('starts that fail again and again make the rest longer, and one is tried alone after it', () => {
  const failed = (...minutes: number[]) => minutes.map(ago => ({ at: minutesAgo(ago), isFailed: true }))
  const good = (ago: number) => ({ at: minutesAgo(ago), isFailed: false })
  const table: [starts: Load['starts'], until: string | null][] = [
    [failed(3), minutesAgo(-2)],
    [failed(4, 3.9, 3.8), minutesAgo(3.8 - 5)], // The network was gone: they failed together.
    [failed(10, 4), minutesAgo(-6)],
    [failed(40, 34, 23, 2), minutesAgo(-38)],
    [failed(900, 800, 700, 600, 500, 400, 50), minutesAgo(-10)], // Never longer than an hour.
    [[...failed(40, 34), good(20), ...failed(2)], minutesAgo(-3)],
  ]
  for (const [starts, until] of table) {
    const lastAnswered = starts.findLast(({ isFailed }) => !isFailed)?.at ?? ''
    const { slots, reason, ...room } = compute({ starts, lastAnswered })
    assert.deepEqual([slots, room.until], [0, until], JSON.stringify(starts))
    assert.match(reason, /so the queue rests$/)
  }
  const tried = compute({ starts: [...failed(10), good(1)], pendingStarts: [minutesAgo(1)] })
  assert.equal(tried.slots, 0, 'it has not been answered yet')
  assert.match(tried.reason, /waits for the one that is tried now/)
  assert.equal(compute({ starts: [...failed(10), good(1)], lastAnswered: minutesAgo(1) }).slots, 1)
  assert.equal(compute({ starts: [good(1)], pendingStarts: [minutesAgo(1)] }).slots, 1)
  const parked = { pendingStarts: [minutesAgo(60)] } // Such as one that is parked before its first answer.
  assert.equal(compute({ ...parked, starts: [good(60), ...failed(10), good(1)], lastAnswered: minutesAgo(1) }).slots, 1)
})

test('what a clock that was ahead has recorded holds back nothing', () => {
  const starts = [1, 2, 3, 4, 5, 6].map(hours => ({ at: minutesAgo(-60 * hours), isFailed: hours === 6 }))
  assert.equal(compute({ starts, staggerSeconds: 10 }).slots, 1)
})
