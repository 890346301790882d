import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildResponseSchema, parseJudgeReply } from '#validator'
import { badTexts, replyExpectation, validReply } from '../fixtures/bad-replies.ts'
import { createRandom } from '../fixtures/packet-examples.ts'

test('a complete reply is read, without our own clause', () => {
  const read = parseJudgeReply(validReply, replyExpectation)
  assert.ok(read.ok)
  assert.deepEqual(
    read.reply.clauses.map(({ id, met }) => `${id} ${met}`),
    ['C1 yes', 'C2 yes'],
  )
})

for (const [name, text, why] of badTexts) {
  test(`not a reply: ${name}`, () => {
    const read = parseJudgeReply(text, replyExpectation)
    assert.equal(read.ok, false)
    assert.match(read.ok ? '' : read.reason, why)
    assert.ok(!read.ok && read.reason.length < 400)
  })
}

test('no and unproven are fine without evidence, and for our own clause', () => {
  for (const met of ['no', 'unproven'])
    assert.ok(parseJudgeReply(validReply.replace(/"C7","met":"no"/, `"C7","met":"${met}"`), replyExpectation).ok)
  assert.ok(
    parseJudgeReply(validReply.replace('"yes","evidence":["round-1-C1"]', '"unproven","evidence":[]'), replyExpectation)
      .ok,
  )
})

test('findings about our own clause are dropped, the rest is one printable line each', () => {
  const findings = [
    'The file outputs/0123456789abcdef.txt is missing.',
    'C7 is not met.',
    'C77 prints\n\u001b[31mred\u202e',
    '  ',
  ]
  const read = parseJudgeReply(JSON.stringify({ ...JSON.parse(validReply), findings }), replyExpectation)
  assert.deepEqual(read.ok && read.reply.findings, ['C77 prints \\u{1b}[31mred\\u{202e}'])
})

test('strings with brackets, colons and escapes in them are not taken for keys', () => {
  for (const why of ['"a": 1', 'x\\": ', '{"met":"no"}', '\\', '":"', 'é\u2028 ":'])
    assert.ok(parseJudgeReply(JSON.stringify({ ...JSON.parse(validReply), findings: [why] }), replyExpectation).ok, why)
  assert.ok(
    parseJudgeReply(JSON.stringify({ ...JSON.parse(validReply), findings: ['y\\'.repeat(250_000)] }), replyExpectation)
      .ok,
  )
})

test('the schema asks for all that is read, and for nothing a vendor may not know', () => {
  const text = JSON.stringify(buildResponseSchema())
  for (const key of ['clauses', 'findings', 'id', 'met', 'evidence', 'reason', '"yes","no","unproven"'])
    assert.ok(text.includes(key), key)
  assert.doesNotMatch(text, /\$schema|minLength|pattern/)
})

test('a reply with any one piece taken out, doubled or changed is never a yes that was not given', () => {
  const random = createRandom(11)
  const taken = { count: 0 }
  for (let round = 0; round < 50_000; round++) {
    const from = Math.floor(random() * validReply.length)
    const to = from + Math.floor(random() * 12)
    const middle = random() < 0.5 ? '' : validReply.slice(to, to + Math.floor(random() * 12))
    const text = validReply.slice(0, from) + middle + validReply.slice(to)
    const read = parseJudgeReply(text, replyExpectation)
    if (!read.ok) continue
    taken.count++
    assert.deepEqual(read.reply.clauses.map(({ id }) => id).sort(), ['C1', 'C2'], text)
    assert.ok(read.reply.clauses.find(({ id }) => id === 'C1')?.evidence.length, text)
  }
  assert.ok(taken.count > 100, String(taken.count))
})
