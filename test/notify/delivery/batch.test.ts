import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Notification, type QueuedNotification } from '#notify'
import {
  type BatchConditions,
  composeBatchNotification,
  type OutboxEntry,
  pickNextBatch,
  sortBySequence,
} from '#notify/delivery/batch.ts'
import { buildQueuedNotification } from '../../fixtures/notify-home.ts'

const batching = { perSession: 3, total: 20, sessions: 3 }
const open: BatchConditions = { attempts: {}, quietHours: '', batching, settleMs: 2000, nowMs: Date.now() }
const [a, b] = ['2026-11-20-a-0001', '2026-11-20-b-0002']

test('up to three of a session go one by one, the oldest first, whosever it is', () => {
  const waiting = lying([
    buildQueuedNotification(1, { sessionId: b }),
    buildQueuedNotification(2, { sessionId: a }),
    buildQueuedNotification(3, { sessionId: a }),
  ])
  assert.deepEqual(idsOf(pickNextBatch(waiting, open)), [`${b}-1`])
})

test('four of a session go as one, and nothing of another session with them', () => {
  const waiting = lying(
    [1, 2, 3, 4].flatMap(nth => [
      buildQueuedNotification(nth, { sessionId: a }),
      buildQueuedNotification(nth, { sessionId: b }),
    ]),
  )
  assert.deepEqual(
    idsOf(pickNextBatch(waiting, open)),
    [1, 2, 3, 4].map(nth => `${a}-${nth}`),
  )
})

test('when more than 20 wait in all, two of a session go as one already', () => {
  const loud = { title: 'T', body: 'B', priority: 4, tags: [] }
  const waiting = lying(
    Array.from({ length: 22 }, (_, at) =>
      buildQueuedNotification(at, { sessionId: `s-${at >> 1}`, notification: loud }),
    ),
  )
  assert.equal(idsOf(pickNextBatch(waiting, open)).length, 2)
  assert.equal(idsOf(pickNextBatch(waiting.slice(0, 20), open)).length, 1)
  assert.equal(idsOf(pickNextBatch(waiting, { ...open, batching: null })).length, 1)
})

test('no more than 200 go as one: the ledger names them all in one line', () => {
  const waiting = lying(Array.from({ length: 300 }, (_, at) => buildQueuedNotification(at)))
  assert.equal(idsOf(pickNextBatch(waiting, open)).length, 200)
})

test('a session that has to wait is passed over; what was tried together stays together', () => {
  const waiting = lying(
    [1, 2, 3, 4, 5]
      .map(nth => buildQueuedNotification(nth, { sessionId: a }))
      .concat(buildQueuedNotification(9, { sessionId: b })),
  )
  const fileNames = waiting.slice(0, 2).map(({ name }) => name)
  const tried = { fileNames, failures: 1, waitUntilMs: open.nowMs + 1000, isShort: true }
  assert.deepEqual(idsOf(pickNextBatch(waiting, { ...open, attempts: { [a]: tried } })), [`${b}-9`])
  const later = pickNextBatch(waiting, { ...open, attempts: { [a]: tried }, nowMs: open.nowMs + 1000 })
  assert.deepEqual(idsOf(later), [`${a}-1`, `${a}-2`])
  assert.equal(later?.isShort, true)
})

test('what quiet hours let through takes along what its session said before, and nothing after', () => {
  const noon = new Date()
  noon.setHours(12, 0, 0, 0)
  const quiet = { ...open, quietHours: '11:00-13:00', nowMs: noon.getTime() }
  const urgent = buildQueuedNotification(2, { deliverBy: new Date(noon.getTime() - 1).toISOString() })
  const waiting = lying([buildQueuedNotification(1), urgent, buildQueuedNotification(3)])
  assert.deepEqual(
    idsOf(pickNextBatch(waiting, quiet)),
    [buildQueuedNotification(1).id, urgent.id],
    'as one: nobody is rung for the first',
  )
  assert.deepEqual(idsOf(pickNextBatch(waiting.slice(1), quiet)), [urgent.id])
  assert.equal(pickNextBatch(waiting.slice(2), quiet), undefined)
})

test('what calls for nobody waits two seconds for others, unless the clock was set back; what does goes at once', () => {
  const calm = (seconds: number) =>
    buildQueuedNotification(1, { at: new Date(open.nowMs - seconds * 1000).toISOString() })
  assert.deepEqual(idsOf(pickNextBatch(lying([calm(1.9)]), open)), [])
  assert.deepEqual(idsOf(pickNextBatch(lying([calm(2)]), open)), [calm(2).id])
  assert.deepEqual(idsOf(pickNextBatch(lying([calm(-3600)]), open)), [calm(0).id])
  const loud = { ...calm(1), notification: { ...calm(1).notification, priority: 4 } }
  assert.deepEqual(idsOf(pickNextBatch(lying([loud]), open)), [loud.id])
})

