import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodes } from '#host/error.ts'
import { judgePacket, mayPass, type Packet } from '#validator'
import { buildResponseSchema } from '#validator/parse-reply.ts'
import {
  badResponses,
  badTexts,
  finalFailure,
  replyExpectation,
  transientFailures,
  unbelievable,
  validReply,
} from '../fixtures/bad-replies.ts'
import {
  buildJudgeConfig,
  createErrorResponse,
  createTextResponse,
  type GeminiBehavior,
  startFakeGemini,
} from '../fixtures/gemini-server.ts'
import { withEnoughTime } from '../fixtures/scratch.ts'
import { sampleCases } from '../long/select-cases.ts'

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

test('the request has model, key, prompt and schema, and the vendor is told to keep nothing', async () => {
  await withServer(
    () => createTextResponse(validReply),
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url))
      assert.ok(judged.ok)
      assert.equal(judged.model, 'gemini-test-001')
      assert.equal(judged.remark, undefined)
      assert.deepEqual(judged.usage, { sent: 100, received: 20 })
      assert.ok(judged.milliseconds >= 0)
      const [request] = server.requests
      assert.equal(server.requests.length, 1)
      assert.equal(`${request?.method} ${request?.url}`, 'POST /v1beta/models/gemini-test:generateContent')
      assert.equal(request?.key, buildJudgeConfig('').GEMINI_API_KEY)
      assert.equal(request?.body.contents[0]?.parts[0]?.text, 'the packet')
      assert.match(request?.body.systemInstruction.parts[0]?.text ?? '', /You are the judge/)
      assert.equal(request?.body.store, false)
      const { responseMimeType, responseJsonSchema } = request?.body.generationConfig ?? {}
      assert.deepEqual(
        { responseMimeType, responseJsonSchema },
        { responseMimeType: 'application/json', responseJsonSchema: buildResponseSchema() },
      )
    },
  )
})

test('each model gets the parameters that it knows', async () => {
  const high = { maxOutputTokens: 32_768, thinkingConfig: { thinkingLevel: 'HIGH' } }
  const fixed = { temperature: 0, candidateCount: 1 }
  const table: [model: string, parameters: Record<string, unknown>][] = [
    ['gemini-3.8-flash', high],
    ['gemini-4-argon', high],
    ['gemini-flash-latest', high],
    ['models/gemini-12-neon', high],
    ['gemini-2.5-pro', { ...fixed, maxOutputTokens: 32_768, thinkingConfig: { thinkingBudget: -1 } }],
    ['gemini-2.0-flash', { ...fixed, maxOutputTokens: 4096 }],
  ]
  for (const [model, parameters] of table)
    await withServer(
      () => createTextResponse(validReply),
      async server => {
        assert.ok((await judgePacket(packet, buildJudgeConfig(server.url, { JUDGE_MODEL: model }))).ok, model)
        const { responseMimeType: _, responseJsonSchema: __, ...sent } = server.requests[0]?.body.generationConfig ?? {}
        assert.deepEqual(sent, parameters, model)
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
        assert.ok(!judged.ok && judged.reason.includes('GEMINI_API_KEY') && judged.exitCode === exitCodes.login)
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

/** With such a pause, nothing is asked again. */
const NEVER_MS = 3_600_000

const texts = badTexts.map(([name, text, reason]): [string, GeminiBehavior, RegExp] => [
  name,
  createTextResponse(text),
  reason,
])

test('a bad answer gives its reason, and is short', async () => {
  for (const [name, behavior, reason] of [...texts, ...badResponses, ...transientFailures]) {
    await withServer(
      () => behavior,
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), NEVER_MS)
        assert.equal(judged.ok, false, name)
        assert.match(judged.ok ? '' : judged.reason, reason, name)
        assert.equal(server.requests.length, 1, name)
        assert.ok(JSON.stringify(judged).length < 150_000)
      },
    )
  }
  assert.ok(texts.length + badResponses.length >= 60)
})

test('after what may pass, the judge is asked again until it answers; anything else is final', async () => {
  for (const [name, behavior, reason] of [
    ...sampleCases(texts, 10),
    ...sampleCases(badResponses, 5),
    ...sampleCases(transientFailures, 5),
  ]) {
    const isFinal = finalFailure.test(`${name} ${reason.source}`) || unbelievable.test(reason.source)
    await withServer(
      count => (count <= 6 ? behavior : createTextResponse(validReply)),
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), 1)
        assert.equal(judged.ok, !isFinal, `${name}: ${judged.ok ? '' : judged.reason}`)
        assert.equal(server.requests.length, isFinal ? 1 : 7, name)
        assert.equal(judged.ok || mayPass(judged.kind), !isFinal, name)
      },
    )
  }
})

test('the whole time is used before the judge is given up, with the number of attempts', () =>
  withEnoughTime(async limitMs => {
    let attempts = 0
    await withServer(
      () => createErrorResponse(503, 'UNAVAILABLE', 'overloaded'),
      async server => {
        const startedMs = performance.now()
        const config = buildJudgeConfig(server.url, { JUDGE_TIMEOUT_SEC: limitMs / 1000 })
        const judged = await judgePacket(packet, config, 20)
        attempts = server.requests.length
        if (attempts <= 4) return // Too busy for this limit.
        assert.ok(!judged.ok && judged.kind === 'overloaded')
        assert.match(judged.reason, /HTTP 503[^(]*\(tried \d+ times\)/)
        assert.ok(performance.now() - startedMs >= limitMs * 0.9)
      },
    )
    return attempts > 4
  }))

test('a refused connection is named and may pass', async () => {
  const { url, close } = await startFakeGemini(() => createTextResponse(validReply))
  close()
  const judged = await judgePacket(packet, buildJudgeConfig(url), NEVER_MS)
  assert.ok(!judged.ok && judged.kind === 'unreachable' && /ECONNREFUSED/.test(judged.reason))
})

test('an answer that is cut off is asked for once more, with more room', async () => {
  const cutOff = createTextResponse(validReply.slice(0, 40), { finishReason: 'MAX_TOKENS' })
  for (const isCutTwice of [false, true])
    await withServer(
      count => (count === 1 || isCutTwice ? cutOff : createTextResponse(validReply)),
      async server => {
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), 1)
        assert.equal(judged.ok, !isCutTwice)
        if (!judged.ok) assert.deepEqual([judged.kind, mayPass(judged.kind)], ['cut off', false])
        assert.deepEqual(
          server.requests.map(({ body }) => body.generationConfig['maxOutputTokens']),
          [32_768, 65_536],
        )
      },
    )
})

