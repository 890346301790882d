import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import {
  type DeliveryTiming,
  listEnabledChannels,
  type QueuedNotification,
  readChannelHealth,
  readDeliveryLog,
  runDeliverer,
  writeToOutbox,
} from '#notify'
import type { RetryState } from '#notify/delivery/retry-state.ts'
import {
  buildConfig,
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  listOutbox,
  quickTiming,
  testToken,
  testTopic,
  waitUntilTrue,
} from '../../fixtures/notify-home.ts'
import { listShown, type PublishedRequest, type ResponseMode, startNtfyServer } from '../../fixtures/ntfy-server.ts'

const homes: string[] = []
after(() => homes.forEach(home => void fs.rmSync(home, { recursive: true, force: true })))

test('what was laid out arrives, once, in its order, and lies among what was sent', async () => {
  const { got, home } = await through('ntfy', [
    buildQueuedNotification(1),
    buildQueuedNotification(2),
    buildQueuedNotification(3),
  ])
  assert.deepEqual(got.map(bodyOf), ['step 1', 'step 2', 'step 3'])
  assert.deepEqual(listOutbox(home, 'phone').waiting, [])
  assert.equal(listOutbox(home, 'phone').sent.length, 3)
  assert.deepEqual(
    readDeliveryLog(home, 9).map(({ what, status, reason }) => ({ what, status, reason })),
    Array(3).fill({ what: 'sent', status: 200, reason: '' }),
  )
})

test('of two deliverers of one home only one delivers', async () => {
  const ntfy = await startNtfyServer({ after: 50 })
  const home = homeWith([buildQueuedNotification(1), buildQueuedNotification(2)], buildPhoneSettings(ntfy.url))
  const config = buildConfig(home, buildPhoneSettings(ntfy.url))
  await Promise.all([runDeliverer(home, () => config, quickTiming), runDeliverer(home, () => config, quickTiming)])
  ntfy.stop()
  assert.equal(ntfy.got.length, 2)
})

test('a message that comes while the deliverer lingers goes with the same one', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const config = buildConfig(
    homeWith([buildQueuedNotification(1)], buildPhoneSettings(ntfy.url)),
    buildPhoneSettings(ntfy.url),
  )
  const running = runDeliverer(config.home, () => config, { ...quickTiming, lingerMs: 500 })
  await waitUntilTrue('the first', () => ntfy.got.length === 1)
  writeToOutbox(config.home, buildQueuedNotification(2), ['phone'])
  await waitUntilTrue('the second', () => ntfy.got.length === 2)
  await running
  ntfy.stop()
})

// --- F31: nobody is there ---

test('F31: a server that is down for a while gets each notice once, later, in order', async () => {
  const first = await startNtfyServer('ntfy')
  first.stop()
  const settings = buildPhoneSettings(first.url)
  const config = buildConfig(homeWith([buildQueuedNotification(1), buildQueuedNotification(2)], settings), settings)
  const running = runDeliverer(config.home, () => config, quickTiming)
  await waitUntilTrue('three failures', () => readDeliveryLog(config.home, 99).length >= 3)
  assert.match(readDeliveryLog(config.home, 1)[0]?.reason ?? '', /^the server cannot be reached \(ECONNREFUSED\)$/)
  const ntfy = await startNtfyServer('ntfy', first.port)
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 1', 'step 2'])
})

test('F31: a name that leads nowhere holds nothing up for good: the settings may change while it waits', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const home = homeWith([buildQueuedNotification(1)], buildPhoneSettings(ntfy.url))
  const [dead, alive] = ['http://nobody.invalid', ntfy.url].map(url => buildConfig(home, buildPhoneSettings(url)))
  let config = dead
  const running = runDeliverer(home, () => config ?? buildConfig(home), quickTiming)
  await waitUntilTrue('a failure', () => readDeliveryLog(home, 9).some(({ what }) => what === 'unreachable'))
  config = alive
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 1'])
})

