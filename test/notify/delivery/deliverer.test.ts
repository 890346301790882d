import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { DAY_MS, HOUR_MS } from '#host/time.ts'
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
import { findFilesWith } from '../../fixtures/find-files.ts'
import {
  buildConfig,
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  listOutbox,
  quickTiming,
  testSessionId,
  testToken,
  testTopic,
} from '../../fixtures/notify-home.ts'
import { listShown, type PublishedRequest, type ResponseMode, startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { waitUntil } from '../../fixtures/scratch.ts'
import { whyNoProgram } from '../../fixtures/skip-reasons.ts'

const homes: string[] = []
after(() => homes.forEach(home => void fs.rmSync(home, { recursive: true, force: true })))

test('notifications arrive once, in order, and end in `sent`', async () => {
  const { got, home } = await deliver('ntfy', buildMany(3))
  assert.deepEqual(got.map(getStep), ['step 1', 'step 2', 'step 3'])
  assert.deepEqual(listOutbox(home, 'phone').waiting, [])
  assert.equal(listOutbox(home, 'phone').sent.length, 3)
  assert.deepEqual(
    readDeliveryLog(home, 9).map(({ result, status, reason }) => ({ result, status, reason })),
    Array(3).fill({ result: 'sent', status: 200, reason: '' }),
  )
})

test('of two deliverers of one home only one delivers', async () => {
  const ntfy = await startNtfyServer({ after: 50 })
  const config = queue(buildMany(2), buildPhoneSettings(ntfy.url))
  await Promise.all([
    runDeliverer(config.home, () => config, quickTiming),
    runDeliverer(config.home, () => config, quickTiming),
  ])
  ntfy.stop()
  assert.equal(ntfy.got.length, 2)
})

test('a deliverer that lingers takes a new notification', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const config = queue(buildMany(1), buildPhoneSettings(ntfy.url))
  const stop = new AbortController()
  const timing = { ...quickTiming, lingerMs: HOUR_MS }
  const running = runDeliverer(config.home, () => config, timing, stop.signal)
  await waitUntil(() => listOutbox(config.home, 'phone').sent.length === 1, 'the first')
  writeToOutbox(config.home, buildQueuedNotification(2), ['phone'])
  await waitUntil(() => ntfy.got.length === 2, 'the second')
  stop.abort()
  await running
  ntfy.stop()
})

// --- no connection ---

test('a server that was down gets each notification once, in order', async () => {
  const first = await startNtfyServer('ntfy')
  first.stop()
  const config = queue(buildMany(2), buildPhoneSettings(first.url))
  const running = runDeliverer(config.home, () => config, quickTiming)
  await waitUntil(() => readDeliveryLog(config.home, 99).length >= 3, 'three failures')
  assert.equal(readDeliveryLog(config.home, 1)[0]?.reason, 'the server cannot be reached (ECONNREFUSED)')
  const ntfy = await startNtfyServer('ntfy', first.port)
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(getStep), ['step 1', 'step 2'])
})

test('a change of the settings ends the wait for an unknown host', async () => {
  const ntfy = await startNtfyServer('ntfy')
  let config = queue(buildMany(1), buildPhoneSettings('http://unknown.invalid'))
  const { home } = config
  const running = runDeliverer(home, () => config, quickTiming)
  await waitUntil(() => readDeliveryLog(home, 9).some(({ result }) => result === 'unreachable'), 'a failure')
  config = buildConfig(home, buildPhoneSettings(ntfy.url))
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(getStep), ['step 1'])
})

test('a server without TLS is reported by the error code', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const reason = await getFailureReason(ntfy.url.replace('http:', 'https:'))
  ntfy.stop()
  assert.match(reason, /^the server cannot be reached \((ERR_SSL|EPROTO)\w*\)$/)
  assert.equal(ntfy.got.length, 0)
})

