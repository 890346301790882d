import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasItemToStart, hasSessionAtWork } from '#cli/queue/work-left.ts'
import { initialStatus } from '#session/status'

test('a session that waits for a person, has ended, or is elsewhere, is no work', () => {
  const view = (phase: typeof initialStatus.phase, otherHost?: string) => ({
    status: { ...initialStatus, phase },
    ...(otherHost === undefined ? {} : { otherHost }),
  })
  assert.equal(hasSessionAtWork([view('asking'), view('PASS'), view('needs you'), view('working', 'other')]), false)
  assert.equal(hasSessionAtWork([view('asking'), view('working')]), true)
})

test('an item that needs what this machine lacks starts nothing here', () => {
  assert.equal(hasItemToStart([{ needs: ['gpu'] }], []), false)
  assert.equal(hasItemToStart([{ needs: ['gpu'] }, { needs: [] }], []), true)
  assert.equal(hasItemToStart([{ needs: ['gpu'] }], ['gpu']), true)
})
