import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialStatus } from '#session/status'
import { isJustOpened } from '#session/status/view.ts'
import { blankManifest } from '../../fixtures/blank-manifest.ts'

test('a session whose first runner is still to come is not interrupted', () => {
  const session = { manifest: { ...blankManifest, openedAt: '2026-12-01T02:00:00.000Z' } }
  const look = (time: string, lastSeq = 0) =>
    isJustOpened(session, { ...initialStatus, lastSeq }, Date.parse(`2026-12-01T${time}Z`))
  assert.equal(look('02:00:05'), true)
  assert.equal(look('02:00:21'), false)
  assert.equal(look('02:00:05', 1), false, 'it has had a runner')
  assert.equal(look('01:00:00'), false, 'the clock was set back')
})
