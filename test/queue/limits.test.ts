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
  usd: 0,
}
const compute = (changes: Partial<Load & Limits> = {}) =>
  computeRoom({ ...limits, ...changes }, { ...load, ...changes }, now)

test('what is left of the caps by machine, project and memory', () => {
  assert.deepEqual(compute(), {
    slots: 1,
    roomByRepository: { '/a': 0, '': 1 },
    defaultRoom: 2,
    reason: '',
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
    [{ staggerSeconds: 120, starts: [{ at: minutesAgo(1), isFailed: false }] }, /STAGGER_SEC=120/, minutesAgo(-1)],
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

test('what is over holds back nothing', () => {
  assert.equal(compute({ starts: [{ at: minutesAgo(6), isFailed: true }] }).slots, 1)
  assert.equal(compute({ staggerSeconds: 30, starts: [{ at: minutesAgo(1), isFailed: false }] }).slots, 1)
  assert.equal(compute({ usd: 19.99 }).slots, 1)
  assert.equal(compute({ usd: 1e6, maxUsdPerDay: 0 }).slots, 1)
})