const needsOpenssl = { skip: whyNoProgram('openssl') }
test('a self-signed certificate is refused', needsOpenssl, async () => {
  const folder = createHome()
  homes.push(folder)
  const [keyFile = '', certificateFile = ''] = ['key', 'certificate'].map(name => path.join(folder, name))
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', [...request, ...subject, '-keyout', keyFile, '-out', certificateFile], { stdio: 'ignore' })
  const server = https.createServer({ key: fs.readFileSync(keyFile), cert: fs.readFileSync(certificateFile) })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const reason = await getFailureReason(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  server.close()
  assert.equal(reason, 'the server cannot be reached (DEPTH_ZERO_SELF_SIGNED_CERT)')
})

// --- a slow server ---

for (const [what, slowMode] of [
  ['an answer after 30 s', { after: 30_000 }],
  ['no answer', 'never'],
  ['headers and no body', 'headers only'],
] as [string, ResponseMode][]) {
  test(`${what}: the attempt times out`, async () => {
    let isSlow = true
    const ntfy = await startNtfyServer(() => (isSlow ? slowMode : 'ntfy'))
    const config = queue(buildMany(1), buildPhoneSettings(ntfy.url))
    const running = runDeliverer(config.home, () => config, { ...quickTiming, attemptTimeoutMs: 1000 })
    await waitUntil(() => readDeliveryLog(config.home, 1).length === 1, 'the end of the attempt')
    assert.match(readDeliveryLog(config.home, 1)[0]?.reason ?? '', /no answer in 1 s$/)
    isSlow = false
    await running
    ntfy.stop()
    assert.deepEqual(listOutbox(config.home, 'phone').sent, [buildQueuedNotification(1).id])
  })
}

test('the webhook does not wait for a phone server that does not answer', async () => {
  const ntfy = await startNtfyServer('never')
  const webhook = await startWebhook()
  const config = queue(buildMany(1), { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: webhook.url })
  const stop = new AbortController()
  const running = runDeliverer(config.home, () => config, quickTiming, stop.signal)
  await waitUntil(() => ntfy.got.length === 1 && webhook.got.length === 1, 'both requests')
  assert.ok(!readDeliveryLog(config.home, 9).some(({ channel }) => channel === 'phone'), 'that attempt still runs')
  stop.abort()
  ntfy.stop()
  await running
  webhook.stop()
})

// --- refusals ---

test('429 with seconds in Retry-After is waited out', async () => {
  const { got } = await deliver(failFirst({ status: 429, retryAfter: '1' }), buildMany(2))
  assert.deepEqual(got.map(getStep), ['step 1', 'step 1', 'step 2'])
  assert.ok((listGapsMs(got)[0] ?? 0) > 950, `${listGapsMs(got)}`)
})

test('429 with a date in Retry-After is waited out', async () => {
  const retryAfter = new Date(Date.now() + 2000).toUTCString()
  const { got } = await deliver(failFirst({ status: 429, retryAfter }), buildMany(2))
  assert.deepEqual(got.map(getStep), ['step 1', 'step 1', 'step 2'])
  assert.ok(performance.timeOrigin + (got[1]?.at ?? 0) > Date.parse(retryAfter) - 50)
})

test('a Retry-After of a year is followed for `maxWaitMs`', async () => {
  const mode = failFirst({ status: 429, retryAfter: '31536000' })
  const { got } = await deliver(mode, buildMany(1), { maxWaitMs: 300 })
  assert.ok((listGapsMs(got)[0] ?? 0) >= 290)
  assert.equal(got.length, 2)
})

for (const status of [429, 408, 425, 500, 502, 503, 507]) {
  test(`${status}: the same text is sent again`, async () => {
    const { got, home } = await deliver(failFirst({ status }, 2), buildMany(1))
    assert.deepEqual(got.map(getStep), ['step 1', 'step 1', 'step 1'])
    assert.deepEqual(listOutbox(home, 'phone').sent, [buildQueuedNotification(1).id])
    assert.equal(readDeliveryLog(home, 3)[0]?.status, status)
  })
}

for (const status of [400, 413]) {
  test(`${status}: a shorter text is sent once more`, async () => {
    const body = 'word '.repeat(60).trim()
    const long = buildQueuedNotification(1, { notification: { title: 'T', body, priority: 4, tags: ['x'] } })
    const { got, home } = await deliver(failFirst({ status }), [long, buildQueuedNotification(2)])
    assert.equal(got[1]?.body, 'word '.repeat(16).trim())
    assert.equal(got[1]?.headers['x-title'], 'T')
    assert.equal(got[1]?.headers['x-tags'], undefined)
    assert.equal(got[2]?.body, buildQueuedNotification(2).notification.body)
    assert.equal(listOutbox(home, 'phone').sent.length, 2)
  })

  test(`${status} twice: the notification is given up, and the next one is sent`, async () => {
    const refuseFirst = ({ query }: PublishedRequest): ResponseMode =>
      query.get('sequence-id')?.endsWith('-1') ? { status } : 'ntfy'
    const { got, home } = await deliver(refuseFirst, buildMany(2))
    assert.equal(got.length, 3)
    assert.deepEqual(listOutbox(home, 'phone').dead, [buildQueuedNotification(1).id])
    assert.deepEqual(listOutbox(home, 'phone').sent, [buildQueuedNotification(2).id])
    assert.deepEqual(
      readDeliveryLog(home, 9).map(({ result }) => result),
      ['refused', 'refused', 'dead', 'sent'],
    )
  })
}

test('the answer of a captive portal does not count as sent', async () => {
  for (const mode of ['portal', { status: 302, location: 'http://127.0.0.1:1/login' }] as ResponseMode[]) {
    const { got, home } = await deliver(failFirst(mode), buildMany(1))
    assert.equal(got.length, 2)
    assert.equal(listOutbox(home, 'phone').sent.length, 1)
  }
})

test('a notification that the server cannot take delays no other session', async () => {
  const poison = buildQueuedNotification(1, { sessionId: '2026-11-20-poison-0001' })
  const others = [2, 3, 4].map(number => buildQueuedNotification(number))
  const ntfy = await startNtfyServer(({ body }) => (body.includes('poison') ? { status: 500 } : 'ntfy'))
  const config = queue([poison, ...others], buildPhoneSettings(ntfy.url))
  const slowRetry = { firstBackoffMs: HOUR_MS, maxBackoffMs: HOUR_MS, maxWaitMs: HOUR_MS }
  const stop = new AbortController()
  const running = runDeliverer(config.home, () => config, { ...quickTiming, ...slowRetry }, stop.signal)
  await waitUntil(() => listOutbox(config.home, 'phone').sent.length === 3, 'the others')
  stop.abort()
  await running
  ntfy.stop()
  assert.deepEqual(listOutbox(config.home, 'phone').waiting, [poison.id])
})

// --- lost answers and kills ---

test('a lost answer causes one duplicate with the same sequence id', async () => {
  const { got, kept } = await deliver(failFirst('drop'), buildMany(2))
  const [first, second] = buildMany(2)
  assert.deepEqual(
    got.map(({ query }) => query.get('sequence-id')),
    [first?.id, first?.id, second?.id],
  )
  assert.equal(listShown(kept, false).length, 3)
  assert.deepEqual(listShown(kept, true), [first?.notification.body, second?.notification.body])
})

test('a batch is repeated as it was, though more notifications wait', async () => {
  const ntfy = await startNtfyServer(() => {
    if (ntfy.got.length > 1) return 'ntfy'
    for (const number of [5, 6]) writeToOutbox(config.home, buildQueuedNotification(number), ['phone'])
    return 'drop'
  })
  const config = queue(buildMany(4), buildPhoneSettings(ntfy.url))
  await runDeliverer(config.home, () => config, quickTiming)
  ntfy.stop()
  assert.equal(ntfy.got[0]?.body, ntfy.got[1]?.body)
  assert.deepEqual(
    ntfy.got.map(({ query }) => query.get('sequence-id')?.at(-1)),
    ['1', '1', '5', '6'],
  )
})

for (const target of ['sent', 'dead'] as const) {
  test(`if a kill left a part of a batch in \`${target}\`, the rest follows unsent`, async () => {
    const ntfy = await startNtfyServer('ntfy')
    const config = queue(buildMany(4), buildPhoneSettings(ntfy.url))
    const folder = path.join(config.home, 'outbox/phone')
    const fileNames = fs.readdirSync(path.join(folder, 'waiting')).sort()
    const retryState: RetryState = {
      pausedUntilMs: 0,
      failures: 0,
      failingSessions: [],
      tokens: 20,
      tokensCountedAtMs: 0,
      attempts: { [testSessionId]: { fileNames, failures: 0, waitUntilMs: 0, isShort: false } },
      sentAt: null,
      lastFailure: null,
    }
    fs.writeFileSync(path.join(folder, 'retry-state.json'), JSON.stringify(retryState))
    fs.mkdirSync(path.join(folder, target))
    const [name = ''] = fileNames
    fs.renameSync(path.join(folder, 'waiting', name), path.join(folder, target, name))
    await runDeliverer(config.home, () => config, quickTiming)
    ntfy.stop()
    assert.equal(ntfy.got.length, 0)
    assert.equal(listOutbox(config.home, 'phone')[target].length, 4)
    assert.deepEqual(
      readDeliveryLog(config.home, 9).map(({ result, batchIds }) => [result, batchIds?.length]),
      [[target, 4]],
    )
  })
}

test('an id that is too long for ntfy is sent as its hash', async () => {
  const { got } = await deliver(failFirst('drop'), [buildQueuedNotification(1, { id: 'x'.repeat(120) })])
  const [first, second] = got.map(({ query }) => query.get('sequence-id'))
  assert.match(first ?? '', /^[0-9a-f]{64}$/)
  assert.equal(first, second)
})

// --- batches, quiet hours, dead letters ---

test('four of one session are sent as one batch', async () => {
  const { got, home } = await deliver('ntfy', buildMany(4))
  assert.equal(got.length, 1)
  const lines = [1, 2, 3, 4].map(number => `is at step ${number}`)
  assert.equal(got[0]?.body, [`4 notifications from ${testSessionId}:`, ...lines].join('\n'))
  assert.equal(listOutbox(home, 'phone').sent.length, 4)
  assert.deepEqual(
    readDeliveryLog(home, 9)[0]?.batchIds,
    buildMany(4).map(({ id }) => id),
  )
})

test('a verdict is a push of its own, with its log anchor', async () => {
  const others = ['a', 'b', 'c', 'd', 'e'].map(sessionId => buildQueuedNotification(1, { sessionId }))
  const body = 'e passed in round 1, log anchor 3f9a3f9a3f9a3f9a'
  const verdict = buildQueuedNotification(2, {
    sessionId: 'e',
    notification: { title: 'Dispatch: PASS', body, priority: 3, tags: ['white_check_mark'], kind: 'verdict' },
  })
  const { got } = await deliver('ntfy', [...others, verdict])
  assert.deepEqual(
    got.map(({ headers, body }) => [headers['x-title'], body.split('\n').length]),
    [
      ['Dispatch: news from 5 sessions', 5],
      ['Dispatch: PASS', 1],
    ],
  )
  assert.equal(got[1]?.body, body)
})

test('quiet hours hold a notification, and log that once; an urgent one is sent', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const settings = buildPhoneSettings(ntfy.url)
  const urgent = buildQueuedNotification(2, { sessionId: 'external', deliverBy: new Date().toISOString() })
  const { home } = queue([buildQueuedNotification(1), urgent], settings)
  const toTimeOfDay = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toTimeString().slice(0, 5)
  let config = buildConfig(home, { ...settings, QUIET_HOURS: `${toTimeOfDay(-1)}-${toTimeOfDay(1)}` })
  let steps = 0
  const countStep = () => {
    steps++
    return config
  }
  const running = runDeliverer(home, countStep, quickTiming)
  await waitUntil(() => ntfy.got.length === 1, 'the urgent one')
  const stepsBefore = steps
  await waitUntil(() => steps > stepsBefore + 30, 'ten more steps of each channel')
  assert.deepEqual(ntfy.got.map(getStep), ['step 2'])
  assert.equal(readDeliveryLog(home, 99).filter(({ result }) => result === 'deferred').length, 1)
  config = buildConfig(home, settings)
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(getStep), ['step 2', 'step 1'])
})

