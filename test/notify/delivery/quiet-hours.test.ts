import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { computeQuietEndMs } from '#notify'

const originalZone = process.env['TZ']
after(() => {
  if (originalZone === undefined) delete process.env['TZ']
  else process.env['TZ'] = originalZone
})

const night = '22:30-07:00'

/** Title, zone, quiet hours, `deliverBy`, now, and until when they hold it; all times with their offset. */
const examples: [string, string, string, string | null, string, string | undefined][] = [
  ['no quiet hours', 'UTC', '', null, '2026-11-21T23:00Z', undefined],
  ['the evening before', 'UTC', night, null, '2026-11-21T22:29Z', undefined],
  ['their first minute', 'UTC', night, null, '2026-11-21T22:30Z', '2026-11-22T07:00Z'],
  ['after midnight', 'UTC', night, null, '2026-11-22T03:00Z', '2026-11-22T07:00Z'],
  ['their last second', 'UTC', night, null, '2026-11-22T06:59:59Z', '2026-11-22T07:00Z'],
  ['their end', 'UTC', night, null, '2026-11-22T07:00Z', undefined],
  ['within one day', 'UTC', '13:00-14:15', null, '2026-11-21T13:30Z', '2026-11-21T14:15Z'],
  ['within one day, before', 'UTC', '13:00-14:15', null, '2026-11-21T12:59Z', undefined],
  ['within one day, at night', 'UTC', '13:00-14:15', null, '2026-11-21T23:59Z', undefined],
  ['until midnight', 'UTC', '22:00-00:00', null, '2026-11-21T23:00Z', '2026-11-22T00:00Z'],
  ['from midnight', 'UTC', '00:00-06:00', null, '2026-11-21T00:00Z', '2026-11-21T06:00Z'],
  ['an empty range', 'UTC', '08:00-08:00', null, '2026-11-21T08:00Z', undefined],
  ['across the new year', 'UTC', night, null, '2026-12-31T23:59Z', '2027-01-01T07:00Z'],
  ['a deadline before their end', 'UTC', night, '2026-11-22T01:00Z', '2026-11-21T23:00Z', '2026-11-22T01:00Z'],
  ['a deadline after their end', 'UTC', night, '2026-11-22T09:00Z', '2026-11-21T23:00Z', '2026-11-22T07:00Z'],
  ['an urgent notification', 'UTC', night, '2026-11-21T23:00Z', '2026-11-21T23:00Z', undefined],
  ['a zone with half an hour', 'Asia/Kolkata', night, null, '2026-11-21T17:00Z', '2026-11-22T01:30Z'],
  ['the night before summer time', 'Europe/Berlin', night, null, '2026-03-28T23:00+01:00', '2026-03-29T07:00+02:00'],
  ['after the skipped hour', 'Europe/Berlin', night, null, '2026-03-29T03:30+02:00', '2026-03-29T07:00+02:00'],
  ['the end of that night', 'Europe/Berlin', night, null, '2026-03-29T07:00+02:00', undefined],
  ['the night before winter time', 'Europe/Berlin', night, null, '2026-10-24T23:00+02:00', '2026-10-25T07:00+01:00'],
  ['the repeated hour', 'Europe/Berlin', night, null, '2026-10-25T02:30+01:00', '2026-10-25T07:00+01:00'],
  [
    'the last half hour of that night',
    'Europe/Berlin',
    night,
    null,
    '2026-10-25T06:30+01:00',
    '2026-10-25T07:00+01:00',
  ],
  ['the end of the long night', 'Europe/Berlin', night, null, '2026-10-25T07:00+01:00', undefined],
  [
    'an end in the skipped hour',
    'Europe/Berlin',
    '23:00-02:30',
    null,
    '2026-03-29T01:30+01:00',
    '2026-03-29T03:30+02:00',
  ],
  ['a change of half an hour', 'Australia/Lord_Howe', night, null, '2026-10-03T23:00+10:30', '2026-10-04T07:00+11:00'],
]

for (const [what, TZ, quietHours, deliverByText, now, expected] of examples) {
  test(`quiet hours: ${what}`, () => {
    process.env['TZ'] = TZ
    const deliverBy = deliverByText === null ? null : new Date(deliverByText).toISOString()
    const untilMs = computeQuietEndMs({ deliverBy }, quietHours, Date.parse(now))
    assert.equal(untilMs && new Date(untilMs).toISOString(), expected && new Date(expected).toISOString())
  })
}