test('F31: what does not speak TLS is told as that, and kept', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const why = await reasonAt(ntfy.url.replace('http:', 'https:'))
  ntfy.stop()
  assert.match(why, /^the server cannot be reached \((ERR_SSL|EPROTO)\w*\)$/)
  assert.equal(ntfy.got.length, 0)
})

const hasOpenssl = has('openssl')
test('F31: a certificate that nobody vouches for is no ntfy server', { skip: !hasOpenssl }, async () => {
  const place = createHome()
  homes.push(place)
  const [key, cert] = ['key', 'cert'].map(name => path.join(place, name))
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  execFileSync('openssl', [...words, ...subject, '-keyout', key ?? '', '-out', cert ?? ''], { stdio: 'ignore' })
  const server = https.createServer({ key: fs.readFileSync(key ?? ''), cert: fs.readFileSync(cert ?? '') })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const why = await reasonAt(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  server.close()
  assert.equal(why, 'the server cannot be reached (DEPTH_ZERO_SELF_SIGNED_CERT)')
})

// --- F32: slow ---

for (const [what, manner] of [
  ['a reply after 30 s', { after: 30_000 }],
  ['silence', 'never'],
  ['headers and then silence', 'headers only'],
] as [string, ResponseMode][]) {
  test(`F32: ${what} ends at the deadline, and the webhook hears at once`, async () => {
    let isSlow = true
    const ntfy = await startNtfyServer(() => (isSlow ? manner : 'ntfy'))
    const hook = await startHook()
    const settings = { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: hook.url }
    const config = buildConfig(homeWith([buildQueuedNotification(1)], settings), settings)
    const started = performance.now()
    const running = runDeliverer(config.home, () => config, { ...quickTiming, attemptTimeoutMs: 1000 })
    await waitUntilTrue('the webhook', () => hook.got.length === 1, 900)
    await waitUntilTrue('the end of the attempt', () =>
      readDeliveryLog(config.home, 9).some(({ channel }) => channel === 'phone'),
    )
    const took = performance.now() - started
    assert.ok(took > 900 && took < 2500, `${took} ms`)
    assert.match(readDeliveryLog(config.home, 1)[0]?.reason ?? '', /no answer in 1 s$/)
    isSlow = false
    await running
    ntfy.stop()
    hook.stop()
    assert.deepEqual(listOutbox(config.home, 'phone').sent, [buildQueuedNotification(1).id])
  })
}

// --- F33: refusals ---

for (const [what, retryAfter] of [
  ['seconds', () => '1'],
  ['a date', () => new Date(Date.now() + 2000).toUTCString()],
] as const) {
  test(`F33: 429 with Retry-After as ${what} is waited out`, async () => {
    const { got } = await through(firstThen({ status: 429, retryAfter: retryAfter() }), [
      buildQueuedNotification(1),
      buildQueuedNotification(2),
    ])
    assert.deepEqual(got.map(bodyOf), ['step 1', 'step 1', 'step 2'])
    assert.ok(gaps(got)[0] ?? 0 > 950, `${gaps(got)}`)
  })
}

test('F33: a Retry-After of a year is followed no longer than our patience', async () => {
  const manner = firstThen({ status: 429, retryAfter: '31536000' })
  const { got } = await through(manner, [buildQueuedNotification(1)], { maxWaitMs: 300 })
  assert.ok((gaps(got)[0] ?? 0) >= 290)
  assert.equal(got.length, 2)
})

for (const status of [429, 408, 425, 500, 502, 503, 507]) {
  test(`F33: ${status} is tried again, as it is`, async () => {
    const { got, home } = await through(firstThen({ status }, 2), [buildQueuedNotification(1)])
    assert.deepEqual(got.map(bodyOf), ['step 1', 'step 1', 'step 1'])
    assert.deepEqual(listOutbox(home, 'phone').sent, [buildQueuedNotification(1).id])
    assert.equal(readDeliveryLog(home, 3)[0]?.status, status)
  })
}

for (const status of [400, 413]) {
  test(`F33: ${status} is tried once more, shortened`, async () => {
    const long = buildQueuedNotification(1, {
      notification: { title: 'T', body: 'word '.repeat(60).trim(), priority: 4, tags: ['x'] },
    })
    const { got, home } = await through(firstThen({ status }), [long, buildQueuedNotification(2)])
    assert.equal(got[1]?.body, 'word '.repeat(16).trim())
    assert.equal(got[1]?.headers['x-title'], 'T')
    assert.equal(got[1]?.headers['x-tags'], undefined)
    assert.equal(got[2]?.body, buildQueuedNotification(2).notification.body)
    assert.equal(listOutbox(home, 'phone').sent.length, 2)
  })

  test(`F33: ${status} twice is given up, and the next one goes`, async () => {
    const refuse = ({ query }: PublishedRequest): ResponseMode =>
      query.get('sequence-id')?.endsWith('-1') ? { status } : 'ntfy'
    const { got, home } = await through(refuse, [buildQueuedNotification(1), buildQueuedNotification(2)])
    assert.equal(got.length, 3)
    assert.deepEqual(listOutbox(home, 'phone').dead, [buildQueuedNotification(1).id])
    assert.deepEqual(listOutbox(home, 'phone').sent, [buildQueuedNotification(2).id])
    const told = readDeliveryLog(home, 9).map(({ what }) => what)
    assert.deepEqual(told, ['refused', 'refused', 'dead', 'sent'])
  })
}

test('a login page of an airport takes nothing: the notice goes when ntfy answers again', async () => {
  for (const manner of ['portal', { status: 302, location: 'http://127.0.0.1:1/login' }] as ResponseMode[]) {
    const { got, home } = await through(firstThen(manner), [buildQueuedNotification(1)])
    assert.equal(got.length, 2)
    assert.equal(listOutbox(home, 'phone').sent.length, 1)
  }
})

test('a session whose message the server cannot take holds up no other session', async () => {
  const poison = buildQueuedNotification(1, { sessionId: '2026-11-20-poison-0001' })
  const others = [1, 2, 3].map(nth => buildQueuedNotification(nth + 1))
  let isBroken = true
  const ntfy = await startNtfyServer(({ body }) => (isBroken && body.includes('poison') ? { status: 500 } : 'ntfy'))
  const settings = buildPhoneSettings(ntfy.url)
  const config = buildConfig(homeWith([poison, ...others], settings), settings)
  const running = runDeliverer(config.home, () => config, {
    ...quickTiming,
    firstBackoffMs: 2000,
    maxBackoffMs: 2000,
    maxWaitMs: 9000,
  })
  await waitUntilTrue('the others', () => listOutbox(config.home, 'phone').sent.length === 3, 1900)
  isBroken = false
  await running
  ntfy.stop()
  assert.equal(listOutbox(config.home, 'phone').sent.length, 4)
})

// --- F34: the reply is lost ---

test('F34: a reply that is lost costs one duplicate, of the same sequence: none where sequences work', async () => {
  const { got, kept } = await through(firstThen('drop'), [buildQueuedNotification(1), buildQueuedNotification(2)])
  const sequences = got.map(({ query }) => query.get('sequence-id'))
  assert.deepEqual(sequences, [
    buildQueuedNotification(1).id,
    buildQueuedNotification(1).id,
    buildQueuedNotification(2).id,
  ])
  assert.equal(listShown(kept, false).length, 3)
  assert.deepEqual(listShown(kept, true), [
    buildQueuedNotification(1).notification.body,
    buildQueuedNotification(2).notification.body,
  ])
})

test('F34: what was lost as one comes back as the same one, though more waits by then', async () => {
  const ntfy = await startNtfyServer(firstThen('drop'))
  const settings = buildPhoneSettings(ntfy.url)
  const config = buildConfig(
    homeWith(
      [1, 2, 3, 4].map(nth => buildQueuedNotification(nth)),
      settings,
    ),
    settings,
  )
  const running = runDeliverer(config.home, () => config, { ...quickTiming, firstBackoffMs: 200 })
  await waitUntilTrue('the first', () => ntfy.got.length === 1)
  for (const nth of [5, 6]) writeToOutbox(config.home, buildQueuedNotification(nth), ['phone'])
  await running
  ntfy.stop()
  assert.equal(ntfy.got[0]?.body, ntfy.got[1]?.body)
  assert.deepEqual(
    ntfy.got.map(({ query }) => query.get('sequence-id')?.at(-1)),
    ['1', '1', '5', '6'],
  )
})

for (const [place, what] of [
  ['sent', 'taken'],
  ['dead', 'given up'],
] as const) {
  test(`a parcel that a kill left half put away was ${what}: the rest follows, and nothing is sent`, async () => {
    const ntfy = await startNtfyServer('ntfy')
    const settings = buildPhoneSettings(ntfy.url)
    const home = homeWith(
      [1, 2, 3, 4].map(nth => buildQueuedNotification(nth)),
      settings,
    )
    const at = (folder: string, name = '') => path.join(home, 'outbox/phone', folder, name)
    const names = fs.readdirSync(at('waiting')).sort()
    const attempt = { fileNames: names, failures: 0, waitUntilMs: 0, isShort: false }
    const standing: RetryState = {
      pausedUntilMs: 0,
      failures: 0,
      failingSessions: [],
      tokens: 20,
      tokensCountedAtMs: 0,
      attempts: { [buildQueuedNotification(1).sessionId]: attempt },
      sentAt: null,
      lastFailure: null,
    }
    fs.writeFileSync(at('retry-state.json'), JSON.stringify(standing))
    fs.mkdirSync(at(place))
    fs.renameSync(at('waiting', names[0]), at(place, names[0]))
    await runDeliverer(home, () => buildConfig(home, settings), quickTiming)
    ntfy.stop()
    assert.equal(ntfy.got.length, 0)
    assert.equal(listOutbox(home, 'phone')[place].length, 4)
    assert.deepEqual(
      readDeliveryLog(home, 9).map(({ what, batchIds: all }) => [what, all?.length]),
      [[place, 4]],
    )
  })
}

test('an id that is too long for a sequence goes as its hash, the same each time', async () => {
  const { got } = await through(firstThen('drop'), [buildQueuedNotification(1, { id: 'x'.repeat(120) })])
  const [one, two] = got.map(({ query }) => query.get('sequence-id'))
  assert.match(one ?? '', /^[0-9a-f]{64}$/)
  assert.equal(one, two)
})

// --- what goes together, what is held, what is given up ---

test('more than three of one session go as one, and all of them are sent', async () => {
  const { got, home } = await through(
    'ntfy',
    [1, 2, 3, 4].map(nth => buildQueuedNotification(nth)),
  )
  assert.equal(got.length, 1)
  assert.match(got[0]?.body ?? '', /^4 notices of 2026-11-20-fix-login-a3f9:\nis at step 1\n.*\n.*\nis at step 4$/)
  assert.equal(listOutbox(home, 'phone').sent.length, 4)
  const [entry] = readDeliveryLog(home, 9)
  assert.deepEqual(
    entry?.batchIds,
    [1, 2, 3, 4].map(nth => buildQueuedNotification(nth).id),
  )
})

test('a verdict is a push of its own, with its proof, whatever a crowd of sessions has to say', async () => {
  const crowd = ['a', 'b', 'c', 'd', 'e'].map(sessionId => buildQueuedNotification(1, { sessionId }))
  const body = 'e has passed in round 1, proof 3f9a3f9a3f9a3f9a'
  const notice = { title: 'Dispatch: PASS', body, priority: 3, tags: ['white_check_mark'], kind: 'verdict' } as const
  const verdict = buildQueuedNotification(2, { sessionId: 'e', notification: { ...notice, tags: [...notice.tags] } })
  const { got } = await through('ntfy', [...crowd, verdict])
  assert.deepEqual(
    got.map(({ headers, body }) => [headers['x-title'], body.split('\n').length]),
    [
      ['Dispatch: news of 5 sessions', 5],
      ['Dispatch: PASS', 1],
    ],
  )
  assert.equal(got[1]?.body, body)
})

test('quiet hours hold a notice until their end, and say so once; one that is urgent goes', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const settings = buildPhoneSettings(ntfy.url)
  const urgent = buildQueuedNotification(2, { sessionId: 'external', deliverBy: new Date().toISOString() })
  const home = homeWith([buildQueuedNotification(1), urgent], settings)
  const hour = (hours: number) => new Date(Date.now() + hours * 3600_000).toTimeString().slice(0, 5)
  let config = buildConfig(home, { ...settings, QUIET_HOURS: `${hour(-1)}-${hour(1)}` })
  const running = runDeliverer(home, () => config, quickTiming)
  await waitUntilTrue('the urgent one', () => ntfy.got.length === 1)
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 2'])
  assert.equal(readDeliveryLog(home, 99).filter(({ what }) => what === 'held').length, 1)
  config = buildConfig(home, settings)
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 2', 'step 1'])
})