test('on a channel that is off notifications wait for 72 hours', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const old = buildQueuedNotification(1, { at: new Date(Date.now() - 73 * HOUR_MS).toISOString() })
  const config = queue([old, buildQueuedNotification(2)], buildPhoneSettings(ntfy.url))
  const { home } = config
  await runDeliverer(home, () => buildConfig(home), quickTiming)
  assert.deepEqual(listOutbox(home, 'phone'), { waiting: [buildQueuedNotification(2).id], sent: [], dead: [old.id] })
  assert.equal(readDeliveryLog(home, 1)[0]?.reason, 'older than 72 hours: the channel is switched off')
  await runDeliverer(home, () => config, quickTiming)
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(getStep), ['step 2'])
})

test('a machine that slept for four days tries before it gives up', async () => {
  const old = buildQueuedNotification(1, { at: new Date(Date.now() - 4 * DAY_MS).toISOString() })
  const { got, home } = await deliver('ntfy', [old])
  assert.deepEqual([got.length, listOutbox(home, 'phone').sent], [1, [old.id]])
})

test('after 72 hours, or if its file is damaged, a notification is given up', async () => {
  const old = buildQueuedNotification(1, { at: new Date(Date.now() - 73 * HOUR_MS).toISOString() })
  const config = queue([old], buildPhoneSettings('http://127.0.0.1:1'))
  const damaged = `${String(Date.now()).padStart(15, '0')}-torn-1.json`
  fs.writeFileSync(path.join(config.home, 'outbox/phone/waiting', damaged), '{"id":"torn')
  await runDeliverer(config.home, () => config, quickTiming)
  assert.deepEqual(listOutbox(config.home, 'phone').dead.sort(), [old.id, 'torn-1'].sort())
  assert.deepEqual(
    readDeliveryLog(config.home, 9).map(({ reason }) => reason),
    [
      'the file is damaged',
      'the server cannot be reached (bad port)',
      'older than 72 hours: the server cannot be reached (bad port)',
    ],
  )
})

