import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE_MS } from '#host/time.ts'
import { Notification, type QueuedNotification } from '#notify'
import {
  type BatchConditions,
  composeBatchNotification,
  type NotificationBatch,
  type OutboxEntry,
  pickNextBatch,
  sortBySequence,
} from '#notify/delivery/batch.ts'
import { buildQueuedNotification } from '../../fixtures/notify-home.ts'

const batching = { perSession: 3, total: 20, sessions: 3 }
const conditions: BatchConditions = { attempts: {}, quietHours: '', batching, settleMs: 2000, nowMs: Date.now() }
const [a, b] = ['2026-11-20-a-0001', '2026-11-20-b-0002']
const rocket = '\u{1f680}'

// --- what is picked ---

test('up to three of a session are sent one by one, the oldest first', () => {
  const entries = toEntries([
    buildQueuedNotification(1, { sessionId: b }),
    buildQueuedNotification(2, { sessionId: a }),
    buildQueuedNotification(3, { sessionId: a }),
  ])
  assert.deepEqual(pickIds(entries), [`${b}-1`])
})

test('four of a session are one batch, without those of another session', () => {
  const entries = toEntries(
    [1, 2, 3, 4].flatMap(number => [
      buildQueuedNotification(number, { sessionId: a }),
      buildQueuedNotification(number, { sessionId: b }),
    ]),
  )
  assert.deepEqual(
    pickIds(entries),
    [1, 2, 3, 4].map(number => `${a}-${number}`),
  )
})

test('when more than 20 wait, two of a session are one batch', () => {
  const notification = { title: 'T', body: 'B', priority: 4, tags: [] }
  const entries = toEntries(
    Array.from({ length: 22 }, (_, index) =>
      buildQueuedNotification(index, { sessionId: `s-${index >> 1}`, notification }),
    ),
  )
  assert.equal(pickIds(entries).length, 2)
  assert.equal(pickIds(entries.slice(0, 20)).length, 1)
  assert.equal(pickIds(entries, { batching: null }).length, 1)
})

test('a batch has at most 200 notifications', () => {
  const entries = toEntries(Array.from({ length: 300 }, (_, index) => buildQueuedNotification(index)))
  assert.equal(pickIds(entries).length, 200)
})

test('a waiting session is skipped, and a batch that failed stays as it is', () => {
  const entries = toEntries([
    ...[1, 2, 3, 4, 5].map(number => buildQueuedNotification(number, { sessionId: a })),
    buildQueuedNotification(9, { sessionId: b }),
  ])
  const fileNames = entries.slice(0, 2).map(({ name }) => name)
  const attempt = { fileNames, failures: 1, waitUntilMs: conditions.nowMs + 1000, isShort: true }
  const waiting = { ...conditions, attempts: { [a]: attempt } }
  assert.deepEqual(pickIds(entries, waiting), [`${b}-9`])
  const batch = pickNextBatch(entries, { ...waiting, nowMs: attempt.waitUntilMs })
  assert.deepEqual(listIds(batch), [`${a}-1`, `${a}-2`])
  assert.equal(batch?.isShort, true)
})

test('in quiet hours an urgent notification takes the earlier ones along', () => {
  const noon = new Date()
  noon.setHours(12, 0, 0, 0)
  const quiet = { quietHours: '11:00-13:00', nowMs: noon.getTime() }
  const urgent = buildQueuedNotification(2, { deliverBy: new Date(noon.getTime() - 1).toISOString() })
  const entries = toEntries([buildQueuedNotification(1), urgent, buildQueuedNotification(3)])
  assert.deepEqual(pickIds(entries, quiet), [buildQueuedNotification(1).id, urgent.id])
  assert.deepEqual(pickIds(entries.slice(1), quiet), [urgent.id])
  assert.deepEqual(pickIds(entries.slice(2), quiet), [])
})

test('only a routine notification waits two seconds for others', () => {
  const buildRoutine = (ageSeconds: number) =>
    buildQueuedNotification(1, { at: new Date(conditions.nowMs - ageSeconds * 1000).toISOString() })
  assert.deepEqual(pickIds(toEntries([buildRoutine(1.9)])), [])
  assert.deepEqual(pickIds(toEntries([buildRoutine(2)])), [buildRoutine(2).id])
  assert.deepEqual(pickIds(toEntries([buildRoutine(-3600)])), [buildRoutine(0).id], 'the clock was set back')
  const routine = buildRoutine(1)
  const needsAction = { ...routine, notification: { ...routine.notification, priority: 4 } }
  assert.deepEqual(pickIds(toEntries([needsAction])), [needsAction.id])
})

test('routine notifications of more than three sessions are one batch', () => {
  const sessions = ['a', 'b', 'c', 'd', 'e']
  const routine = sessions.flatMap(sessionId => [
    buildQueuedNotification(1, { sessionId }),
    buildQueuedNotification(2, { sessionId }),
  ])
  const question = buildQueuedNotification(3, {
    sessionId: 'a',
    notification: { title: 'T', body: 'a asks', priority: 4, tags: [] },
  })
  const entries = toEntries([...routine, question])
  const batch = pickNextBatch(entries, conditions)
  assert.ok(batch)
  assert.deepEqual([batch.sessionId, batch.entries], ['several', toEntries(routine)])
  assert.deepEqual(composeBatchNotification(batch), {
    title: 'Dispatch: news from 5 sessions',
    body: sessions.map(sessionId => `${sessionId} is at step 2`).join('\n'),
    priority: 3,
    tags: ['gear'],
  })
  assert.deepEqual(pickIds(entries.slice(10)), [question.id])
})

