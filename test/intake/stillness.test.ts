import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STILL_MS, Stillness } from '#intake'

test('what is written in its place is complete once it has stayed as it is', () => {
  const stillness = new Stillness({ platform: 'linux' })
  assert.equal(stillness.getRestMs('/i/a.md', '1', 0), STILL_MS, 'it was there before anything was watched')
  assert.equal(stillness.getRestMs('/i/a.md', '1', 100), STILL_MS - 100)
  assert.equal(stillness.getRestMs('/i/a.md', '2', 200), STILL_MS, 'it was written')
  assert.equal(stillness.getRestMs('/i/a.md', '2', 200 + STILL_MS), 0)
  stillness.note('/i/a.md', 'change', 1000)
  assert.equal(stillness.getRestMs('/i/a.md', '2', 1000), STILL_MS, 'a write that the stamp does not show')
  assert.ok(STILL_MS <= 300)
})

test('what was renamed into its place is complete, until it is written', () => {
  const stillness = new Stillness({ platform: 'linux' })
  stillness.note('/i/a.md', 'rename', 0)
  assert.equal(stillness.getRestMs('/i/a.md', '1', 0), 0)
  stillness.note('/i/b.md', 'rename', 0)
  stillness.note('/i/b.md', 'change', 0)
  assert.equal(stillness.getRestMs('/i/b.md', '1', 1), STILL_MS)
  stillness.note('/i/b.md', 'rename', 5)
  assert.equal(stillness.getRestMs('/i/b.md', '1', 6), 0, 'another file in its place')
})

test('elsewhere a rename is not told from a write', () => {
  const stillness = new Stillness({ platform: 'darwin' })
  stillness.note('/i/a.md', 'rename', 0)
  assert.equal(stillness.getRestMs('/i/a.md', '1', 0), STILL_MS)
})

test('what a process has open for writing is not complete', () => {
  let isOpen = true
  const stillness = new Stillness({ platform: 'linux', openForWriting: () => isOpen })
  stillness.getRestMs('/i/a.md', '1', 0)
  assert.equal(stillness.getRestMs('/i/a.md', '1', STILL_MS), STILL_MS)
  assert.equal(stillness.getRestMs('/i/a.md', '1', 3000), 1500, 'less often')
  assert.equal(stillness.getRestMs('/i/a.md', '1', 60_000), 2000)
  stillness.note('/i/moved.md', 'rename', 0)
  assert.equal(stillness.getRestMs('/i/moved.md', '1', 0), STILL_MS, 'its writer has moved it')
  isOpen = false
  assert.equal(stillness.getRestMs('/i/a.md', '1', 60_001), 0)
  assert.equal(stillness.getRestMs('/i/moved.md', '1', STILL_MS), 0)
})

test('what is gone is forgotten', () => {
  const stillness = new Stillness({ platform: 'linux' })
  for (const file of ['/i/a.md', '/i/b.md', '/j/a.md']) stillness.getRestMs(file, '1', 0)
  stillness.keep('/i', new Set(['/i/a.md']))
  const rests = ['/i/a.md', '/i/b.md', '/j/a.md'].map(file => stillness.getRestMs(file, '1', 100))
  assert.deepEqual(rests, [STILL_MS - 100, STILL_MS, STILL_MS - 100])
})
