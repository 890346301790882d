/** C12: 120 secrets, thirty kinds in four places each. What counts is what three servers on loopback got: none of them. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as bodyOf } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { listKnownSecrets } from '#host/secrets'
import { sendNotification } from '#notify/channels/send.ts'
import { createNotification } from '#notify/notification.ts'
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
  createRandom,
  readPacketText,
} from '../../fixtures/packet-examples.ts'
import { openRig } from '../../fixtures/rig.ts'
import { embedSecret, type SecretKind, secretKinds } from '../../fixtures/tokens.ts'

const random = createRandom(120)
let gemini: Awaited<ReturnType<typeof startFakeGemini>>
let ntfy: Awaited<ReturnType<typeof startNtfyServer>>
let hook: Awaited<ReturnType<typeof startHook>>

before(async () => {
  gemini = await startFakeGemini(seen => createTextResponse(JSON.stringify(answerHonestly(readPacketText(seen)))))
  ntfy = await startNtfyServer('ntfy')
  hook = await startHook()
})
after(() => {
  gemini.close()
  ntfy.stop()
  hook.stop()
})

/** A place, and the way from there out of the machine. Answers everything that went out. */
type Place = (secret: string, kind: SecretKind) => Promise<string>

const places: Record<string, Place> = {
  /** Handed to us in a variable; a check prints it as it is, with nothing about it that tells. */
  environment: (secret, kind) => {
    const knownSecrets = listKnownSecrets({}, { DEPLOY_TOKEN: secret, CONFIG_SECRET: embedSecret(kind, secret) })
    return judged({ knownSecrets, gates: printing(`ok 1\n${secret}\nok 2\n`) })
  },
  /** In a file of the work of which the leak scan knows nothing, and printed by a check. */
  file: (secret, kind) => judged({ gates: printing(`reading notes.md\n${embedSecret(kind, secret)}\ndone\n`) }),
  report: (secret, kind) =>
    judged({ reports: reporting(`I used this one: ${embedSecret(kind, secret)} and it works.`) }),
  /** Asked of the human, whose phone and webhook tell them all of it. */
  notice: (secret, kind) => noticed(`May I use this one?\n${embedSecret(kind, secret)}`),
}

test(`C12: ${secretKinds.length * 4} secrets in environment, files, reports and notices: none reaches Gemini, ntfy or a webhook`, async t => {
  assert.equal(secretKinds.length, 30)
  const left: string[] = []
  let planted = 0
  for (const kind of secretKinds)
    for (const [place, plant] of Object.entries(places)) {
      const secret = kind.make(random)
      assert.ok(holds(JSON.stringify([embedSecret(kind, secret)]), secret)) // Else nothing would be found below.
      const out = await plant(secret, kind)
      planted++
      assert.match(out, /secret withheld/, `${kind.name}, ${place}: ${out}`)
      if (holds(out, secret)) left.push(`${kind.name}, ${place}`)
    }
  t.diagnostic(`${left.length} of ${planted} planted secrets left`)
  assert.equal(planted, 120)
  assert.deepEqual(left, [])
})

