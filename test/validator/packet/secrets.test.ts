/** 120 secrets, thirty kinds in four places each. What counts is what three servers on loopback received. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as bodyOf } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { listKnownSecrets } from '#host/secrets'
import { sendNotification } from '#notify/channels/send.ts'
import { createNotification } from '#notify/create-notification.ts'
import { helloContract, helloTask, remainingTurns } from '#rehearsal/hello.ts'
import { put, say } from '#rehearsal/scenario.ts'
import { assertNoSecrets, buildPacket, judgePacket, type PacketInput, PacketLeakError } from '#validator'
import { buildJudgeConfig, createTextResponse, startFakeGemini } from '../../fixtures/gemini-server.ts'
import { buildConfig, buildPhoneSettings } from '../../fixtures/notify-home.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'
import {
  answerHonestly,
  createEvidenceRecord,
  createGates,
  createPacketInput,
  readPacketText,
} from '../../fixtures/packet-examples.ts'
import { openRig } from '../../fixtures/rig.ts'
import { createRandom, HANG_MS } from '../../fixtures/scratch.ts'
import { embedSecret, type SecretKind, secretKinds } from '../../fixtures/secret-kinds.ts'

const random = createRandom(120)
let gemini: Awaited<ReturnType<typeof startFakeGemini>>
let ntfy: Awaited<ReturnType<typeof startNtfyServer>>
let webhook: Awaited<ReturnType<typeof startWebhook>>

before(async () => {
  gemini = await startFakeGemini(request => createTextResponse(JSON.stringify(answerHonestly(readPacketText(request)))))
  ntfy = await startNtfyServer('ntfy')
  webhook = await startWebhook()
})
after(() => {
  gemini.close()
  ntfy.stop()
  webhook.stop()
})

/** Put a secret into a place, and let it take its way out of the machine. Returns everything that was sent. */
type Plant = (secret: string, kind: SecretKind) => Promise<string>

const places: Record<string, Plant> = {
  /** In a variable; a check prints it alone, without a name that gives it away. */
  environment: (secret, kind) => {
    const knownSecrets = listKnownSecrets({}, { DEPLOY_TOKEN: secret, CONFIG_SECRET: embedSecret(kind, secret) })
    return judge({ knownSecrets, gates: withOutput(`ok 1\n${secret}\nok 2\n`) })
  },
  /** In a file that the leak scan does not know, and printed by a check. */
  file: (secret, kind) => judge({ gates: withOutput(`reading notes.md\n${embedSecret(kind, secret)}\ndone\n`) }),
  report: (secret, kind) =>
    judge({ reports: withReport(`I used this one: ${embedSecret(kind, secret)} and it works.`) }),
  /** In a question to the human, which phone and webhook show in full. */
  question: (secret, kind) => notify(`May I use this one?\n${embedSecret(kind, secret)}`),
}

test(`${secretKinds.length * 4} secrets: none reaches Gemini, ntfy or a webhook`, async t => {
  assert.equal(secretKinds.length, 30)
  const leaked: string[] = []
  let planted = 0
  for (const kind of secretKinds)
    for (const [place, plant] of Object.entries(places)) {
      const secret = kind.make(random)
      assert.ok(holds(JSON.stringify([embedSecret(kind, secret)]), secret)) // Otherwise a leak could not be found below.
      const sent = await plant(secret, kind)
      planted++
      assert.match(sent, /secret withheld/, `${kind.name}, ${place}: ${sent}`)
      if (holds(sent, secret)) leaked.push(`${kind.name}, ${place}`)
    }
  t.diagnostic(`${leaked.length} of ${planted} planted secrets leaked`)
  assert.equal(planted, 120)
  assert.deepEqual(leaked, [])
})