test('another channel reports dead letters once a day', async () => {
  const webhook = await startWebhook()
  const ntfy = await startNtfyServer({ status: 400 })
  const queued = [1, 2, 3].map(number => buildQueuedNotification(number, { sessionId: `session-${number}` }))
  const config = queue(queued, { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: webhook.url })
  await runDeliverer(config.home, () => config, quickTiming)
  writeToOutbox(config.home, buildQueuedNotification(4), ['phone'])
  await runDeliverer(config.home, () => config, quickTiming)
  ntfy.stop()
  webhook.stop()
  assert.deepEqual(
    webhook.got.filter(({ session }) => session === 'outbox').map(({ body }) => body),
    ['3 notifications did not reach the phone: HTTP 400: Bad Request. Next: dispatch notify log'],
  )
  assert.equal(listOutbox(config.home, 'phone').dead.length, 4)
})

test('sent files are kept for a week, and at most 5,000 of them', async () => {
  const { home } = queue(buildMany(1), buildPhoneSettings('http://127.0.0.1:1'))
  const sent = path.join(home, 'outbox/phone/sent')
  fs.mkdirSync(sent, { recursive: true })
  const writeSent = (timeMs: number) =>
    fs.writeFileSync(path.join(sent, `${String(timeMs).padStart(15, '0')}-x.json`), '{}')
  const weekAgoMs = Date.now() - 7 * DAY_MS
  for (const timeMs of [weekAgoMs - 1000, weekAgoMs + 60_000]) writeSent(timeMs)
  for (let index = 0; index < 5000; index++) writeSent(Date.now() - 10_000 + index)
  await runDeliverer(home, () => buildConfig(home), quickTiming)
  const names = fs.readdirSync(sent)
  assert.equal(names.length, 5000)
  assert.ok(names.every(name => Number(name.slice(0, 15)) > Date.now() - HOUR_MS))
})

