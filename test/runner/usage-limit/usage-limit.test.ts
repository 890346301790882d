import assert from 'node:assert/strict'
import { it } from 'node:test'
import { computeResumeTimeMs, isLimitDialog, parseUsageLimit } from '#runner/usage-limit/usage-limit.ts'

/** The text, the time it appears, and when the limit ends (null: unknown). */
const limits: [string, string, string | null][] = [
  // From claude 2.1.329, recorded with a scripted 429.
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
  // From older versions.
  ['Claude AI usage limit reached|1763452800', '2025-11-18T05:00:00Z', '2025-11-18T08:00:00Z'],
  ['5-hour limit reached ∙ resets 3pm (America/New_York)', '2026-07-01T12:00:00Z', '2026-07-01T19:00:00Z'],
  [
    'Claude usage limit reached. Your limit will reset at 7pm (Europe/London).',
    '2026-07-01T12:00:00Z',
    '2026-07-01T18:00:00Z',
  ],
  // Midnight and noon, the next day in that zone only, a time that passed a moment ago.
  ["You've hit your session limit · resets 12am (UTC)", '2026-11-21T07:36:00Z', '2026-11-22T00:00:00Z'],
  ["You've hit your session limit · resets 12:30pm (UTC)", '2026-11-21T07:36:00Z', '2026-11-21T12:30:00Z'],
  ["You've hit your session limit · resets 1am (Asia/Tokyo)", '2026-11-21T14:00:00Z', '2026-11-21T16:00:00Z'],
  ["You've hit your session limit · resets 9:39am (UTC)", '2026-11-21T09:40:30Z', '2026-11-21T09:39:00Z'],
  ["You've hit your session limit · resets 9:39am (UTC)", '2026-11-21T10:00:00Z', '2026-11-22T09:39:00Z'],
  // Daylight saving: a skipped hour, an hour that occurs twice, a longer night.
  ["You've hit your session limit · resets 2:30am (Europe/Berlin)", '2027-03-27T23:00:00Z', '2027-03-28T01:30:00Z'],
  ["You've hit your session limit · resets 2:30am (Europe/Berlin)", '2026-10-24T22:00:00Z', '2026-10-25T01:30:00Z'],
  ["You've hit your session limit · resets 8am (America/New_York)", '2026-11-01T01:00:00Z', '2026-11-01T13:00:00Z'],
  // The turn of the year, and times that cannot be read.
  ["You've hit your weekly limit · resets Jan 2, 5am (UTC)", '2026-12-30T00:00:00Z', '2027-01-02T05:00:00Z'],
  ["You've hit your session limit · resets 3:20am (Middle-earth/Shire)", '2026-11-21T07:36:00Z', null],
  ["You've hit your session limit · resets 25:99", '2026-11-21T07:36:00Z', null],
  ["You've hit your session limit · resets Brumaire 3, 3am (UTC)", '2026-11-21T07:36:00Z', null],
  ["You've hit your session limit · resets soon", '2026-11-21T07:36:00Z', null],
]

for (const [text, now, resetsAt] of limits)
  it(`a limit is read: ${text}`, () => {
    const limit = parseUsageLimit('rate_limit', text, new Date(now))
    assert.equal(limit?.resetsAt?.toISOString() ?? null, resetsAt === null ? null : new Date(resetsAt).toISOString())
    assert.equal(limit?.reason, text)
  })

it('a limit or an overload is recognized by the error’s kind or its text', () => {
  const now = new Date()
  for (const [kind, text, isLimit] of [
    ['rate_limit', '', true],
    ['unknown', "You've hit your session limit · resets 3:20am (UTC)", true],
    ['billing_error', 'Claude AI usage limit reached|1763452800', true],
    ['billing_error', 'Credit balance is too low', false],
    ['overloaded', 'API Error: 529 Overloaded', true],
    ['server_error', 'API Error: Repeated 529 Overloaded errors. The API is at capacity', true],
    ['server_error', 'API Error: 500 Internal server error', true],
    ['server_error', 'API Error: 502 Bad Gateway', true],
    ['server_error', 'API Error: Unable to connect to API (ECONNREFUSED)', false],
    ['server_error', 'API Error: 502 dispatch cannot reach the model at llm:443: ENOTFOUND getaddrinfo', false],
    ['invalid_request', 'prompt is too long', false],
    ['max_output_tokens', 'the response reached the maximum of output tokens', false],
  ] as const)
    assert.equal(parseUsageLimit(kind, text, now) !== undefined, isLimit, `${kind} ${text}`)
})

it('sessions resume at different times within a minute after the limit', () => {
  const resetsAt = new Date('2026-11-21T09:39:00Z')
  const delays = Array.from(
    { length: 100 },
    (_, index) => computeResumeTimeMs(resetsAt, `session-${index}`) - resetsAt.getTime(),
  )
  assert.ok(delays.every(delay => delay >= 0 && delay <= 60_000))
  assert.ok(new Set(delays).size > 50)
})

it('claude’s menu at a limit is recognized only with "Stop and wait" selected', () => {
  const renderMenu = (selected: number) =>
    [
      '  What do you want to do?',
      'Stop and wait for limit to reset',
      'Wait here, then continue automatically at 9:39am',
      'Upgrade your plan',
    ]
      .map((line, index) =>
        index === 0 ? line : `  ${index === selected ? '\u001b[38;5;153m❯' : ' '} ${index}. ${line}\u001b[39m   `,
      )
      .concat('', '  Enter to confirm · Esc to cancel')
      .join('\n')
  assert.ok(isLimitDialog(renderMenu(1)))
  assert.ok(!isLimitDialog(renderMenu(2)))
  assert.ok(!isLimitDialog(`${renderMenu(1)}\n${'───\n'.repeat(14)}❯ `))
})
