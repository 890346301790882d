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
import { withEnoughTime } from '../fixtures/scratch.ts'

const packet: Packet = { ...replyExpectation, packet: 'the packet', sha256: 'x', withheld: 0 }

/** Run `use` with a server that behaves like this for its first, second, … request. */
async function withServer<T>(
  behave: (count: number) => GeminiBehavior,
  use: (server: Awaited<ReturnType<typeof startFakeGemini>>) => Promise<T>,
) {
  const server = await startFakeGemini((_, count) => behave(count))
  try {
    return await use(server)
  } finally {
    server.close()
  }
}

test('the request has model, key, prompt, schema and temperature 0', async () => {
  await withServer(
    () => createTextResponse(validReply),
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url))
      assert.ok(judged.ok)
      assert.equal(judged.model, 'gemini-test-001')
      assert.deepEqual(judged.usage, { sent: 100, received: 20 })
      assert.ok(judged.milliseconds >= 0)
      const [request] = server.requests
      assert.equal(server.requests.length, 1)
      assert.equal(`${request?.method} ${request?.url}`, 'POST /v1beta/models/gemini-test:generateContent')
      assert.equal(request?.key, buildJudgeConfig('').GEMINI_API_KEY)
      assert.equal(request?.body.contents[0]?.parts[0]?.text, 'the packet')
      assert.match(request?.body.systemInstruction.parts[0]?.text ?? '', /You are the judge/)
      const { temperature, responseMimeType, responseJsonSchema } = request?.body.generationConfig ?? {}
      assert.deepEqual(
        { temperature, responseMimeType, responseJsonSchema },
        { temperature: 0, responseMimeType: 'application/json', responseJsonSchema: buildResponseSchema() },
      )
    },
  )
})

test('parts of an answer are joined, thoughts are left out', async () => {
  const parts = [
    { text: 'thinking', thought: true },
    { text: validReply.slice(0, 30) },
    { text: validReply.slice(30), thoughtSignature: 'x' },
  ]
  await withServer(
    () => ({ body: JSON.stringify({ candidates: [{ content: { parts }, finishReason: 'STOP' }] }) }),
    async server => assert.ok((await judgePacket(packet, buildJudgeConfig(server.url))).ok),
  )
})

test('without a valid key there is no request, and the setting is named', async () => {
  await withServer(
    () => createTextResponse(validReply),
    async server => {
      for (const key of ['', 'AIza\nx', 'schlüssel', 'a b']) {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url, { GEMINI_API_KEY: key }))
        assert.ok(!judged.ok && judged.reason.includes('GEMINI_API_KEY') && judged.exit === exitCodes.login)
        assert.ok(key === '' || !judged.reason.includes(key))
      }
      assert.equal(server.requests.length, 0)
    },
  )
})

test('the environment cannot send the key to another address', async () => {
  const lures = {
    GOOGLE_GENAI_USE_VERTEXAI: 'true',
    GOOGLE_GENAI_USE_ENTERPRISE: 'true',
    GOOGLE_API_KEY: 'another-key-of-another-person',
    GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:1',
    GOOGLE_GENAI_API_VERSION: 'v9',
  }
  Object.assign(process.env, lures)
  try {
    await withServer(
      () => createTextResponse(validReply),
      async server => {
        assert.ok((await judgePacket(packet, buildJudgeConfig(server.url))).ok)
        assert.equal(server.requests[0]?.key, buildJudgeConfig('').GEMINI_API_KEY)
        assert.match(server.requests[0]?.url ?? '', /^\/v1beta\/models\//)
      },
    )
  } finally {
    for (const name of Object.keys(lures)) delete process.env[name]
  }
})

test('a bad answer is given up after one request, with a reason', async () => {
  const texts = badTexts.map(([name, text, reason]): [string, GeminiBehavior, RegExp] => [
    name,
    createTextResponse(text),
    reason,
  ])
  for (const [name, behavior, reason] of [...texts, ...badResponses]) {
    await withServer(
      () => behavior,
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url))
        assert.equal(judged.ok, false, name)
        assert.match(judged.ok ? '' : judged.reason, reason, name)
        assert.equal(server.requests.length, 1, `${name} is not tried again`)
        assert.ok(JSON.stringify(judged).length < 150_000)
      },
    )
  }
  assert.ok(texts.length + badResponses.length >= 60)
})