test('what waits on a channel that is off here is left to whoever has it on, for 72 hours', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const old = buildQueuedNotification(1, { at: new Date(Date.now() - 73 * 3600_000).toISOString() })
  const home = homeWith([old, buildQueuedNotification(2)], buildPhoneSettings(ntfy.url))
  await runDeliverer(home, () => buildConfig(home), quickTiming)
  assert.deepEqual(listOutbox(home, 'phone'), { waiting: [buildQueuedNotification(2).id], sent: [], dead: [old.id] })
  assert.equal(readDeliveryLog(home, 1)[0]?.reason, 'older than 72 hours: the channel is switched off')
  await runDeliverer(home, () => buildConfig(home, buildPhoneSettings(ntfy.url)), quickTiming)
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 2'])
})

test('a machine that slept for four days tries before it gives anything up', async () => {
  const old = buildQueuedNotification(1, { at: new Date(Date.now() - 96 * 3600_000).toISOString() })
  const { got, home } = await through('ntfy', [old])
  assert.deepEqual([got.length, listOutbox(home, 'phone').sent], [1, [old.id]])
})

test('after 72 hours a notice is given up; a file that holds no message is too', async () => {
  const old = buildQueuedNotification(1, { at: new Date(Date.now() - 73 * 3600_000).toISOString() })
  const home = homeWith([old], buildPhoneSettings('http://127.0.0.1:1'))
  fs.writeFileSync(
    path.join(home, `outbox/phone/waiting/${String(Date.now()).padStart(15, '0')}-torn-1.json`),
    '{"id":"torn',
  )
  const config = buildConfig(home, buildPhoneSettings('http://127.0.0.1:1'))
  await runDeliverer(home, () => config, quickTiming)
  assert.deepEqual(listOutbox(home, 'phone').dead.sort(), [old.id, 'torn-1'].sort())
  assert.deepEqual(
    readDeliveryLog(home, 9).map(({ reason }) => reason),
    [
      'it does not read',
      'the server cannot be reached (bad port)',
      'older than 72 hours: the server cannot be reached (bad port)',
    ],
  )
})

