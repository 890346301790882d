import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildResponseSchema, parseJudgeReply } from '#validator'
import { badTexts, replyExpectation, validReply } from '../fixtures/bad-replies.ts'
import { createRandom } from '../fixtures/scratch.ts'

test('a complete reply is read, without the canary', () => {
  const parsed = parseJudgeReply(validReply, replyExpectation)
  assert.ok(parsed.ok)
  assert.deepEqual(
    parsed.reply.clauses.map(({ id, met }) => `${id} ${met}`),
    ['C1 yes', 'C2 yes'],
  )
})

for (const [name, text, reason] of badTexts) {
  test(`not a reply: ${name}`, () => {
    const parsed = parseJudgeReply(text, replyExpectation)
    assert.equal(parsed.ok, false)
    assert.match(parsed.ok ? '' : parsed.reason, reason)
    assert.ok(!parsed.ok && parsed.reason.length < 400)
  })
}

test('no and unproven need no evidence, and are right for the canary', () => {
  for (const met of ['no', 'unproven'])
    assert.ok(parseJudgeReply(validReply.replace(/"C7","met":"no"/, `"C7","met":"${met}"`), replyExpectation).ok)
  assert.ok(
    parseJudgeReply(validReply.replace('"yes","evidence":["round-1-C1"]', '"unproven","evidence":[]'), replyExpectation)
      .ok,
  )
})

test('findings about the canary are dropped, others are one printable line', () => {
  const findings = [
    'The file outputs/0123456789abcdef.txt is missing.',
    'C7 is not met.',
    'C77 prints\n\u001b[31mred\u202e',
    '  ',
  ]
  const parsed = parseJudgeReply(JSON.stringify({ ...JSON.parse(validReply), findings }), replyExpectation)
  assert.deepEqual(parsed.ok && parsed.reply.findings, ['C77 prints \\u{1b}[31mred\\u{202e}'])
})

test('brackets, colons and escapes in strings are not counted as keys', () => {
  for (const finding of ['"a": 1', 'x\\": ', '{"met":"no"}', '\\', '":"', 'é\u2028 ":'])
    assert.ok(
      parseJudgeReply(JSON.stringify({ ...JSON.parse(validReply), findings: [finding] }), replyExpectation).ok,
      finding,
    )
  assert.ok(
    parseJudgeReply(JSON.stringify({ ...JSON.parse(validReply), findings: ['y\\'.repeat(250_000)] }), replyExpectation)
      .ok,
  )
})

test('the schema names every field, and no keyword that Gemini may not know', () => {
  const text = JSON.stringify(buildResponseSchema())
  for (const key of ['clauses', 'findings', 'id', 'met', 'evidence', 'reason', '"yes","no","unproven"'])
    assert.ok(text.includes(key), key)
  assert.doesNotMatch(text, /\$schema|minLength|pattern/)
})

test('a reply with a piece removed or doubled never turns into another yes', () => {
  const random = createRandom(11)
  let accepted = 0
  for (let round = 0; round < 50_000; round++) {
    const start = Math.floor(random() * validReply.length)
    const end = start + Math.floor(random() * 12)
    const middle = random() < 0.5 ? '' : validReply.slice(end, end + Math.floor(random() * 12))
    const text = validReply.slice(0, start) + middle + validReply.slice(end)
    const parsed = parseJudgeReply(text, replyExpectation)
    if (!parsed.ok) continue
    accepted++
    assert.deepEqual(parsed.reply.clauses.map(({ id }) => id).sort(), ['C1', 'C2'], text)
    assert.ok(parsed.reply.clauses.find(({ id }) => id === 'C1')?.evidence.length, text)
  }
  assert.ok(accepted > 100, String(accepted))
})