test('the calm news of more than three sessions go as one; what calls somebody goes by itself, behind what came before', () => {
  const sessions = ['a', 'b', 'c', 'd', 'e']
  const calm = sessions.flatMap(sessionId => [
    buildQueuedNotification(1, { sessionId }),
    buildQueuedNotification(2, { sessionId }),
  ])
  const loud = buildQueuedNotification(3, {
    sessionId: 'a',
    notification: { title: 'T', body: 'a asks', priority: 4, tags: [] },
  })
  const waiting = lying([...calm, loud])
  const parcel = pickNextBatch(waiting, open)
  assert.deepEqual([parcel?.sessionId, parcel?.entries], ['several', lying(calm)])
  assert.ok(parcel)
  const body = sessions.map(of => `${of} is at step 2`).join('\n')
  const notice = { title: 'Dispatch: news of 5 sessions', body, priority: 3, tags: ['gear'] }
  assert.deepEqual(composeBatchNotification(parcel), notice)

  const attempts = {
    several: {
      fileNames: parcel.entries.map(({ name }) => name),
      failures: 1,
      waitUntilMs: open.nowMs + 9,
      isShort: false,
    },
  }
  assert.equal(pickNextBatch(waiting, { ...open, attempts }), undefined, 'none of these sessions overtakes itself')
  const others = lying(['f', 'g', 'h', 'i'].map(sessionId => buildQueuedNotification(1, { sessionId })))
  const next = pickNextBatch([...waiting, ...others], { ...open, attempts })
  assert.deepEqual(idsOf(next), ['f-1'], 'one parcel of several at a time')
  assert.deepEqual(pickNextBatch([...waiting, ...others], { ...open, attempts, nowMs: open.nowMs + 9 }), parcel)
  assert.deepEqual(idsOf(pickNextBatch(waiting.slice(10), open)), [loud.id])
})

test('a session numbers its facts, and they keep that order where the clock was set back', () => {
  const fact = (sessionId: string, seq: number, minute: number) =>
    buildQueuedNotification(seq, {
      sessionId,
      id: `${sessionId}-${String(seq).padStart(6, '0')}`,
      at: new Date(minute * 60_000).toISOString(),
    })
  const [one, two, three] = [fact('a', 9, 30), fact('a', 10, 10), fact('a', 11, 20)]
  const other = fact('b', 1, 15)
  const foreign = buildQueuedNotification(1, {
    sessionId: 'external',
    id: 'elsewhere-ffff',
    at: new Date(0).toISOString(),
  })
  const byTime = lying([foreign, two, other, three, one])
  const sorted = sortBySequence(byTime).map(({ queued }) => queued)
  assert.deepEqual(sorted, [foreign, one, other, two, three])
})

test('several as one: how it stands now, each state once where it came last, the highest priority', () => {
  const say = (nth: number, title: string, state: string, priority: number) =>
    buildQueuedNotification(nth, {
      sessionId: a,
      notification: { title, body: `${a} ${state}\nthe task`, priority, tags: [`t${nth}`] },
    })
  const parcel = {
    sessionId: a,
    entries: lying([say(1, 'One', 'is planning', 3), say(2, 'Two', 'is stuck', 4), say(3, 'Three', 'is planning', 2)]),
    isShort: false,
  }
  const body = `3 notices of ${a}:\nthe task\nis stuck\nis planning`
  const notice = { title: 'Two', body, priority: 4, tags: ['t2'] }
  assert.deepEqual(composeBatchNotification(parcel), notice)
  assert.deepEqual(composeBatchNotification({ ...parcel, isShort: true }), {
    ...notice,
    body: notice.body.slice(0, 80),
    tags: [],
  })
})

const proof = 'proof 3f9a3f9a3f9a3f9a'
const pass = (nth: number, sessionId: string, more: string[] = []) =>
  buildQueuedNotification(nth, {
    sessionId,
    notification: {
      title: 'Dispatch: PASS',
      body: [`${sessionId} has passed in round 2, ${proof}`, ...more].join('\n'),
      priority: 3,
      tags: ['white_check_mark'],
      kind: 'verdict',
    },
  })

test('a verdict never goes with the news of other sessions, nor does what its session says after it', () => {
  const sessions = ['a', 'b', 'c', 'd', 'e']
  const calm = sessions.map(sessionId => buildQueuedNotification(1, { sessionId }))
  const waiting = lying([...calm, pass(2, 'e'), buildQueuedNotification(3, { sessionId: 'e' })])
  const first = pickNextBatch(waiting, open)
  assert.deepEqual([first?.sessionId, first?.entries], ['several', lying(calm)])
  assert.deepEqual(idsOf(pickNextBatch(waiting.slice(5), open)), ['e-2'])
  assert.deepEqual(
    idsOf(pickNextBatch(lying([pass(0, 'x'), ...calm]), open)),
    ['x-0'],
    'it comes first, so it goes first',
  )
  const old = lying(
    sessions
      .map(of => pass(1, of))
      .map(({ notification: { kind, ...notification }, ...rest }) => ({ ...rest, notification })),
  )
  assert.equal(pickNextBatch(old, open)?.sessionId, 'several', 'a file of before does not say what it is')
})

