import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Message, Notice } from '../../notify/index.ts'
import { type Holds, inOrder, type Lying, nextParcel, noticeFor } from '../../notify/parcel.ts'
import { messageOf } from './home.ts'

const together = { ofOne: 3, inAll: 20, sessions: 3 }
const open: Holds = { tries: {}, quietHours: '', together, settling: 2000, now: Date.now() }
const [a, b] = ['2026-11-20-a-0001', '2026-11-20-b-0002']

test('up to three of a session go one by one, the oldest first, whosever it is', () => {
  const waiting = lying([messageOf(1, { of: b }), messageOf(2, { of: a }), messageOf(3, { of: a })])
  assert.deepEqual(idsOf(nextParcel(waiting, open)), [`${b}-1`])
})

test('four of a session go as one, and nothing of another session with them', () => {
  const waiting = lying([1, 2, 3, 4].flatMap(nth => [messageOf(nth, { of: a }), messageOf(nth, { of: b })]))
  assert.deepEqual(
    idsOf(nextParcel(waiting, open)),
    [1, 2, 3, 4].map(nth => `${a}-${nth}`),
  )
})

test('when more than 20 wait in all, two of a session go as one already', () => {
  const loud = { title: 'T', body: 'B', priority: 4, tags: [] }
  const waiting = lying(Array.from({ length: 22 }, (_, at) => messageOf(at, { of: `s-${at >> 1}`, notice: loud })))
  assert.equal(idsOf(nextParcel(waiting, open)).length, 2)
  assert.equal(idsOf(nextParcel(waiting.slice(0, 20), open)).length, 1)
  assert.equal(idsOf(nextParcel(waiting, { ...open, together: null })).length, 1)
})

test('no more than 200 go as one: the ledger names them all in one line', () => {
  const waiting = lying(Array.from({ length: 300 }, (_, at) => messageOf(at)))
  assert.equal(idsOf(nextParcel(waiting, open)).length, 200)
})

test('a session that has to wait is passed over; what was tried together stays together', () => {
  const waiting = lying([1, 2, 3, 4, 5].map(nth => messageOf(nth, { of: a })).concat(messageOf(9, { of: b })))
  const names = waiting.slice(0, 2).map(({ name }) => name)
  const tried = { names, failures: 1, until: open.now + 1000, short: true }
  assert.deepEqual(idsOf(nextParcel(waiting, { ...open, tries: { [a]: tried } })), [`${b}-9`])
  const later = nextParcel(waiting, { ...open, tries: { [a]: tried }, now: open.now + 1000 })
  assert.deepEqual(idsOf(later), [`${a}-1`, `${a}-2`])
  assert.equal(later?.short, true)
})

test('what quiet hours let through takes along what its session said before, and nothing after', () => {
  const noon = new Date()
  noon.setHours(12, 0, 0, 0)
  const quiet = { ...open, quietHours: '11:00-13:00', now: noon.getTime() }
  const urgent = messageOf(2, { latest: new Date(noon.getTime() - 1).toISOString() })
  const waiting = lying([messageOf(1), urgent, messageOf(3)])
  assert.deepEqual(
    idsOf(nextParcel(waiting, quiet)),
    [messageOf(1).id, urgent.id],
    'as one: nobody is rung for the first',
  )
  assert.deepEqual(idsOf(nextParcel(waiting.slice(1), quiet)), [urgent.id])
  assert.equal(nextParcel(waiting.slice(2), quiet), undefined)
})

test('what calls for nobody waits two seconds for others, unless the clock was set back; what does goes at once', () => {
  const calm = (seconds: number) => messageOf(1, { at: new Date(open.now - seconds * 1000).toISOString() })
  assert.deepEqual(idsOf(nextParcel(lying([calm(1.9)]), open)), [])
  assert.deepEqual(idsOf(nextParcel(lying([calm(2)]), open)), [calm(2).id])
  assert.deepEqual(idsOf(nextParcel(lying([calm(-3600)]), open)), [calm(0).id])
  const loud = { ...calm(1), notice: { ...calm(1).notice, priority: 4 } }
  assert.deepEqual(idsOf(nextParcel(lying([loud]), open)), [loud.id])
})