const violation = (quotaId: string) => [
  { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId, quotaValue: '20' }] },
]
const dailyQuota = createErrorResponse(
  429,
  'RESOURCE_EXHAUSTED',
  'You exceeded your current quota, please check your plan and billing details.',
  violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier'),
)
const minuteQuota = createErrorResponse(
  429,
  'RESOURCE_EXHAUSTED',
  'You exceeded your current quota, please check your plan and billing details.',
  violation('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'),
)
const notFound = createErrorResponse(404, 'NOT_FOUND', 'not available to new users')

test('a list falls through where the key may not use a model or its quota is spent, and on nothing else', async () => {
  const table: [name: string, first: GeminiBehavior, fallsThrough: boolean][] = [
    ['404', notFound, true],
    ['403', createErrorResponse(403, 'PERMISSION_DENIED', 'no'), true],
    ['the quota of a day', dailyQuota, true],
    ['a quota, in words', createErrorResponse(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.'), true],
    ['the pace of a minute', minuteQuota, false],
    ['429', createErrorResponse(429, 'RESOURCE_EXHAUSTED', 'slow down'), false],
    ['503', createErrorResponse(503, 'UNAVAILABLE', 'overloaded'), false],
    ['401', createErrorResponse(401, 'UNAUTHENTICATED', 'no'), false],
    ['400', createErrorResponse(400, 'INVALID_ARGUMENT', 'bad schema'), false],
    ['a safety filter', createTextResponse(validReply, { finishReason: 'SAFETY' }), false],
  ]
  for (const [name, first, fallsThrough] of table) {
    const server = await startFakeGemini(({ url }) =>
      url.includes('/a-1:') ? first : createTextResponse(validReply, {}, 'b-2'),
    )
    try {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url, { JUDGE_MODEL: 'a-1, b-2' }), NEVER_MS)
      assert.equal(judged.ok, fallsThrough, name)
      if (judged.ok) assert.match(judged.remark ?? '', /a-1[^;]*HTTP 4/, name)
      if (judged.ok) assert.equal(judged.model, 'b-2')
      assert.equal(server.requests.length, fallsThrough ? 2 : 1, name)
    } finally {
      server.close()
    }
  }
})

test('a list of which no model may be used names the failure of each', async () => {
  await withServer(
    () => notFound,
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url, { JUDGE_MODEL: 'a,b' }), 1)
      assert.ok(!judged.ok && judged.exitCode === exitCodes.dependency && !mayPass(judged.kind))
      assert.match(judged.reason, /model a .*; the model b /)
    },
  )
  const server = await startFakeGemini(({ url }) => (url.includes('/a:') ? dailyQuota : notFound))
  try {
    const judged = await judgePacket(packet, buildJudgeConfig(server.url, { JUDGE_MODEL: 'a,b' }), 1)
    assert.ok(!judged.ok && judged.kind === 'quota spent', 'a quota comes back')
  } finally {
    server.close()
  }
})

test('a single model with a spent quota is tried again, for it may be another quota than it looks like', () =>
  withServer(
    count => (count < 3 ? dailyQuota : createTextResponse(validReply)),
    async server => assert.ok((await judgePacket(packet, buildJudgeConfig(server.url), 1)).ok),
  ))

test('a model that the vendor has exchanged is named with a remark', () =>
  withServer(
    () => createTextResponse(validReply, {}, 'gemini-3.8-flash'),
    async server => {
      const judged = await judgePacket(packet, buildJudgeConfig(server.url, { JUDGE_MODEL: 'gemini-2.5-pro' }))
      assert.ok(judged.ok)
      assert.equal(judged.model, 'gemini-3.8-flash')
      assert.match(judged.remark ?? '', /gemini-2\.5-pro was asked.*gemini-3\.8-flash/)
    },
  ))

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
        const judged = await judgePacket(packet, buildJudgeConfig(server.url), NEVER_MS)
        assert.equal(judged.ok ? 'ok' : judged.exitCode, exit)
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
      assert.ok(!judged.ok && /daily quota/.test(judged.reason) && judged.retryAfterMs === 3_600_000)
      assert.equal(server.requests.length, 1)
    },
  )
})

test('one slow attempt may use all of the time; then it is given up', () =>
  withEnoughTime(async limitMs => {
    let attempts = 0
    await withServer(
      () => ({ break: 'hang' }),
      async server => {
        const config = buildJudgeConfig(server.url, { JUDGE_TIMEOUT_SEC: limitMs / 1000 })
        const judged = await judgePacket(packet, config, 1)
        assert.ok(!judged.ok && judged.kind === 'unreachable' && /in time/.test(judged.reason))
        attempts = server.requests.length
      },
    )
    return attempts === 1
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
        const text = JSON.stringify(await judgePacket(packet, buildJudgeConfig(server.url), NEVER_MS))
        assert.ok(!text.includes(key) && !text.includes(key.slice(0, 12)), text)
      },
    )
})