for (const [name, behavior, reason] of transientFailures) {
  test(`${name}: four attempts, and one good one is enough`, async () => {
    await withServer(
      () => behavior,
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), 1)
        assert.ok(!judged.ok)
        assert.match(judged.reason, reason)
        assert.match(judged.reason, /tried 4 times/)
        assert.equal(server.requests.length, 4)
      },
    )
    await withServer(
      count => (count < 4 ? behavior : createTextResponse(validReply)),
      async server => assert.ok((await judgePacket(packet, buildJudgeConfig(server.url), 1)).ok),
    )
  })
}

test('a refused connection is named and worth another attempt', async () => {
  const { url, close } = await startFakeGemini(() => createTextResponse(validReply))
  close()
  const answer = await askGemini({ packet: '', system: '', schema: {}, config: buildJudgeConfig(url), retryDelayMs: 1 })
  assert.match(answer.ok ? '' : answer.reason, /ECONNREFUSED.*\(tried 4 times\)/)
})

test('exit codes say what a person has to fix', async () => {
  const table: [GeminiBehavior, number | undefined][] = [
    [createErrorResponse(401, 'x', ''), exitCodes.login],
    [createErrorResponse(403, 'x', ''), exitCodes.login],
    [createErrorResponse(400, 'x', 'API key not valid. Please pass a valid API key.'), exitCodes.login],
    [createErrorResponse(400, 'FAILED_PRECONDITION', ''), exitCodes.dependency],
    [createErrorResponse(404, 'x', ''), exitCodes.dependency],
    [createErrorResponse(503, 'x', ''), undefined],
    [createTextResponse('PASS'), undefined],
  ]
  for (const [behavior, exit] of table)
    await withServer(
      () => behavior,
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), 1)
        assert.equal(judged.ok ? 'ok' : judged.exit, exit)
      },
    )
})

test('RetryInfo and Retry-After are obeyed', async () => {
  const info = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.3s' }]
  for (const behavior of [
    createErrorResponse(429, 'RESOURCE_EXHAUSTED', 'slow down', info),
    { status: 503, body: '', headers: { 'retry-after': '1' } },
  ]) {
    const started = performance.now()
    await withServer(
      count => (count === 1 ? behavior : createTextResponse(validReply)),
      async server => assert.ok((await judgePacket(packet, buildJudgeConfig(server.url), 1)).ok),
    )
    assert.ok(performance.now() - started >= 290)
  }
})

test('a wait beyond the deadline is not waited for', async () => {
  const info = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3600s' }]
  await withServer(
    () => createErrorResponse(429, 'RESOURCE_EXHAUSTED', 'daily quota', info),
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url))
      assert.ok(!judged.ok && /daily quota/.test(judged.reason))
      assert.equal(server.requests.length, 1)
    },
  )
})

test('a judge that hangs is given up at the deadline, after two attempts', () =>
  withEnoughTime(async limitMs => {
    let attempts = 0
    await withServer(
      () => ({ break: 'hang' }),
      async server => {
        const config = buildJudgeConfig(server.url, { JUDGE_TIMEOUT_SEC: limitMs / 1000 })
        const judged = await judgePacket(packet, config, 1)
        assert.ok(!judged.ok && /in time/.test(judged.reason))
        attempts = server.requests.length
      },
    )
    return attempts >= 2
  }))

test('an answer never contains the key, even if the server echoes it', async () => {
  const key = buildJudgeConfig('').GEMINI_API_KEY
  const behaviors: GeminiBehavior[] = [
    createErrorResponse(400, 'INVALID_ARGUMENT', `bad key ${key}`),
    createErrorResponse(403, key, `${'x'.repeat(270)}${key}`),
    { status: 500, body: `<p>${key}</p>` },
    createTextResponse(`{"clauses": "${key}"}`),
    createTextResponse(key),
    createTextResponse(validReply.replace('It is so.', `The key is ${key}.`)),
    createTextResponse(validReply, { finishReason: key }),
    { body: key },
  ]
  for (const behavior of behaviors)
    await withServer(
      () => behavior,
      async server => {
        const text = JSON.stringify(await judgePacket(packet, buildJudgeConfig(server.url), 1))
        assert.ok(!text.includes(key) && !text.includes(key.slice(0, 12)), text)
      },
    )
})
