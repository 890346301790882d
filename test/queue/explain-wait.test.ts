import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainWait } from '#queue'

test('an item says what holds it back alone', () => {
  const room = { reason: '', reasonByRepository: { '/api': '3 sessions run' } }
  const item = { state: 'waiting' as const, needs: ['gpu', 'mac'], repository: '/api' }
  assert.equal(explainWait(item, room, ['mac']), 'needs gpu, which CAPABILITIES of this machine does not name')
  assert.equal(explainWait(item, room, ['mac', 'gpu']), '3 sessions run')
  assert.equal(explainWait(item, { ...room, reason: 'paused' }, ['mac', 'gpu']), '', 'all wait for that')
  assert.equal(explainWait({ ...item, repository: '/web' }, room, ['mac', 'gpu']), '')
  assert.equal(explainWait({ ...item, state: 'running' }, room, []), '')
})
