import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isThere } from '#cli/landing/blocked-entries.ts'
import type { Landing } from '#landing'
import type { SessionStatus } from '#session/status'
import { createEntry } from '../../fixtures/landing-entry.ts'

const [early, late] = ['2026-11-30T09:00:00.000Z', '2026-11-30T11:00:00.000Z']
const hash = 'a'.repeat(40)

/** A session that landed at this time; its entry was put in at ten. */
const land = (time: string): Pick<SessionStatus, 'landed' | 'landing'> => ({
  landed: [{ number: 1, branch: 'release', commit: hash, tree: hash, time }],
})
const enter = (state: Landing['state'], outcome: Landing['outcome'] = null): Landing => ({
  ...createEntry({ outcome }),
  state,
})

test('what landed before it was put in once more has not landed yet', () => {
  assert.equal(isThere(land(early), []), true)
  assert.equal(isThere(land(early), [enter('waiting')]), false)
  assert.equal(isThere(land(early), [enter('landing')]), false)
  assert.equal(isThere(land(early), [enter('ended', 'needs you')]), false)
  assert.equal(isThere(land(early), [enter('ended', 'landed')]), true, 'the branch still has it')
  assert.equal(isThere(land(late), [enter('ended', 'needs you')]), true, 'a person landed it otherwise')
  assert.equal(isThere({ landed: [] }, []), false)
})

test('work that the branch has already counts', () => {
  const present = (time: string): Pick<SessionStatus, 'landed' | 'landing'> => ({
    landed: [],
    landing: { number: 1, branch: 'main', state: 'present', reason: '', time },
  })
  assert.equal(isThere(present(late), [enter('ended', 'not landed')]), true)
  assert.equal(isThere(present(early), [enter('ended', 'needs you')]), false)
})