test('the calm news of more than three sessions go as one; what calls somebody goes by itself, behind what came before', () => {
  const sessions = ['a', 'b', 'c', 'd', 'e']
  const calm = sessions.flatMap(of => [messageOf(1, { of }), messageOf(2, { of })])
  const loud = messageOf(3, { of: 'a', notice: { title: 'T', body: 'a asks', priority: 4, tags: [] } })
  const waiting = lying([...calm, loud])
  const parcel = nextParcel(waiting, open)
  assert.deepEqual([parcel?.of, parcel?.lying], ['several', lying(calm)])
  assert.ok(parcel)
  const body = sessions.map(of => `${of} is at step 2`).join('\n')
  const notice = { title: 'Dispatch: news of 5 sessions', body, priority: 3, tags: ['gear'] }
  assert.deepEqual(noticeFor(parcel), notice)

  const tries = {
    several: { names: parcel.lying.map(({ name }) => name), failures: 1, until: open.now + 9, short: false },
  }
  assert.equal(nextParcel(waiting, { ...open, tries }), undefined, 'none of these sessions overtakes itself')
  const others = lying(['f', 'g', 'h', 'i'].map(of => messageOf(1, { of })))
  const next = nextParcel([...waiting, ...others], { ...open, tries })
  assert.deepEqual(idsOf(next), ['f-1'], 'one parcel of several at a time')
  assert.deepEqual(nextParcel([...waiting, ...others], { ...open, tries, now: open.now + 9 }), parcel)
  assert.deepEqual(idsOf(nextParcel(waiting.slice(10), open)), [loud.id])
})

test('a session numbers its facts, and they keep that order where the clock was set back', () => {
  const fact = (of: string, seq: number, minute: number) =>
    messageOf(seq, { of, id: `${of}-${String(seq).padStart(6, '0')}`, at: new Date(minute * 60_000).toISOString() })
  const [one, two, three] = [fact('a', 9, 30), fact('a', 10, 10), fact('a', 11, 20)]
  const other = fact('b', 1, 15)
  const foreign = messageOf(1, { of: 'elsewhere', id: 'elsewhere-ffff', at: new Date(0).toISOString() })
  const byTime = lying([foreign, two, other, three, one])
  const sorted = inOrder(byTime).map(({ message }) => message)
  assert.deepEqual(sorted, [foreign, one, other, two, three])
})

test('several as one: how it stands now, each state once where it came last, the highest priority', () => {
  const say = (nth: number, title: string, state: string, priority: number) =>
    messageOf(nth, { of: a, notice: { title, body: `${a} ${state}\nthe task`, priority, tags: [`t${nth}`] } })
  const parcel = {
    of: a,
    lying: lying([say(1, 'One', 'is planning', 3), say(2, 'Two', 'is stuck', 4), say(3, 'Three', 'is planning', 2)]),
    short: false,
  }
  const body = `3 notices of ${a}:\nthe task\nis stuck\nis planning`
  const notice = { title: 'Two', body, priority: 4, tags: ['t2'] }
  assert.deepEqual(noticeFor(parcel), notice)
  assert.deepEqual(noticeFor({ ...parcel, short: true }), { ...notice, body: notice.body.slice(0, 80), tags: [] })
})

const proof = 'proof 3f9a3f9a3f9a3f9a'
const pass = (nth: number, of: string, more: string[] = []) =>
  messageOf(nth, {
    of,
    notice: {
      title: 'Dispatch: PASS',
      body: [`${of} has passed in round 2, ${proof}`, ...more].join('\n'),
      priority: 3,
      tags: ['white_check_mark'],
      is: 'verdict',
    },
  })

test('a verdict never goes with the news of other sessions, nor does what its session says after it', () => {
  const sessions = ['a', 'b', 'c', 'd', 'e']
  const calm = sessions.map(of => messageOf(1, { of }))
  const waiting = lying([...calm, pass(2, 'e'), messageOf(3, { of: 'e' })])
  const first = nextParcel(waiting, open)
  assert.deepEqual([first?.of, first?.lying], ['several', lying(calm)])
  assert.deepEqual(idsOf(nextParcel(waiting.slice(5), open)), ['e-2'])
  assert.deepEqual(idsOf(nextParcel(lying([pass(0, 'x'), ...calm]), open)), ['x-0'], 'it comes first, so it goes first')
  const old = lying(
    sessions.map(of => pass(1, of)).map(({ notice: { is, ...notice }, ...rest }) => ({ ...rest, notice })),
  )
  assert.equal(nextParcel(old, open)?.of, 'several', 'a file of before does not say what it is')
})

test('a parcel holds no more than one verdict: the second begins another', () => {
  const waiting = lying(
    [1, 2, 3, 4, 5, 6].map(nth => (nth === 2 || nth === 4 ? pass(nth, a) : messageOf(nth, { of: a }))),
  )
  assert.equal(idsOf(nextParcel(waiting, open)).length, 3)
  assert.equal(idsOf(nextParcel(waiting.slice(3), { ...open, together: { ...together, inAll: 2 } })).length, 3)
})