test('a parcel holds no more than one verdict: the second begins another', () => {
  const waiting = lying(
    [1, 2, 3, 4, 5, 6].map(nth =>
      nth === 2 || nth === 4 ? pass(nth, a) : buildQueuedNotification(nth, { sessionId: a }),
    ),
  )
  assert.equal(idsOf(pickNextBatch(waiting, open)).length, 3)
  assert.equal(idsOf(pickNextBatch(waiting.slice(3), { ...open, batching: { ...batching, total: 2 } })).length, 3)
})

test('the line of a verdict is whole however much came after it, and the title is its own until somebody has to act', () => {
  const reason = 'because '.repeat(27).trim()
  const after = Array.from({ length: 30 }, (_, at) =>
    buildQueuedNotification(at + 3, { sessionId: a, notification: remark(a, at) }),
  )
  const all = [buildQueuedNotification(1, { sessionId: a }), pass(2, a, ['the task', reason]), ...after]
  const parcel = { sessionId: a, entries: lying(all), isShort: false }
  const { title, body, priority, tags } = composeBatchNotification(parcel)
  assert.deepEqual([title, priority, tags], ['Dispatch: PASS', 3, ['white_check_mark']])
  const lines = body.split('\n')
  assert.deepEqual(lines.slice(0, 3), [
    `32 notices of ${a}:`,
    '(1 more before)',
    `has passed in round 2, ${proof}: ${reason}`,
  ])
  assert.match(lines[3] ?? '', /^\(\d+ more before\)$/)
  assert.equal(lines.at(-1), 'remarks 29')

  const shortly = composeBatchNotification({ ...parcel, isShort: true })
  assert.equal(shortly.body, `32 notices of ${a}:\nhas passed in round 2, ${proof}`)
  const long = 'x'.repeat(90)
  const alone = { sessionId: long, entries: lying([pass(1, long, ['the task'])]), isShort: true }
  assert.equal(composeBatchNotification(alone).body, `${long} has passed in round 2, ${proof}`)

  const asked = { title: 'Dispatch needs you', body: `${a} asks`, priority: 4, tags: ['question'] }
  const later = lying([...all, buildQueuedNotification(99, { sessionId: a, notification: asked })])
  assert.equal(composeBatchNotification({ ...parcel, entries: later }).title, 'Dispatch needs you')
})

test('a verdict fits beside the longest title, the longest reason and the longest lines', () => {
  const wide = (letters: number) => '\u{1f680}'.repeat(letters)
  const sessionId = 'x'.repeat(100)
  const say = (nth: number) => {
    const notification = {
      title: 'T',
      body: `${sessionId} ${wide(150)}${nth}\n${wide(300)}\n${wide(200)}`,
      priority: 3,
      tags: [],
    }
    return buildQueuedNotification(nth, { sessionId, notification })
  }
  const all = Array.from({ length: 200 }, (_, at) => (at === 7 ? pass(7, sessionId, [wide(300), wide(300)]) : say(at)))
  const notice = composeBatchNotification({ sessionId, entries: lying(all), isShort: false })
  assert.ok(Notification.safeParse(notice).success, `${notice.body.length}`)
  const lines = notice.body.split('\n')
  assert.deepEqual([lines.length, lines[2], lines[4]], [6, '(7 more before)', '(191 more before)'])
  assert.ok(lines[3]?.startsWith(`has passed in round 2, ${proof}: `) && lines[3].length >= 299)
})

test('among the news of several a session stands where it last said more than a remark', () => {
  const said = ['a', 'b', 'c', 'd'].flatMap(sessionId => [
    buildQueuedNotification(1, { sessionId }),
    buildQueuedNotification(2, { sessionId, notification: remark(sessionId, 2) }),
  ])
  const quiet = buildQueuedNotification(1, { sessionId: 'e', notification: remark('e', 1) })
  const { body } = composeBatchNotification({ sessionId: 'several', entries: lying([...said, quiet]), isShort: false })
  assert.equal(body, `${['a', 'b', 'c', 'd'].map(of => `${of} is at step 1`).join('\n')}\ne remarks 1`)
})

test('however many and however long the states, the words stay within what a notice may hold', () => {
  const many = Array.from({ length: 200 }, (_, at) =>
    buildQueuedNotification(at, {
      notification: { title: 'T', body: `${'\u{1f680}wide '.repeat(40)}${at}`, priority: 3, tags: [] },
    }),
  )
  const notice = composeBatchNotification({ sessionId: 'x'.repeat(100), entries: lying(many), isShort: false })
  assert.ok(Notification.safeParse(notice).success, `${notice.body.length}`)
  assert.match(notice.body, /^200 notices of x+:\n\(\d+ more before\)\n/)
})

function lying(messages: QueuedNotification[]): OutboxEntry[] {
  return messages.map(queued => ({
    name: `${String(Date.parse(queued.at)).padStart(15, '0')}-${queued.id}.json`,
    queued,
  }))
}

function idsOf(parcel: ReturnType<typeof pickNextBatch>): string[] {
  return parcel?.entries.map(({ queued }) => queued.id) ?? []
}

function remark(of: string, nth: number): QueuedNotification['notification'] {
  return { title: 'Dispatch goes on', body: `${of} remarks ${nth}`, priority: 2, tags: ['gear'] }
}
