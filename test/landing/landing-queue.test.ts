import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { DAY_MS } from '#host/time.ts'
import { type Landing, LandingQueue, LOOK_BACK_MS } from '#landing'
import { createEntry } from '../fixtures/landing-entry.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

const id = createEntry().session

function readOnly(queue: LandingQueue): Landing {
  const [only, ...others] = queue.list()
  assert.deepEqual(others, [])
  assert.ok(only)
  return only
}

test('an entry is claimed once, and either dropped or landed', t => {
  const queue = new LandingQueue(createScratchFolder(t))
  queue.add(createEntry())
  const entry = readOnly(queue)
  assert.equal(entry.state, 'waiting')
  assert.equal(queue.claim(entry)?.state, 'landing')
  assert.equal(queue.claim(entry), undefined)
  assert.equal(queue.drop(id, 'no'), false)
  queue.end(readOnly(queue), { outcome: 'landed', reason: '', error: null })
  assert.deepEqual([readOnly(queue).state, readOnly(queue).outcome], ['ended', 'landed'])
  assert.equal(queue.drop(id, 'no'), false)
  queue.add(createEntry())
  assert.equal(queue.drop(id, 'not wanted'), true)
  assert.deepEqual([readOnly(queue).outcome, readOnly(queue).reason], ['dropped', 'not wanted'])
  assert.equal(queue.claim(entry), undefined)
})

test('what a lander was landing when it was killed waits again, and what it had ended stays ended', t => {
  const folder = createScratchFolder(t)
  const queue = new LandingQueue(folder)
  queue.add(createEntry())
  queue.claim(readOnly(queue))
  queue.recover()
  assert.equal(readOnly(queue).state, 'waiting')
  queue.claim(readOnly(queue))
  const file = path.join(folder, 'landing', `${id}.json`)
  fs.writeFileSync(file, JSON.stringify(createEntry({ outcome: 'landed' }))) // Killed before the file was moved.
  queue.recover()
  assert.deepEqual([readOnly(queue).state, readOnly(queue).outcome], ['ended', 'landed'])
})

test('an entry that was interrupted by its person does not come back', t => {
  const queue = new LandingQueue(createScratchFolder(t))
  queue.add(createEntry())
  queue.claim(readOnly(queue))
  const landing = readOnly(queue)
  assert.equal(queue.drop(id, 'interrupted', ['waiting', 'landing']), true)
  queue.putBack(landing, { failures: 1 })
  queue.sendBack(landing, { retryItem: 'q-1', reason: 'conflict' })
  queue.end(landing, { outcome: 'needs you', reason: '', error: null })
  assert.equal(readOnly(queue).outcome, 'dropped')
})

test('a new attempt takes the place of the session that was sent back, and keeps its age', t => {
  const queue = new LandingQueue(createScratchFolder(t))
  queue.add(createEntry({ failures: 3 }))
  queue.claim(readOnly(queue))
  queue.sendBack(readOnly(queue), { retryItem: 'q-7', reason: 'conflict' })
  const sentBack = readOnly(queue)
  assert.deepEqual([sentBack.state, sentBack.retryItem], ['sent back', 'q-7'])
  queue.add(createEntry({ session: 'behind', after: [id], addedAt: '2026-11-30T11:00:00.000Z' }))
  const next = { session: 'next', files: ['b'], size: 1, into: 'main', retries: 1 }
  queue.replace(sentBack, next)
  queue.replace({ ...sentBack, state: 'sent back' }, next) // As after a kill.
  const { state, addedAt, retryItem, into, retries, failures } = queue.find('next') ?? sentBack
  assert.deepEqual([state, addedAt, retryItem], ['waiting', createEntry().addedAt, null])
  assert.deepEqual([into, retries, failures], ['main', 1, 0])
  assert.deepEqual(queue.find('behind')?.after, ['next'], 'what waits for it waits for the new one')
  assert.deepEqual([queue.find(id)?.state, queue.find(id)?.outcome], ['ended', 'replaced'])
})

test('it forgets what ended long ago, but nothing that needs a person', t => {
  const queue = new LandingQueue(createScratchFolder(t))
  const add = (session: string, outcome: 'landed' | 'needs you' | 'dropped') => {
    queue.add(createEntry({ session }))
    const entry = queue.find(session)
    assert.ok(entry)
    queue.end(entry, { outcome, reason: '', error: null })
  }
  const listLeft = () => {
    queue.add(createEntry({ session: 'last' }))
    return queue.list().map(({ session }) => session)
  }
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  add('first', 'needs you')
  add('out', 'dropped')
  for (let index = 0; index < 210; index++) add(`s${String(index).padStart(3, '0')}`, 'landed')
  assert.ok(listLeft().includes('out'), 'without its entry it would be put in again')
  t.mock.timers.tick(LOOK_BACK_MS)
  assert.ok(listLeft().includes('out'))
  t.mock.timers.tick(DAY_MS + 1)
  const left = listLeft()
  assert.ok(left.includes('first') && left.includes('s209') && !left.includes('s000') && !left.includes('out'))
  assert.ok(left.length <= 203, `${left.length}`)
})