test('what one channel gives up, another tells once a day; and never of its own', async () => {
  const hook = await startHook()
  const ntfy = await startNtfyServer({ status: 400 })
  const settings = { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: hook.url }
  const apart = [1, 2, 3].map(nth => buildQueuedNotification(nth, { sessionId: `session-${nth}` }))
  const config = buildConfig(homeWith(apart, settings), settings)
  await runDeliverer(config.home, () => config, quickTiming)
  writeToOutbox(config.home, buildQueuedNotification(4), ['phone'])
  await runDeliverer(config.home, () => config, quickTiming)
  ntfy.stop()
  hook.stop()
  const told = hook.got.filter(({ session }) => session === 'outbox')
  assert.deepEqual(
    told.map(({ body }) => body),
    ['phone has not taken 3 notices: HTTP 400: Bad Request'],
  )
  assert.equal(listOutbox(config.home, 'phone').dead.length, 4)
})

test('sent notices are kept for a week, and no more than 5,000 of them', async () => {
  const home = homeWith([buildQueuedNotification(1)], buildPhoneSettings('http://127.0.0.1:1'))
  const sent = path.join(home, 'outbox/phone/sent')
  fs.mkdirSync(sent, { recursive: true })
  const name = (at: number) => path.join(sent, `${String(at).padStart(15, '0')}-x.json`)
  const week = 7 * 24 * 3600_000
  for (const at of [Date.now() - week - 1000, Date.now() - week + 60_000]) fs.writeFileSync(name(at), '{}')
  for (let nth = 0; nth < 5000; nth++) fs.writeFileSync(name(Date.now() - 10_000 + nth), '{}')
  await runDeliverer(home, () => buildConfig(home), quickTiming)
  const left = fs.readdirSync(sent)
  assert.equal(left.length, 5000)
  assert.ok(left.every(file => Number(file.slice(0, 15)) > Date.now() - 3600_000))
})

