import assert from 'node:assert/strict'
import { it } from 'node:test'
import { resolveTimeZone, toInstant, toLocalDateTime } from '#host/time-zone.ts'

const berlin = 'Europe/Berlin'

it('a local time is converted to an instant and back', () => {
  const local = { year: 2026, month: 6, day: 1, hour: 19, minute: 30 }
  const instant = toInstant(local, 'America/New_York')
  assert.equal(instant.toISOString(), '2026-07-01T23:30:00.000Z')
  assert.deepEqual(toLocalDateTime(instant, 'America/New_York'), local)
})

it('a time that occurs twice is the later one, a skipped one comes after the gap', () => {
  const twice = toInstant({ year: 2026, month: 9, day: 25, hour: 2, minute: 30 }, berlin)
  assert.equal(twice.toISOString(), '2026-10-25T01:30:00.000Z')
  const skipped = toInstant({ year: 2027, month: 2, day: 28, hour: 2, minute: 30 }, berlin)
  assert.equal(skipped.toISOString(), '2027-03-28T01:30:00.000Z')
})

it('an unknown zone is undefined, no name is the zone of this machine', () => {
  assert.equal(resolveTimeZone('Middle-earth/Shire'), undefined)
  assert.equal(resolveTimeZone(), Intl.DateTimeFormat().resolvedOptions().timeZone)
})
