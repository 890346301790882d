import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodes } from '#host/error.ts'
import { judgePacket, type Packet } from '#validator'
import { askGemini } from '#validator/gemini.ts'
import { buildResponseSchema } from '#validator/reply.ts'
import { badResponses, badTexts, replyExpectation, transientFailures, validReply } from '../fixtures/bad-replies.ts'
import {
  buildJudgeConfig,
  createErrorResponse,
  createTextResponse,
  type GeminiBehavior,
  startFakeGemini,
} from '../fixtures/gemini-server.ts'

const packet: Packet = { ...replyExpectation, packet: 'the packet', sha256: 'x', withheld: 0 }

async function served<T>(
  act: (count: number) => GeminiBehavior,
  use: (server: Awaited<ReturnType<typeof startFakeGemini>>) => Promise<T>,
) {
  const server = await startFakeGemini((_, count) => act(count))
  try {
    return await use(server)
  } finally {
    server.close()
  }
}

test('the request is what Gemini expects: model, key in a header, prompt, schema, temperature 0', async () => {
  await served(
    () => createTextResponse(validReply),
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url))
      assert.ok(judged.ok)
      assert.equal(judged.model, 'gemini-test-001')
      assert.deepEqual(judged.usage, { sent: 100, received: 20 })
      assert.ok(judged.milliseconds >= 0)
      const [seen] = server.seen
      assert.equal(server.seen.length, 1)
      assert.equal(`${seen?.method} ${seen?.url}`, 'POST /v1beta/models/gemini-test:generateContent')
      assert.equal(seen?.key, buildJudgeConfig('').GEMINI_API_KEY)
      assert.equal(seen?.body.contents[0]?.parts[0]?.text, 'the packet')
      assert.match(seen?.body.systemInstruction.parts[0]?.text ?? '', /You are the judge/)
      const { temperature, responseMimeType, responseJsonSchema } = seen?.body.generationConfig ?? {}
      assert.deepEqual(
        { temperature, responseMimeType, responseJsonSchema },
        { temperature: 0, responseMimeType: 'application/json', responseJsonSchema: buildResponseSchema() },
      )
    },
  )
})

test('parts of an answer are put together, thoughts are left out', async () => {
  const parts = [
    { text: 'thinking', thought: true },
    { text: validReply.slice(0, 30) },
    { text: validReply.slice(30), thoughtSignature: 'x' },
  ]
  await served(
    () => ({ body: JSON.stringify({ candidates: [{ content: { parts }, finishReason: 'STOP' }] }) }),
    async server => assert.ok((await judgePacket(packet, buildJudgeConfig(server.url))).ok),
  )
})

test('no key: no request, and the setting is named', async () => {
  await served(
    () => createTextResponse(validReply),
    async server => {
      for (const key of ['', 'AIza\nx', 'schlüssel', 'a b']) {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url, { GEMINI_API_KEY: key }))
        assert.ok(!judged.ok && judged.reason.includes('GEMINI_API_KEY') && judged.exit === exitCodes.login)
        assert.ok(key === '' || !judged.reason.includes(key))
      }
      assert.equal(server.seen.length, 0)
    },
  )
})

test('the environment does not lead the key elsewhere', async () => {
  const lures = {
    GOOGLE_GENAI_USE_VERTEXAI: 'true',
    GOOGLE_GENAI_USE_ENTERPRISE: 'true',
    GOOGLE_API_KEY: 'another-key-of-another-person',
    GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:1',
    GOOGLE_GENAI_API_VERSION: 'v9',
  }
  Object.assign(process.env, lures)
  try {
    await served(
      () => createTextResponse(validReply),
      async server => {
        assert.ok((await judgePacket(packet, buildJudgeConfig(server.url))).ok)
        assert.equal(server.seen[0]?.key, buildJudgeConfig('').GEMINI_API_KEY)
        assert.match(server.seen[0]?.url ?? '', /^\/v1beta\/models\//)
      },
    )
  } finally {
    for (const name of Object.keys(lures)) delete process.env[name]
  }
})

test(`${badTexts.length} bad texts and ${badResponses.length} bad responses: never a reply, the reason named, one request`, async () => {
  const texts = badTexts.map(([name, text, why]): [string, GeminiBehavior, RegExp] => [
    name,
    createTextResponse(text),
    why,
  ])
  for (const [name, act, why] of [...texts, ...badResponses]) {
    await served(
      () => act,
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url))
        assert.equal(judged.ok, false, name)
        assert.match(judged.ok ? '' : judged.reason, why, name)
        assert.equal(server.seen.length, 1, `${name} is not tried again`)
        assert.ok(JSON.stringify(judged).length < 150_000)
      },
    )
  }
  assert.ok(texts.length + badResponses.length >= 60)
})