const linuxOnly = { skip: process.platform === 'linux' ? false : '/dev/full is of Linux' }
test('a full disk costs the ledger its lines, and no notice its way', linuxOnly, async () => {
  const ntfy = await startNtfyServer('ntfy')
  const settings = buildPhoneSettings(ntfy.url)
  const home = homeWith([buildQueuedNotification(1), buildQueuedNotification(2)], settings)
  fs.symlinkSync('/dev/full', path.join(home, 'outbox/ledger.jsonl'))
  await runDeliverer(home, () => buildConfig(home, settings), quickTiming)
  ntfy.stop()
  assert.equal(ntfy.got.length, 2)
  assert.equal(listOutbox(home, 'phone').sent.length, 2)
})

test('a notice that cannot be put away is dropped: it must not come again and again', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const settings = buildPhoneSettings(ntfy.url)
  const home = homeWith([buildQueuedNotification(1)], settings)
  const [name = ''] = fs.readdirSync(path.join(home, 'outbox/phone/waiting'))
  fs.mkdirSync(path.join(home, 'outbox/phone/sent', name, 'in the way'), { recursive: true })
  await runDeliverer(home, () => buildConfig(home, settings), quickTiming)
  ntfy.stop()
  assert.equal(ntfy.got.length, 1)
  assert.deepEqual(listOutbox(home, 'phone').waiting, [])
})

