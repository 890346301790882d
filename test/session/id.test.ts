import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSessionId, isSessionId, isWorkerName } from '#session'
import { hostileTasks } from '../fixtures/session/hostile-tasks.ts'

const now = new Date('2026-11-20T23:59:59.999Z')

test('an id describes the task, and is safe in tmux, paths and URLs', () => {
  for (const [name, task] of hostileTasks) {
    const id = createSessionId(Buffer.from(task).toString('utf8'), now, 'a3f9')
    assert.match(id, /^2026-11-20(-[a-z0-9]+)*-a3f9$/, name)
    assert.ok(isSessionId(id) && id.length <= 50 && encodeURIComponent(id) === id, `${name}: ${id}`)
  }
  const table = [
    ['fix the login bug', '2026-11-20-fix-login-bug-a3f9'],
    ['Please ADD a --verbose flag to the tool, now', '2026-11-20-add-verbose-flag-tool-a3f9'],
    ['👨‍👩‍👧‍👦', '2026-11-20-a3f9'],
    ['Éclair Ångström', '2026-11-20-eclair-angstrom-a3f9'],
    ['a'.repeat(99), `2026-11-20-${'a'.repeat(32)}-a3f9`],
  ] as const
  for (const [task, id] of table) assert.equal(createSessionId(task, now, 'a3f9'), id)
})

test('ids sort by day', () => {
  const days = ['2025-12-31', '2026-01-01', '2026-09-30', '2026-10-01']
  const ids = days.map((day, index) => createSessionId(`task ${9 - index}`, new Date(day)))
  assert.deepEqual([...ids].sort(), ids)
})

test('only text of the form of an id is an id', () => {
  for (const text of [
    '',
    'x',
    '2026-11-20',
    '2026-11-20-',
    '2026-11-20-A',
    '2026-11-20-a/b',
    '2026-11-20-a.b',
    '../x',
    '2026-11-20-a\n',
  ])
    assert.ok(!isSessionId(text), JSON.stringify(text))
  assert.ok(isSessionId('2026-11-20-a'))
})

test('reserved and unsafe worker names are refused', () => {
  for (const name of [
    'runner',
    'orchestrator',
    '',
    'A',
    '1a',
    '-a',
    'a b',
    'a.b',
    'a:b',
    'a/b',
    'ä',
    'a\n',
    'a'.repeat(25),
  ])
    assert.ok(!isWorkerName(name), JSON.stringify(name))
  for (const name of ['a', 'code-1', 'a'.repeat(24)]) assert.ok(isWorkerName(name), name)
})