test('while a batch of several sessions waits, only its sessions wait', () => {
  const sessions = ['a', 'b', 'c', 'd', 'e']
  const entries = toEntries(sessions.map(sessionId => buildQueuedNotification(1, { sessionId })))
  const fileNames = entries.map(({ name }) => name)
  const attempt = { fileNames, failures: 1, waitUntilMs: conditions.nowMs + 9, isShort: false }
  const waiting = { attempts: { several: attempt } }
  const later = toEntries([buildQueuedNotification(2, { sessionId: 'a' })])
  assert.deepEqual(pickIds([...entries, ...later], waiting), [])
  const others = toEntries(['f', 'g', 'h', 'i'].map(sessionId => buildQueuedNotification(1, { sessionId })))
  const all = [...entries, ...later, ...others]
  assert.deepEqual(pickIds(all, waiting), ['f-1'], 'one batch of several sessions at a time')
  const batch = pickNextBatch(all, { ...conditions, ...waiting, nowMs: attempt.waitUntilMs })
  assert.deepEqual([batch?.sessionId, batch?.entries], ['several', entries])
})

test('notifications keep the order of their numbers when the clock is set back', () => {
  const buildNumbered = (sessionId: string, seq: number, minute: number) =>
    buildQueuedNotification(seq, {
      sessionId,
      id: `${sessionId}-${String(seq).padStart(6, '0')}`,
      at: new Date(minute * MINUTE_MS).toISOString(),
    })
  const [first, second, third] = [buildNumbered('a', 9, 30), buildNumbered('a', 10, 10), buildNumbered('a', 11, 20)]
  const other = buildNumbered('b', 1, 15)
  const external = buildQueuedNotification(1, {
    sessionId: 'external',
    id: 'elsewhere-ffff',
    at: new Date(0).toISOString(),
  })
  const byTime = toEntries([external, second, other, third, first])
  assert.deepEqual(
    sortBySequence(byTime).map(({ queued }) => queued),
    [external, first, other, second, third],
  )
})

test('a verdict is in no batch with other sessions, and neither is what follows it', () => {
  const sessions = ['a', 'b', 'c', 'd', 'e']
  const routine = sessions.map(sessionId => buildQueuedNotification(1, { sessionId }))
  const entries = toEntries([...routine, buildPass(2, 'e'), buildQueuedNotification(3, { sessionId: 'e' })])
  const batch = pickNextBatch(entries, conditions)
  assert.deepEqual([batch?.sessionId, batch?.entries], ['several', toEntries(routine)])
  assert.deepEqual(pickIds(entries.slice(5)), ['e-2'])
  assert.deepEqual(pickIds(toEntries([buildPass(0, 'x'), ...routine])), ['x-0'], 'the oldest goes first')
  const unmarked = sessions
    .map(sessionId => buildPass(1, sessionId))
    .map(({ notification: { kind, ...notification }, ...rest }) => ({ ...rest, notification }))
  assert.equal(pickNextBatch(toEntries(unmarked), conditions)?.sessionId, 'several', 'from an older dispatch')
})

test('a second verdict begins another batch', () => {
  const entries = toEntries(
    [1, 2, 3, 4, 5, 6].map(number =>
      number === 2 || number === 4 ? buildPass(number, a) : buildQueuedNotification(number, { sessionId: a }),
    ),
  )
  assert.equal(pickIds(entries).length, 3)
  assert.equal(pickIds(entries.slice(3), { batching: { ...batching, total: 2 } }).length, 3)
})

// --- what a batch says ---

test('a batch has the newest state as title, and the highest priority', () => {
  const build = (number: number, title: string, state: string, priority: number) =>
    buildQueuedNotification(number, {
      sessionId: a,
      notification: { title, body: `${a} ${state}\nthe task`, priority, tags: [`t${number}`] },
    })
  const batch = createBatch(a, [
    build(1, 'One', 'is planning', 3),
    build(2, 'Two', 'is stuck', 4),
    build(3, 'Three', 'is planning', 2),
  ])
  const notification = {
    title: 'Two',
    body: `3 notifications from ${a}:\nthe task\nis stuck\nis planning`,
    priority: 4,
    tags: ['t2'],
  }
  assert.deepEqual(composeBatchNotification(batch), notification)
  assert.deepEqual(composeBatchNotification({ ...batch, isShort: true }), {
    ...notification,
    body: notification.body.slice(0, 80),
    tags: [],
  })
})

