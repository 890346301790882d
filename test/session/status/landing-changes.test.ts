import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event, EventBody } from '#session/log'
import { applyEvent, initialStatus } from '#session/status'

const hash = 'a'.repeat(40)
const time = '2026-11-30T12:00:00.000Z'

const add = (...bodies: EventBody[]) =>
  bodies.reduce((status, body, index) => applyEvent(status, { ...body, seq: index + 1, time } as Event), initialStatus)

test('a dry run changes nothing of where the work stands', () => {
  const place = { branch: 'main', target: hash, reason: '' }
  const conflict = { type: 'landing.refused', ...place, cause: 'conflict' as const, files: [] } satisfies EventBody
  const checked = {
    ...{ type: 'landing.checked', ...place, branch: 'release', number: 1 },
    ...{ commit: hash, tree: hash, result: 'ready' as const, sha256: hash },
  } satisfies EventBody
  const { landing } = add(conflict, { ...checked, isDryRun: true })
  assert.deepEqual([landing?.branch, landing?.state], ['main', 'conflict'])
  assert.equal(add({ ...conflict, isDryRun: true }).landing, undefined)
  assert.equal(add(conflict, checked).landing?.state, 'ready')
})

test('what another session landed of the same files is known once for each session', () => {
  const overlap = (session: string, ...files: string[]) =>
    ({ type: 'landing.overlapped', session, branch: 'main', files }) satisfies EventBody
  const { overlaps } = add(overlap('one', 'a'), overlap('two', 'b'), overlap('one', 'a', 'c'))
  assert.deepEqual(
    overlaps.map(({ session, files }) => [session, files]),
    [
      ['two', ['b']],
      ['one', ['a', 'c']],
    ],
  )
})