// --- a broken disk ---

const needsDevFull = { skip: fs.existsSync('/dev/full') ? false : 'it needs /dev/full: run it on Linux' }
test('a full disk costs lines of the delivery log, but no notification', needsDevFull, async () => {
  const ntfy = await startNtfyServer('ntfy')
  const config = queue(buildMany(2), buildPhoneSettings(ntfy.url))
  fs.symlinkSync('/dev/full', path.join(config.home, 'outbox/delivery-log.jsonl'))
  await runDeliverer(config.home, () => config, quickTiming)
  ntfy.stop()
  assert.equal(ntfy.got.length, 2)
  assert.equal(listOutbox(config.home, 'phone').sent.length, 2)
})

test('a sent file that cannot be moved is deleted, so that it is not sent again', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const config = queue(buildMany(1), buildPhoneSettings(ntfy.url))
  const [name = ''] = fs.readdirSync(path.join(config.home, 'outbox/phone/waiting'))
  fs.mkdirSync(path.join(config.home, 'outbox/phone/sent', name, 'obstacle'), { recursive: true })
  await runDeliverer(config.home, () => config, quickTiming)
  ntfy.stop()
  assert.equal(ntfy.got.length, 1)
  assert.deepEqual(listOutbox(config.home, 'phone').waiting, [])
})