const disguises: Record<string, (secret: string) => string> = {
  base64: secret => Buffer.from(secret).toString('base64'),
  'base64 inside base64': secret => Buffer.from(`login:${secret}:x`).toString('base64url'),
  'base64 in lines': secret =>
    (
      Buffer.from(`{"auth": "${secret}"}`)
        .toString('base64')
        .match(/.{1,64}/g) ?? []
    ).join('\n'),
  'percent escapes': secret => secret.replace(/./gs, sign => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`),
  hex: secret => Buffer.from(secret).toString('hex'),
  'zero width': secret => [...secret].join('\u200b'),
  joiners: secret => `${secret.slice(0, 9)}\u200d${secret.slice(9)}`,
  'ANSI escapes': secret => `\u001b[31m${secret.slice(0, 10)}\u001b[1m${secret.slice(10)}\u001b[0m`,
  quotes: secret => `"'${secret}'"`,
  markup: secret => `**${secret.slice(0, 8)}**${secret.slice(8)}`,
  'an address': secret => `https://example.com/path?x=1&key=${secret}&y=2#z`,
  'broken lines': secret => secret.replace(/.{11}/g, '$&\n'),
}

test('known secrets in disguise do not leak either', async t => {
  const leaked: string[] = []
  let planted = 0
  for (const kind of secretKinds)
    for (const [name, disguise] of Object.entries(disguises)) {
      const secret = kind.make(random)
      const knownSecrets = listKnownSecrets({}, { DEPLOY_TOKEN: secret })
      for (const input of [
        { reports: withReport(`See ${disguise(secret)} there.`) },
        { gates: withOutput(disguise(secret)) },
      ]) {
        planted++
        const { packet } = buildPacket(createPacketInput({ ...input, knownSecrets }))
        if (holds(packet, secret) || holds(packet, disguise(secret))) leaked.push(`${kind.name}, ${name}`)
      }
    }
  t.diagnostic(`${leaked.length} of ${planted} planted secrets leaked`)
  assert.deepEqual(leaked, [])
})

test('contract, commands, paths, worker names and reasons leak none either', () => {
  for (const kind of secretKinds) {
    const secret = kind.make(random).replaceAll('\n', ' ')
    const text = embedSecret(kind, secret)
    const knownSecrets = listKnownSecrets({}, { DEPLOY_TOKEN: secret })
    const [first, ...others] = createGates()
    assert.ok(first)
    const clause = { ...first.clause, sentence: `It says ${text} to all` }
    const built = buildPacket(
      createPacketInput({
        knownSecrets,
        contract: { title: text, clauses: [clause], exclusions: [{ sentenceId: 'S2', reason: text }] },
        gates: [
          {
            ...first,
            clause,
            reason: text,
            evidence: [createEvidenceRecord({ command: `curl ${text}`, expected: text, reason: text })],
          },
          ...others,
        ],
        reports: [{ worker: text, clauses: [text], ending: text, report: '' }],
        listing: [{ path: `a/${secret}.txt`, sizeBytes: 1, change: 'added' }],
      }),
    )
    assert.ok(!holds(built.packet, secret), `${kind.name}: ${built.packet}`)
    assert.match(built.packet, new RegExp(`### ${built.canaryId} — .*${built.canaryFile}`))
    assert.deepEqual(answerHonestly(built.packet).clauses.length, 2)
  }
})

test('a line of the source is removed as a line, also with a secret in it', () => {
  const secret = secretKinds[0]?.make(random)
  const line = `const client = connect("${secret}", { retries: 3 }) // the usual`
  const { packet } = buildPacket(
    createPacketInput({ sources: [{ path: 'a.ts', text: `${line}\n` }], gates: withOutput(`seen:\n${line}\n`) }),
  )
  assert.match(packet, /\| seen:\n\| \[line withheld\]/)
  assert.ok(!packet.includes('retries: 3'))
})

test('a secret that the size limit cuts in two does not leak in halves', () => {
  const secret = secretKinds[0]?.make(random) ?? ''
  for (let before = 8192 - 50; before <= 8192; before += 7) {
    const { packet } = buildPacket(createPacketInput({ reports: withReport(`${'x '.repeat(before / 2)}${secret}`) }))
    assert.ok(!packet.includes(secret.slice(0, 12)))
  }
})

test('assertNoSecrets throws on a secret, and does not repeat it', () => {
  const secret = secretKinds[0]?.make(random) ?? ''
  for (const [packet, knownSecrets] of [
    [`we saw ${secret} there`, []],
    ['we saw correct-horse-battery there', ['correct-horse-battery']],
  ] as const)
    assert.throws(
      () => assertNoSecrets(packet, knownSecrets),
      (error: unknown) => error instanceof PacketLeakError && /^leak: .* 1 secret$/.test(error.message),
    )
  assertNoSecrets('we saw nothing there', [])
})

test('hashes, fences and ids of dispatch are not taken for secrets', () => {
  for (let round = 0; round < 200; round++) {
    const { packet, withheld } = buildPacket(createPacketInput())
    assert.equal(withheld, 0, packet)
  }
})

test('a whole session in which worker and check print secrets leaks none', async () => {
  const planted = secretKinds.filter(({ embed, name }) => !embed && name !== 'SSH key').map(({ make }) => make(random))
  const key = 'sk-rehearsal-0123456789abcdefghij'
  const secrets = [...planted, key].join('\n')
  const check = helloContract
    .replace('`sh hello.sh`', '`sh hello.sh; cat notes.md`')
    .replace('equals', 'contains')
    .replace('hello.sh`\n`', 'hello.sh`')
  const rig = await openRig(
    {
      title: '',
      task: helloTask,
      workers: { '*': [put('hello.sh', 'echo hello'), put('notes.md', secrets), say(`Done. ${secrets}`)] },
      orchestrator: [
        put('contract.md', check.replace('scope: `hello.sh`', 'scope: `hello.sh` `notes.md`')),
        ...remainingTurns,
      ],
      endStates: ['PASS'],
    },
    { NOTICE_DETAIL: 'full', ANTHROPIC_API_KEY: key },
  )
  try {
    const ran = await rig.dispatch([helloTask, '--wait'])
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    const sent = rig.models.requests
      .filter(({ role }) => role === 'judge' || role === undefined)
      .map(({ body }) => body)
    assert.ok(sent.some(body => body.includes('secret withheld')))
    const packet = fs.readFileSync(`${rig.readSession().paths.evidence}/packet-1.txt`, 'utf8')
    for (const secret of [...planted, key]) assert.ok(![packet, ...sent].some(body => holds(body, secret)), secret)
  } finally {
    await rig.close()
  }
})

// --- ways out of the machine ---

async function judge(changes: Partial<PacketInput>): Promise<string> {
  const before = gemini.requests.length
  const answer = await judgePacket(buildPacket(createPacketInput(changes)), buildJudgeConfig(gemini.url), 1)
  assert.ok(answer.ok, JSON.stringify(answer))
  return JSON.stringify(gemini.requests.slice(before))
}

async function notify(question: string): Promise<string> {
  const [ntfyBefore, webhookBefore] = [ntfy.got.length, webhook.got.length]
  const session = { id: '2026-11-20-use-it-a3f9', title: question }
  const event = { type: 'question.asked', question, seq: 7, time: '2026-11-20T10:00:00.000Z' } as const
  const created = createNotification(event, session, { pageUrl: null, detail: 'full', subagents: false })
  assert.ok(created)
  const config = buildConfig('/nowhere', { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: webhook.url })
  for (const notification of [
    created.notification,
    { ...created.notification, body: `${session.id} asks\n${question}` },
  ])
    for (const channel of ['phone', 'webhook'] as const) {
      const outgoing = { id: 'x', sessionId: session.id, at: event.time, notification, text: question }
      const { ok, reason } = await sendNotification(outgoing, channel, { config, timeoutMs: HANG_MS })
      assert.ok(ok, reason)
    }
  const published = ntfy.got.slice(ntfyBefore).map(({ body, headers }) => ({ body, headers }))
  return JSON.stringify([published, webhook.got.slice(webhookBefore)])
}

async function startWebhook() {
  const got: string[] = []
  const server = http.createServer(async (request, response) => {
    got.push(await bodyOf(request))
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { got, url: `http://127.0.0.1:${port}/hook/of/the/user`, stop: () => void server.close() }
}

function withOutput(outputTail: string): PacketInput['gates'] {
  const [first, ...others] = createGates()
  return first
    ? [
        { ...first, evidence: [createEvidenceRecord({ outputTail, outputBytes: Buffer.byteLength(outputTail) })] },
        ...others,
      ]
    : []
}

function withReport(report: string): PacketInput['reports'] {
  return [{ worker: 'w1', clauses: ['C1'], ending: 'reported', report }]
}

/** Does a text contain the end of a secret: as it is, in base64, or broken into lines? */
function holds(text: string, secret: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a color
  const strip = (part: string) => part.replace(/\u001b\[\d*m|\\n|-----[A-Z ]+-----|[\s\p{Cf}`"'*\\|]/gu, '')
  const ends = [strip(secret).slice(-14), Buffer.from(secret.slice(-18)).toString('base64').slice(0, 16)]
  return ends.some(end => strip(text).includes(end))
}