test('the line of a verdict is whole however much came after it, and the title is its own until somebody has to act', () => {
  const reason = 'because '.repeat(27).trim()
  const after = Array.from({ length: 30 }, (_, at) => messageOf(at + 3, { of: a, notice: remark(a, at) }))
  const all = [messageOf(1, { of: a }), pass(2, a, ['the task', reason]), ...after]
  const parcel = { of: a, lying: lying(all), short: false }
  const { title, body, priority, tags } = noticeFor(parcel)
  assert.deepEqual([title, priority, tags], ['Dispatch: PASS', 3, ['white_check_mark']])
  const lines = body.split('\n')
  assert.deepEqual(lines.slice(0, 3), [
    `32 notices of ${a}:`,
    '(1 more before)',
    `has passed in round 2, ${proof}: ${reason}`,
  ])
  assert.match(lines[3] ?? '', /^\(\d+ more before\)$/)
  assert.equal(lines.at(-1), 'remarks 29')

  const shortly = noticeFor({ ...parcel, short: true })
  assert.equal(shortly.body, `32 notices of ${a}:\nhas passed in round 2, ${proof}`)
  const long = 'x'.repeat(90)
  const alone = { of: long, lying: lying([pass(1, long, ['the task'])]), short: true }
  assert.equal(noticeFor(alone).body, `${long} has passed in round 2, ${proof}`)

  const asked = { title: 'Dispatch needs you', body: `${a} asks`, priority: 4, tags: ['question'] }
  const later = lying([...all, messageOf(99, { of: a, notice: asked })])
  assert.equal(noticeFor({ ...parcel, lying: later }).title, 'Dispatch needs you')
})

test('a verdict fits beside the longest title, the longest reason and the longest lines', () => {
  const wide = (letters: number) => '\u{1f680}'.repeat(letters)
  const of = 'x'.repeat(100)
  const say = (nth: number) => {
    const notice = { title: 'T', body: `${of} ${wide(150)}${nth}\n${wide(300)}\n${wide(200)}`, priority: 3, tags: [] }
    return messageOf(nth, { of, notice })
  }
  const all = Array.from({ length: 200 }, (_, at) => (at === 7 ? pass(7, of, [wide(300), wide(300)]) : say(at)))
  const notice = noticeFor({ of, lying: lying(all), short: false })
  assert.ok(Notice.safeParse(notice).success, `${notice.body.length}`)
  const lines = notice.body.split('\n')
  assert.deepEqual([lines.length, lines[2], lines[4]], [6, '(7 more before)', '(191 more before)'])
  assert.ok(lines[3]?.startsWith(`has passed in round 2, ${proof}: `) && lines[3].length >= 299)
})

test('among the news of several a session stands where it last said more than a remark', () => {
  const said = ['a', 'b', 'c', 'd'].flatMap(of => [messageOf(1, { of }), messageOf(2, { of, notice: remark(of, 2) })])
  const quiet = messageOf(1, { of: 'e', notice: remark('e', 1) })
  const { body } = noticeFor({ of: 'several', lying: lying([...said, quiet]), short: false })
  assert.equal(body, `${['a', 'b', 'c', 'd'].map(of => `${of} is at step 1`).join('\n')}\ne remarks 1`)
})

test('however many and however long the states, the words stay within what a notice may hold', () => {
  const many = Array.from({ length: 200 }, (_, at) =>
    messageOf(at, { notice: { title: 'T', body: `${'\u{1f680}wide '.repeat(40)}${at}`, priority: 3, tags: [] } }),
  )
  const notice = noticeFor({ of: 'x'.repeat(100), lying: lying(many), short: false })
  assert.ok(Notice.safeParse(notice).success, `${notice.body.length}`)
  assert.match(notice.body, /^200 notices of x+:\n\(\d+ more before\)\n/)
})

function lying(messages: Message[]): Lying[] {
  return messages.map(message => ({
    name: `${String(Date.parse(message.at)).padStart(15, '0')}-${message.id}.json`,
    message,
  }))
}

function idsOf(parcel: ReturnType<typeof nextParcel>): string[] {
  return parcel?.lying.map(({ message }) => message.id) ?? []
}

function remark(of: string, nth: number): Message['notice'] {
  return { title: 'Dispatch goes on', body: `${of} remarks ${nth}`, priority: 2, tags: ['gear'] }
}