test('a channel whose folders are broken holds up no other, is sick, and goes on when they are mended', async () => {
  const [ntfy, hook] = [await startNtfyServer('ntfy'), await startHook()]
  const settings = { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: hook.url }
  const home = homeWith([buildQueuedNotification(1)], settings)
  const config = buildConfig(home, settings)
  const broken = path.join(home, 'outbox/phone/sent')
  fs.writeFileSync(broken, 'no folder')
  const asked = new AbortController()
  const running = runDeliverer(home, () => config, quickTiming, asked.signal)
  await waitUntilTrue('the webhook', () => hook.got.length === 1)
  const sick = Object.fromEntries(readChannelHealth(home, config).map(one => [one.channel, one.problem]))
  assert.deepEqual(sick, {
    desktop: undefined,
    phone: `${broken} is no folder, so no notice is sent`,
    webhook: undefined,
  })
  asked.abort()
  await running
  fs.rmSync(broken)
  await runDeliverer(home, () => config, quickTiming)
  ntfy.stop()
  hook.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 1'])
})

test('what others leave among the waiting keeps no deliverer awake', async () => {
  const home = homeWith([], {})
  fs.mkdirSync(path.join(home, 'outbox/phone/waiting'), { recursive: true })
  for (const name of ['.DS_Store', 'notes.txt', '.tmp-0123'])
    fs.writeFileSync(path.join(home, 'outbox/phone/waiting', name), '')
  await runDeliverer(home, () => buildConfig(home), quickTiming)
  assert.equal(fs.readdirSync(path.join(home, 'outbox/phone/waiting')).length, 3)
})

// --- secrets ---