test('the line of a verdict stays whole, and its title stays unless you must act', () => {
  const reason = 'because '.repeat(27).trim()
  const remarks = Array.from({ length: 30 }, (_, index) => buildRemark(index + 3, a))
  const all = [buildQueuedNotification(1, { sessionId: a }), buildPass(2, a, ['the task', reason]), ...remarks]
  const { title, body, priority, tags } = composeBatchNotification(createBatch(a, all))
  assert.deepEqual([title, priority, tags], ['Dispatch: PASS', 3, ['white_check_mark']])
  const lines = body.split('\n')
  assert.deepEqual(lines.slice(0, 3), [`32 notifications from ${a}:`, '(1 not shown)', `${passState}: ${reason}`])
  assert.match(lines[3] ?? '', /^\(\d+ not shown\)$/)
  assert.equal(lines.at(-1), 'remark 32')

  const question = { title: 'Dispatch needs you', body: `${a} asks`, priority: 4, tags: ['question'] }
  const asked = [...all, buildQueuedNotification(99, { sessionId: a, notification: question })]
  assert.equal(composeBatchNotification(createBatch(a, asked)).title, 'Dispatch needs you')
})

test('the line of a verdict stays whole in a short batch', () => {
  const entries = [buildQueuedNotification(1, { sessionId: a }), buildPass(2, a, ['the task', 'the reason'])]
  const batch = { ...createBatch(a, entries), isShort: true }
  assert.equal(composeBatchNotification(batch).body, `2 notifications from ${a}:\n${passState}`)
  const longId = 'x'.repeat(90)
  const single = { ...createBatch(longId, [buildPass(1, longId, ['the task'])]), isShort: true }
  assert.equal(composeBatchNotification(single).body, `${longId} ${passState}`)
})

test('a verdict fits beside the longest title, reason and lines', () => {
  const sessionId = 'x'.repeat(100)
  const wideLine = rocket.repeat(300)
  const all = Array.from({ length: 200 }, (_, index) => {
    const body = `${sessionId} ${rocket.repeat(150)}${index}\n${wideLine}\n${rocket.repeat(200)}`
    const notification = { title: 'T', body, priority: 3, tags: [] }
    return index === 7
      ? buildPass(index, sessionId, [wideLine, wideLine])
      : buildQueuedNotification(index, { sessionId, notification })
  })
  const notification = composeBatchNotification(createBatch(sessionId, all))
  assert.ok(Notification.safeParse(notification).success, `${notification.body.length}`)
  const lines = notification.body.split('\n')
  assert.deepEqual([lines.length, lines[2], lines[4]], [6, '(7 not shown)', '(191 not shown)'])
  assert.ok(lines[3]?.startsWith(`${passState}: `) && lines[3].length >= 299)
})

test('a batch of several sessions shows the last state that is more than a remark', () => {
  const all = ['a', 'b', 'c', 'd'].flatMap(sessionId => [
    buildQueuedNotification(1, { sessionId }),
    buildRemark(2, sessionId),
  ])
  const { body } = composeBatchNotification(createBatch('several', [...all, buildRemark(1, 'e')]))
  assert.equal(body, 'a is at step 1\nb is at step 1\nc is at step 1\nd is at step 1\ne remark 1')
})

test('a batch of many long states stays within 1,000 characters', () => {
  const all = Array.from({ length: 200 }, (_, index) =>
    buildQueuedNotification(index, {
      notification: { title: 'T', body: `${`${rocket}wide `.repeat(40)}${index}`, priority: 3, tags: [] },
    }),
  )
  const notification = composeBatchNotification(createBatch('x'.repeat(100), all))
  assert.ok(Notification.safeParse(notification).success, `${notification.body.length}`)
  assert.match(notification.body, /^200 notifications from x+:\n\(\d+ not shown\)\n/)
})

// --- shared ---

const passState = 'passed in round 2, log anchor 3f9a3f9a3f9a3f9a'

function buildPass(number: number, sessionId: string, detailLines: string[] = []): QueuedNotification {
  return buildQueuedNotification(number, {
    sessionId,
    notification: {
      title: 'Dispatch: PASS',
      body: [`${sessionId} ${passState}`, ...detailLines].join('\n'),
      priority: 3,
      tags: ['white_check_mark'],
      kind: 'verdict',
    },
  })
}

function buildRemark(number: number, sessionId: string): QueuedNotification {
  const notification = {
    title: 'Dispatch continues',
    body: `${sessionId} remark ${number}`,
    priority: 2,
    tags: ['gear'],
  }
  return buildQueuedNotification(number, { sessionId, notification })
}

function toEntries(queue: QueuedNotification[]): OutboxEntry[] {
  return queue.map(queued => ({
    name: `${String(Date.parse(queued.at)).padStart(15, '0')}-${queued.id}.json`,
    queued,
  }))
}

function createBatch(sessionId: string, queue: QueuedNotification[]): NotificationBatch {
  return { sessionId, entries: toEntries(queue), isShort: false }
}

function pickIds(entries: OutboxEntry[], changes: Partial<BatchConditions> = {}): string[] {
  return listIds(pickNextBatch(entries, { ...conditions, ...changes }))
}

function listIds(batch: NotificationBatch | undefined): string[] {
  return batch?.entries.map(({ queued }) => queued.id) ?? []
}