test('a channel with broken folders delays no other, and recovers', async () => {
  const [ntfy, webhook] = [await startNtfyServer('ntfy'), await startWebhook()]
  const config = queue(buildMany(1), { ...buildPhoneSettings(ntfy.url), WEBHOOK_URL: webhook.url })
  const { home } = config
  const broken = path.join(home, 'outbox/phone/sent')
  fs.writeFileSync(broken, 'not a folder')
  const stop = new AbortController()
  const running = runDeliverer(home, () => config, quickTiming, stop.signal)
  await waitUntil(() => webhook.got.length === 1, 'the webhook')
  const problems = readChannelHealth(home, config).map(({ problem }) => problem)
  assert.deepEqual(problems, [undefined, `${broken} is not a folder, so nothing can be sent`, undefined])
  stop.abort()
  await running
  fs.rmSync(broken)
  await runDeliverer(home, () => config, quickTiming)
  ntfy.stop()
  webhook.stop()
  assert.deepEqual(ntfy.got.map(getStep), ['step 1'])
})

test('foreign files in `waiting` are left alone, and the deliverer ends', async () => {
  const { home } = queue([], {})
  const waiting = path.join(home, 'outbox/phone/waiting')
  fs.mkdirSync(waiting, { recursive: true })
  for (const name of ['.DS_Store', 'notes.txt', '.tmp-0123']) fs.writeFileSync(path.join(waiting, name), '')
  await runDeliverer(home, () => buildConfig(home), quickTiming)
  assert.equal(fs.readdirSync(waiting).length, 3)
})

// --- secrets ---