for (const [name, act, why] of transientFailures) {
  test(`${name}: four tries, then the reason; one good try is enough`, async () => {
    await served(
      () => act,
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), 1)
        assert.ok(!judged.ok)
        assert.match(judged.reason, why)
        assert.match(judged.reason, /tried 4 times/)
        assert.equal(server.seen.length, 4)
      },
    )
    await served(
      count => (count < 4 ? act : createTextResponse(validReply)),
      async server => assert.ok((await judgePacket(packet, buildJudgeConfig(server.url), 1)).ok),
    )
  })
}

test('who refuses connections is named and tried again', async () => {
  const { url, close } = await startFakeGemini(() => createTextResponse(validReply))
  close()
  const answer = await askGemini({ packet: '', system: '', schema: {}, config: buildJudgeConfig(url), retryDelayMs: 1 })
  assert.deepEqual([answer.ok, !answer.ok && answer.retryable], [false, true])
  assert.match(answer.ok ? '' : answer.reason, /ECONNREFUSED/)
})

test('exit codes say what a person has to mend', async () => {
  const table: [GeminiBehavior, number | undefined][] = [
    [createErrorResponse(401, 'x', ''), exitCodes.login],
    [createErrorResponse(403, 'x', ''), exitCodes.login],
    [createErrorResponse(400, 'x', 'API key not valid. Please pass a valid API key.'), exitCodes.login],
    [createErrorResponse(400, 'FAILED_PRECONDITION', ''), exitCodes.dependency],
    [createErrorResponse(404, 'x', ''), exitCodes.dependency],
    [createErrorResponse(503, 'x', ''), undefined],
    [createTextResponse('PASS'), undefined],
  ]
  for (const [act, exit] of table)
    await served(
      () => act,
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), 1)
        assert.equal(judged.ok ? 'ok' : judged.exit, exit)
      },
    )
})

test('RetryInfo and Retry-After are honoured', async () => {
  const info = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.3s' }]
  for (const act of [
    createErrorResponse(429, 'RESOURCE_EXHAUSTED', 'slow down', info),
    { status: 503, body: '', headers: { 'retry-after': '1' } },
  ]) {
    const started = performance.now()
    await served(
      count => (count === 1 ? act : createTextResponse(validReply)),
      async server => assert.ok((await judgePacket(packet, buildJudgeConfig(server.url), 1)).ok),
    )
    assert.ok(performance.now() - started >= 290)
  }
})

test('who asks us to wait longer than the deadline is not waited for', async () => {
  const info = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3600s' }]
  const started = performance.now()
  await served(
    () => createErrorResponse(429, 'RESOURCE_EXHAUSTED', 'daily quota', info),
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url))
      assert.ok(!judged.ok && /daily quota/.test(judged.reason))
      assert.equal(server.seen.length, 1)
    },
  )
  assert.ok(performance.now() - started < 2000)
})

test('a judge that hangs is given up within the deadline, after a second try', async () => {
  const started = performance.now()
  await served(
    () => ({ break: 'hang' }),
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url, { JUDGE_TIMEOUT_SEC: 1 }), 1)
      assert.ok(!judged.ok && /in time/.test(judged.reason))
      assert.ok(server.seen.length >= 2)
    },
  )
  const took = performance.now() - started
  assert.ok(took > 900 && took < 2500, String(took))
})

test('the key never stands in an answer, whoever echoes it', async () => {
  const key = buildJudgeConfig('').GEMINI_API_KEY
  const acts: GeminiBehavior[] = [
    createErrorResponse(400, 'INVALID_ARGUMENT', `bad key ${key}`),
    createErrorResponse(403, key, `${'x'.repeat(270)}${key}`),
    { status: 500, body: `<p>${key}</p>` },
    createTextResponse(`{"clauses": "${key}"}`),
    createTextResponse(key),
    createTextResponse(validReply.replace('It is so.', `The key is ${key}.`)),
    createTextResponse(validReply, { finishReason: key }),
    { body: key },
  ]
  for (const act of acts)
    await served(
      () => act,
      async server => {
        const text = JSON.stringify(await judgePacket(packet, buildJudgeConfig(server.url), 1))
        assert.ok(!text.includes(key) && !text.includes(key.slice(0, 12)), text)
      },
    )
})