test('topic, token and webhook are in no file of the home, whatever the servers answer', async () => {
  const echo = http.createServer(async (request, response) => {
    const said = `${request.url} ${request.headers.authorization} ${await text(request)}`
    response.writeHead(Math.random() < 0.5 ? 400 : 500, `no ${testTopic} ${testToken}`).end(said)
  })
  await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve))
  const { port } = echo.address() as AddressInfo
  const hidden = 'T00000000-B00000000-SECRETPATH'
  const settings = {
    ...buildPhoneSettings(`http://127.0.0.1:${port}`),
    NTFY_TOKEN: testToken,
    WEBHOOK_URL: `http://127.0.0.1:${port}/hooks/${hidden}`,
  }
  const home = homeWith(
    [1, 2, 3].map(nth => buildQueuedNotification(nth, { sessionId: `session-${nth}` })),
    settings,
  )
  const config = buildConfig(home, settings)
  const asked = new AbortController()
  const running = runDeliverer(home, () => config, quickTiming, asked.signal)
  await waitUntilTrue('a row of failures', () => readDeliveryLog(home, 99).length > 10)
  asked.abort()
  await running
  echo.closeAllConnections()
  echo.close()
  const files = fs.readdirSync(home, { recursive: true, encoding: 'utf8' }).map(file => path.join(home, file))
  const words = files.filter(file => fs.statSync(file).isFile()).map(file => fs.readFileSync(file, 'utf8'))
  const encoded = Buffer.from(`:${testToken}`).toString('base64')
  for (const secret of [testTopic, testToken, encoded, hidden, `${port}/hooks`])
    assert.ok(!words.some(word => word.includes(secret)), secret)
})

// --- what they share ---

function homeWith(messages: QueuedNotification[], settings: Record<string, string>): string {
  const home = createHome()
  homes.push(home)
  for (const message of messages) writeToOutbox(home, message, listEnabledChannels(buildConfig(home, settings)))
  return home
}

/** Lay these out for the phone and deliver them all, to a server of this manner. */
async function through(
  manner: ResponseMode | ((published: PublishedRequest) => ResponseMode),
  messages: QueuedNotification[],
  pace: Partial<DeliveryTiming> = {},
) {
  const ntfy = await startNtfyServer(manner)
  const settings = buildPhoneSettings(ntfy.url)
  const home = homeWith(messages, settings)
  try {
    await runDeliverer(home, () => buildConfig(home, settings), { ...quickTiming, ...pace })
  } finally {
    ntfy.stop()
  }
  return { home, got: ntfy.got, kept: ntfy.kept }
}

function firstThen(manner: ResponseMode, times = 1): () => ResponseMode {
  let left = times
  return () => (left-- > 0 ? manner : 'ntfy')
}

/** Why a notice does not get there; it waits on. */
async function reasonAt(server: string): Promise<string> {
  const settings = buildPhoneSettings(server)
  const config = buildConfig(homeWith([buildQueuedNotification(1)], settings), settings)
  const asked = new AbortController()
  const running = runDeliverer(config.home, () => config, quickTiming, asked.signal)
  await waitUntilTrue('a failure', () => readDeliveryLog(config.home, 9).length > 0)
  asked.abort()
  await running
  assert.equal(listOutbox(config.home, 'phone').waiting.length, 1)
  return readDeliveryLog(config.home, 1)[0]?.reason ?? ''
}

/** A server that takes whatever is posted to it. */
async function startHook() {
  const got: Record<string, unknown>[] = []
  const server = http.createServer(async (request, response) => {
    got.push(JSON.parse(await text(request)))
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/mine`
  return { url, got, stop: () => void server.close(() => undefined).closeAllConnections() }
}

function bodyOf({ body }: PublishedRequest): string {
  return body.slice(body.indexOf('step'))
}

function gaps(got: PublishedRequest[]): number[] {
  return got.slice(1).map(({ at }, nth) => at - (got[nth]?.at ?? 0))
}

function has(program: string): boolean {
  try {
    execFileSync(program, ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