test('topic, token and webhook address are in no file, whatever a server answers', async () => {
  let requests = 0
  const echo = http.createServer(async (request, response) => {
    const answer = `${request.url} ${request.headers.authorization} ${await text(request)}`
    response.writeHead(requests++ % 2 === 0 ? 500 : 400, `no ${testTopic} ${testToken}`).end(answer)
  })
  await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve))
  const { port } = echo.address() as AddressInfo
  const webhookSecret = 'T00000000-B00000000-SECRETPATH'
  const config = queue(
    [1, 2, 3].map(number => buildQueuedNotification(number, { sessionId: `session-${number}` })),
    {
      ...buildPhoneSettings(`http://127.0.0.1:${port}`),
      NTFY_TOKEN: testToken,
      WEBHOOK_URL: `http://127.0.0.1:${port}/hooks/${webhookSecret}`,
    },
  )
  const { home } = config
  const stop = new AbortController()
  const running = runDeliverer(home, () => config, quickTiming, stop.signal)
  await waitUntil(() => readDeliveryLog(home, 99).length > 10, 'many failures')
  stop.abort()
  await running
  echo.closeAllConnections()
  echo.close()
  const encodedToken = Buffer.from(`:${testToken}`).toString('base64')
  for (const secret of [testTopic, testToken, encodedToken, webhookSecret, `${port}/hooks`])
    assert.deepEqual(findFilesWith(home, secret), [], secret)
})

// --- shared ---

function buildMany(count: number): QueuedNotification[] {
  return Array.from({ length: count }, (_, index) => buildQueuedNotification(index + 1))
}

/** Create a home with these notifications in the outbox. Returns its settings. */
function queue(queued: QueuedNotification[], settings: Record<string, string>) {
  const home = createHome()
  homes.push(home)
  const config = buildConfig(home, settings)
  for (const notification of queued) writeToOutbox(home, notification, listEnabledChannels(config))
  return config
}

/** Deliver these to a server that answers in this way. */
async function deliver(
  mode: ResponseMode | ((request: PublishedRequest) => ResponseMode),
  queued: QueuedNotification[],
  timing: Partial<DeliveryTiming> = {},
) {
  const ntfy = await startNtfyServer(mode)
  const config = queue(queued, buildPhoneSettings(ntfy.url))
  try {
    await runDeliverer(config.home, () => config, { ...quickTiming, ...timing })
  } finally {
    ntfy.stop()
  }
  return { home: config.home, got: ntfy.got, kept: ntfy.kept }
}

/** Answer in this way the first times, then as ntfy does. */
function failFirst(mode: ResponseMode, times = 1): () => ResponseMode {
  let timesLeft = times
  return () => (timesLeft-- > 0 ? mode : 'ntfy')
}

/** Why delivery to this server fails. The notification must still wait. */
async function getFailureReason(serverUrl: string): Promise<string> {
  const config = queue(buildMany(1), buildPhoneSettings(serverUrl))
  const stop = new AbortController()
  const running = runDeliverer(config.home, () => config, quickTiming, stop.signal)
  await waitUntil(() => readDeliveryLog(config.home, 9).length > 0, 'a failure')
  stop.abort()
  await running
  assert.equal(listOutbox(config.home, 'phone').waiting.length, 1)
  return readDeliveryLog(config.home, 1)[0]?.reason ?? ''
}

/** A webhook that accepts everything. */
async function startWebhook() {
  const got: Record<string, unknown>[] = []
  const server = http.createServer(async (request, response) => {
    got.push(JSON.parse(await text(request)))
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/mine`
  return { url, got, stop: () => void server.close(() => undefined).closeAllConnections() }
}

function getStep({ body }: PublishedRequest): string {
  return body.slice(body.indexOf('step'))
}

/** The times between requests. */
function listGapsMs(got: PublishedRequest[]): number[] {
  return got.slice(1).map(({ at }, index) => at - (got[index]?.at ?? 0))
}