const disguises: Record<string, (secret: string) => string> = {
  base64: secret => Buffer.from(secret).toString('base64'),
  'base64 inside of base64': secret => Buffer.from(`login:${secret}:x`).toString('base64url'),
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

test('C12: held secrets in disguise do not leave either', async t => {
  const left: string[] = []
  let planted = 0
  for (const kind of secretKinds)
    for (const [how, disguise] of Object.entries(disguises)) {
      const secret = kind.make(random)
      const knownSecrets = listKnownSecrets({}, { DEPLOY_TOKEN: secret })
      for (const more of [
        { reports: reporting(`See ${disguise(secret)} there.`) },
        { gates: printing(disguise(secret)) },
      ]) {
        planted++
        const { packet } = buildPacket(createPacketInput({ ...more, knownSecrets }))
        if (holds(packet, secret) || holds(packet, disguise(secret))) left.push(`${kind.name}, ${how}`)
      }
    }
  t.diagnostic(`${left.length} of ${planted} planted secrets left`)
  assert.deepEqual(left, [])
})

test('C12: contract, commands, paths, names of workers and reasons hold none either', () => {
  for (const kind of secretKinds) {
    const secret = kind.make(random).replaceAll('\n', ' ')
    const said = embedSecret(kind, secret)
    const knownSecrets = listKnownSecrets({}, { DEPLOY_TOKEN: secret })
    const [one, ...others] = createGates()
    assert.ok(one)
    const clause = { ...one.clause, sentence: `It says ${said} to all` }
    const built = buildPacket(
      createPacketInput({
        knownSecrets,
        contract: { title: said, clauses: [clause], exclusions: [{ sentenceId: 'S2', reason: said }] },
        gates: [
          {
            ...one,
            clause,
            reason: said,
            evidence: [createEvidenceRecord({ command: `curl ${said}`, expected: said, reason: said })],
          },
          ...others,
        ],
        reports: [{ worker: said, clauses: [said], how: said, report: '' }],
        listing: [{ path: `a/${secret}.txt`, sizeBytes: 1, change: 'added' }],
      }),
    )
    assert.ok(!holds(built.packet, secret), `${kind.name}: ${built.packet}`)
    assert.match(built.packet, new RegExp(`### ${built.canaryId} — The file ${built.canaryFile} exists`))
    assert.deepEqual(answerHonestly(built.packet).clauses.length, 2)
  }
})

test('a line of the source is withheld as a line also where a secret stands in it', () => {
  const secret = secretKinds[0]?.make(random)
  const line = `const client = connect("${secret}", { retries: 3 }) // the usual`
  const { packet } = buildPacket(
    createPacketInput({ sources: [{ path: 'a.ts', text: `${line}\n` }], gates: printing(`seen:\n${line}\n`) }),
  )
  assert.match(packet, /\| seen:\n\| \[line withheld\]/)
  assert.ok(!packet.includes('retries: 3'))
})

test('a secret that is cut in two by our own cap does not leave in halves', () => {
  const secret = secretKinds[0]?.make(random) ?? ''
  for (let before = 8192 - 50; before <= 8192; before += 7) {
    const { packet } = buildPacket(createPacketInput({ reports: reporting(`${'x '.repeat(before / 2)}${secret}`) }))
    assert.ok(!packet.includes(secret.slice(0, 12)))
  }
})

test('a finished packet that still holds a secret is refused, and the refusal does not repeat it', () => {
  const secret = secretKinds[0]?.make(random) ?? ''
  for (const [packet, held] of [
    [`we saw ${secret} there`, []],
    ['we saw correct-horse-battery there', ['correct-horse-battery']],
  ] as const)
    assert.throws(
      () => assertNoSecrets(packet, held),
      (error: unknown) =>
        error instanceof PacketLeakError && error.message === 'leak: the packet for the judge still held 1 secret',
    )
  assertNoSecrets('we saw nothing there', [])
})

test('our own hashes, fences and ids are no secrets', () => {
  for (let round = 0; round < 200; round++) {
    const { packet, withheld } = buildPacket(createPacketInput())
    assert.equal(withheld, 0, packet)
  }
})

test('C12: a whole dispatch, in which worker, check and question tell a secret: none leaves, and the packet on disk has none', async () => {
  const planted = secretKinds.filter(({ embed, name }) => !embed && name !== 'SSH key').map(({ make }) => make(random))
  const key = 'sk-rehearsal-0123456789abcdefghij'
  const told = [...planted, key].join('\n')
  const check = helloContract
    .replace('`sh hello.sh`', '`sh hello.sh; cat notes.md`')
    .replace('equals', 'contains')
    .replace('hello.sh`\n`', 'hello.sh`')
  const rig = await openRig(
    {
      title: '',
      task: helloTask,
      workers: { '*': [put('hello.sh', 'echo hello'), put('notes.md', told), say(`Done. ${told}`)] },
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
    const out = rig.models.requests.filter(({ role }) => role === 'judge' || role === undefined).map(({ body }) => body)
    assert.ok(out.some(body => body.includes('secret withheld')))
    const packet = fs.readFileSync(`${rig.readSession().paths.evidence}/packet-1.txt`, 'utf8')
    for (const secret of [...planted, key]) assert.ok(![packet, ...out].some(body => holds(body, secret)), secret)
  } finally {
    await rig.close()
  }
})

// --- the rig ---

async function judged(more: Partial<PacketInput>): Promise<string> {
  const from = gemini.seen.length
  const answer = await judgePacket(buildPacket(createPacketInput(more)), buildJudgeConfig(gemini.url), 1)
  assert.ok(answer.ok, JSON.stringify(answer))
  return JSON.stringify(gemini.seen.slice(from))
}

async function noticed(question: string): Promise<string> {
  const [fromNtfy, fromHook] = [ntfy.got.length, hook.got.length]
  const session = { id: '2026-11-20-use-it-a3f9', title: question }
  const event = { type: 'question.asked', question, seq: 7, time: '2026-11-20T10:00:00.000Z' } as const
  const told = createNotification(event, session, { pageUrl: null, detail: 'full', subagents: false })
  assert.ok(told)
  const config = buildConfig('/nowhere', { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: hook.url })
  for (const notification of [told.notice, { ...told.notice, body: `${session.id} asks\n${question}` }])
    for (const channel of ['phone', 'webhook'] as const) {
      const outgoing = { id: 'x', sessionId: session.id, at: event.time, notification, text: question }
      const { ok, reason } = await sendNotification(outgoing, channel, { config, timeoutMs: 5000 })
      assert.ok(ok, reason)
    }
  const published = ntfy.got.slice(fromNtfy).map(({ body, headers }) => ({ body, headers }))
  return JSON.stringify([published, hook.got.slice(fromHook)])
}

async function startHook() {
  const got: string[] = []
  const server = http.createServer(async (request, response) => {
    got.push(await bodyOf(request))
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { got, url: `http://127.0.0.1:${port}/hook/of/the/user`, stop: () => void server.close() }
}

function printing(outputTail: string): PacketInput['gates'] {
  const [one, ...others] = createGates()
  return one
    ? [
        { ...one, evidence: [createEvidenceRecord({ outputTail, outputBytes: Buffer.byteLength(outputTail) })] },
        ...others,
      ]
    : []
}

function reporting(report: string): PacketInput['reports'] {
  return [{ worker: 'w1', clauses: ['C1'], how: 'reported', report }]
}

/** Does a text hold the telling end of a secret, as it is, in base64, or in lines? */
function holds(text: string, secret: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
  const bare = (words: string) => words.replace(/\u001b\[\d*m|\\n|-----[A-Z ]+-----|[\s\p{Cf}`"'*\\|]/gu, '')
  const ends = [bare(secret).slice(-14), Buffer.from(secret.slice(-18)).toString('base64').slice(0, 16)]
  return ends.some(end => bare(text).includes(end))
}
