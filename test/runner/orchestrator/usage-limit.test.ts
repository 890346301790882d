import assert from 'node:assert/strict'
import { it } from 'node:test'
import { computeResumeTimeMs, isLimitDialog, parseUsageLimit } from '#runner/orchestrator/usage-limit.ts'

/** The words, the moment they come, and until when they hold (null: they do not say). A zone is always named. */
const said: [string, string, string | null][] = [
  // As 2.1.329 says it, recorded from a scripted 429.
  ["You've hit your 5-hour limit · resets 9:39am (UTC)", '2026-11-21T07:36:00Z', '2026-11-21T09:39:00Z'],
  ["You've hit your session limit · resets 3:20am (Europe/Berlin)", '2026-11-20T22:00:00Z', '2026-11-21T02:20:00Z'],
  [
    "You've hit your weekly limit · resets Nov 24, 8:36am (Europe/Berlin)",
    '2026-11-21T07:36:00Z',
    '2026-11-24T07:36:00Z',
  ],
  ["You've hit your Opus limit · resets Nov 27, 1:36pm (Asia/Kolkata)", '2026-11-21T07:36:00Z', '2026-11-27T08:06:00Z'],
  ["You've hit your weekly limit · resets Jan 20, 2027, 7:36am (UTC)", '2026-11-21T07:36:00Z', '2027-01-20T07:36:00Z'],
  ["You've hit your 5-hour limit · resets 11:45pm (Pacific/Chatham)", '2026-11-21T08:35:00Z', '2026-11-21T10:00:00Z'],
  ["You've hit your 5-hour limit", '2026-11-21T07:36:00Z', null],
  ["You've hit your org's monthly spend limit · ask your admin to raise it", '2026-11-21T07:36:00Z', null],
  ['API Error: Request rejected (429) · This would exceed your rate limit', '2026-11-21T07:36:00Z', null],
  // Older ones.
  ['Claude AI usage limit reached|1763452800', '2025-11-18T05:00:00Z', '2025-11-18T08:00:00Z'],
  ['5-hour limit reached ∙ resets 3pm (America/New_York)', '2026-07-01T12:00:00Z', '2026-07-01T19:00:00Z'],
  [
    'Claude usage limit reached. Your limit will reset at 7pm (Europe/London).',
    '2026-07-01T12:00:00Z',
    '2026-07-01T18:00:00Z',
  ],
  // Midnight and noon, the next day there and not here, a time that has only just passed.
  ["You've hit your session limit · resets 12am (UTC)", '2026-11-21T07:36:00Z', '2026-11-22T00:00:00Z'],
  ["You've hit your session limit · resets 12:30pm (UTC)", '2026-11-21T07:36:00Z', '2026-11-21T12:30:00Z'],
  ["You've hit your session limit · resets 1am (Asia/Tokyo)", '2026-11-21T14:00:00Z', '2026-11-21T16:00:00Z'],
  ["You've hit your session limit · resets 9:39am (UTC)", '2026-11-21T09:40:30Z', '2026-11-21T09:39:00Z'],
  ["You've hit your session limit · resets 9:39am (UTC)", '2026-11-21T10:00:00Z', '2026-11-22T09:39:00Z'],
  // Daylight saving: an hour that never comes, one that comes twice, a night that is longer than others.
  ["You've hit your session limit · resets 2:30am (Europe/Berlin)", '2027-03-27T23:00:00Z', '2027-03-28T01:30:00Z'],
  ["You've hit your session limit · resets 2:30am (Europe/Berlin)", '2026-10-24T22:00:00Z', '2026-10-25T01:30:00Z'],
  ["You've hit your session limit · resets 8am (America/New_York)", '2026-11-01T01:00:00Z', '2026-11-01T13:00:00Z'],
  // The turn of the year, and words that nobody understands.
  ["You've hit your weekly limit · resets Jan 2, 5am (UTC)", '2026-12-30T00:00:00Z', '2027-01-02T05:00:00Z'],
  ["You've hit your session limit · resets 3:20am (Middle-earth/Shire)", '2026-11-21T07:36:00Z', null],
  ["You've hit your session limit · resets 25:99", '2026-11-21T07:36:00Z', null],
  ["You've hit your session limit · resets Brumaire 3, 3am (UTC)", '2026-11-21T07:36:00Z', null],
  ["You've hit your session limit · resets soon", '2026-11-21T07:36:00Z', null],
]

for (const [words, now, until] of said)
  it(`F45: ${words}`, () => {
    const limit = parseUsageLimit('rate_limit', words, new Date(now))
    assert.equal(limit?.until?.toISOString() ?? null, until === null ? null : new Date(until).toISOString())
    assert.equal(limit?.reason, words)
  })

it('F45: what is a limit is told by the kind of the error, or by its words; another error is none', () => {
  const now = new Date()
  for (const [kind, words, is] of [
    ['rate_limit', '', true],
    ['unknown', "You've hit your session limit · resets 3:20am (UTC)", true],
    ['billing_error', 'Claude AI usage limit reached|1763452800', true],
    ['billing_error', 'Credit balance is too low', false],
    ['overloaded', 'API Error: 529 Overloaded', false],
    ['invalid_request', 'prompt is too long', false],
    ['max_output_tokens', 'the response reached the maximum of output tokens', false],
  ] as const)
    assert.equal(parseUsageLimit(kind, words, now) !== undefined, is, `${kind} ${words}`)
})

it('sessions of one machine go on within a minute after the limit, each at a time of its own', () => {
  const until = new Date('2026-11-21T09:39:00Z')
  const after = Array.from({ length: 100 }, (_, at) => computeResumeTimeMs(until, `session-${at}`) - until.getTime())
  assert.ok(after.every(late => late >= 0 && late <= 60_000))
  assert.ok(new Set(after).size > 50)
})

it('claude’s own question at a limit is known, and Enter is pressed only on the answer that does nothing', () => {
  const menu = (chosen: number) =>
    [
      '  What do you want to do?',
      'Stop and wait for limit to reset',
      'Wait here, then continue automatically at 9:39am',
      'Upgrade your plan',
    ]
      .map((line, at) =>
        at === 0 ? line : `  ${at === chosen ? '\u001b[38;5;153m❯' : ' '} ${at}. ${line}\u001b[39m   `,
      )
      .concat('', '  Enter to confirm · Esc to cancel')
      .join('\n')
  assert.ok(isLimitDialog(menu(1)))
  assert.ok(!isLimitDialog(menu(2)))
  assert.ok(!isLimitDialog(`${menu(1)}\n${'───\n'.repeat(14)}❯ `))
})
