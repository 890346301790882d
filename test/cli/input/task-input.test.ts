import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFutureTime } from '#cli/input/task-input.ts'

const now = new Date(2026, 10, 21, 23, 30)

test('a deadline is a future time of day or a date and time', () => {
  const local = (day: number, hour: number, minute: number) => new Date(2026, 10, day, hour, minute).toISOString()
  const parse = (text: string) => parseFutureTime(text, '--deadline', now)
  assert.equal(parse('23:45'), local(21, 23, 45))
  assert.equal(parse('6:05'), local(22, 6, 5))
  assert.equal(parse('23:30'), local(22, 23, 30))
  assert.equal(parse('2026-11-22T06:30'), local(22, 6, 30))
  assert.equal(parse('2026-11-22T06:30:00Z'), '2026-11-22T06:30:00.000Z')
})

test('a time that cannot be read or has passed is exit 2, and the message names the option', () => {
  for (const option of ['--deadline', '--until', '--at']) {
    const remedy = `Examples: ${option} 06:30, ${option} 2026-11-21T06:30`
    for (const text of [
      '',
      'soon',
      '24:00',
      '6',
      '2026-13-40T06:30',
      '2027-02-31T06:30',
      '2027-02-29T06:30Z',
      '06:60',
      '1e9',
      '2027',
    ])
      assert.throws(() => parseFutureTime(text, option, now), {
        exitCode: 2,
        message: `${option} takes a time, not "${text}"`,
        remedy,
      })
    assert.throws(() => parseFutureTime('2026-11-20T06:30', option, now), {
      exitCode: 2,
      message: `${option} 2026-11-20T06:30 has passed`,
      remedy,
    })
  }
})

test('the hour that the day of summer time lacks is there on the next day', t => {
  const zone = process.env['TZ']
  process.env['TZ'] = 'Europe/Berlin'
  t.after(() => {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })
  const late = new Date('2027-03-28T10:00:00Z')
  assert.equal(parseFutureTime('02:30', '--at', late), '2027-03-29T00:30:00.000Z')
  assert.equal(parseFutureTime('06:30', '--at', new Date('2027-03-27T22:00:00Z')), '2027-03-28T04:30:00.000Z')
})
