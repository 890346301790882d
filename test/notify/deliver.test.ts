import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { channelsOf, deliver, healthOf, type Message, type Pace, post, readLedger } from '../../notify/index.ts'
import { configOf, lyingIn, messageOf, newHome, ofPhone, quick, token, topic, until } from './home.ts'
import { type Manner, type Published, shown, startNtfy } from './ntfy-server.ts'

const homes: string[] = []
after(() => homes.forEach(home => void fs.rmSync(home, { recursive: true, force: true })))

test('what was laid out arrives, once, in its order, and lies among what was sent', async () => {
  const { got, home } = await through('ntfy', [messageOf(1), messageOf(2), messageOf(3)])
  assert.deepEqual(got.map(bodyOf), ['step 1', 'step 2', 'step 3'])
  assert.deepEqual(lyingIn(home, 'phone').waiting, [])
  assert.equal(lyingIn(home, 'phone').sent.length, 3)
  assert.deepEqual(
    readLedger(home, 9).map(({ what, status, why }) => ({ what, status, why })),
    Array(3).fill({ what: 'sent', status: 200, why: '' }),
  )
})

test('of two deliverers of one home only one delivers', async () => {
  const ntfy = await startNtfy({ after: 50 })
  const home = homeWith([messageOf(1), messageOf(2)], ofPhone(ntfy.url))
  const config = configOf(home, ofPhone(ntfy.url))
  await Promise.all([deliver(home, () => config, quick), deliver(home, () => config, quick)])
  ntfy.stop()
  assert.equal(ntfy.got.length, 2)
})

test('a message that comes while the deliverer lingers goes with the same one', async () => {
  const ntfy = await startNtfy('ntfy')
  const config = configOf(homeWith([messageOf(1)], ofPhone(ntfy.url)), ofPhone(ntfy.url))
  const running = deliver(config.home, () => config, { ...quick, linger: 500 })
  await until('the first', () => ntfy.got.length === 1)
  post(config.home, messageOf(2), ['phone'])
  await until('the second', () => ntfy.got.length === 2)
  await running
  ntfy.stop()
})

// --- F31: nobody is there ---

test('F31: a server that is down for a while gets each notice once, later, in order', async () => {
  const first = await startNtfy('ntfy')
  first.stop()
  const settings = ofPhone(first.url)
  const config = configOf(homeWith([messageOf(1), messageOf(2)], settings), settings)
  const running = deliver(config.home, () => config, quick)
  await until('three failures', () => readLedger(config.home, 99).length >= 3)
  assert.match(readLedger(config.home, 1)[0]?.why ?? '', /^the server cannot be reached \(ECONNREFUSED\)$/)
  const ntfy = await startNtfy('ntfy', first.port)
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 1', 'step 2'])
})

test('F31: a name that leads nowhere holds nothing up for good: the settings may change while it waits', async () => {
  const ntfy = await startNtfy('ntfy')
  const home = homeWith([messageOf(1)], ofPhone(ntfy.url))
  const [dead, alive] = ['http://nobody.invalid', ntfy.url].map(url => configOf(home, ofPhone(url)))
  let config = dead
  const running = deliver(home, () => config ?? configOf(home), quick)
  await until('a failure', () => readLedger(home, 9).some(({ what }) => what === 'unreachable'))
  config = alive
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 1'])
})

test('F31: what does not speak TLS is told as that, and kept', async () => {
  const ntfy = await startNtfy('ntfy')
  const why = await reasonAt(ntfy.url.replace('http:', 'https:'))
  ntfy.stop()
  assert.match(why, /^the server cannot be reached \((ERR_SSL|EPROTO)\w*\)$/)
  assert.equal(ntfy.got.length, 0)
})

const hasOpenssl = has('openssl')
test('F31: a certificate that nobody vouches for is no ntfy server', { skip: !hasOpenssl }, async () => {
  const place = newHome()
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
] as [string, Manner][]) {
  test(`F32: ${what} ends at the deadline, and the webhook hears at once`, async () => {
    let isSlow = true
    const ntfy = await startNtfy(() => (isSlow ? manner : 'ntfy'))
    const hook = await startHook()
    const settings = { ...ofPhone(ntfy.url), WEBHOOK_URL: hook.url }
    const config = configOf(homeWith([messageOf(1)], settings), settings)
    const started = performance.now()
    const running = deliver(config.home, () => config, { ...quick, attempt: 1000 })
    await until('the webhook', () => hook.got.length === 1, 900)
    await until('the end of the attempt', () => readLedger(config.home, 9).some(({ channel }) => channel === 'phone'))
    const took = performance.now() - started
    assert.ok(took > 900 && took < 2500, `${took} ms`)
    assert.match(readLedger(config.home, 1)[0]?.why ?? '', /no answer in 1 s$/)
    isSlow = false
    await running
    ntfy.stop()
    hook.stop()
    assert.deepEqual(lyingIn(config.home, 'phone').sent, [messageOf(1).id])
  })
}

// --- F33: refusals ---

for (const [what, retryAfter] of [
  ['seconds', () => '1'],
  ['a date', () => new Date(Date.now() + 2000).toUTCString()],
] as const) {
  test(`F33: 429 with Retry-After as ${what} is waited out`, async () => {
    const { got } = await through(firstThen({ status: 429, retryAfter: retryAfter() }), [messageOf(1), messageOf(2)])
    assert.deepEqual(got.map(bodyOf), ['step 1', 'step 1', 'step 2'])
    assert.ok(gaps(got)[0] ?? 0 > 950, `${gaps(got)}`)
  })
}

test('F33: a Retry-After of a year is followed no longer than our patience', async () => {
  const manner = firstThen({ status: 429, retryAfter: '31536000' })
  const { got } = await through(manner, [messageOf(1)], { patience: 300 })
  assert.ok((gaps(got)[0] ?? 0) >= 290)
  assert.equal(got.length, 2)
})

for (const status of [429, 408, 425, 500, 502, 503, 507]) {
  test(`F33: ${status} is tried again, as it is`, async () => {
    const { got, home } = await through(firstThen({ status }, 2), [messageOf(1)])
    assert.deepEqual(got.map(bodyOf), ['step 1', 'step 1', 'step 1'])
    assert.deepEqual(lyingIn(home, 'phone').sent, [messageOf(1).id])
    assert.equal(readLedger(home, 3)[0]?.status, status)
  })
}

for (const status of [400, 413]) {
  test(`F33: ${status} is tried once more, shortened`, async () => {
    const long = messageOf(1, { notice: { title: 'T', body: 'word '.repeat(60).trim(), priority: 4, tags: ['x'] } })
    const { got, home } = await through(firstThen({ status }), [long, messageOf(2)])
    assert.equal(got[1]?.body, 'word '.repeat(16).trim())
    assert.equal(got[1]?.headers['x-title'], 'T')
    assert.equal(got[1]?.headers['x-tags'], undefined)
    assert.equal(got[2]?.body, messageOf(2).notice.body)
    assert.equal(lyingIn(home, 'phone').sent.length, 2)
  })

  test(`F33: ${status} twice is given up, and the next one goes`, async () => {
    const refuse = ({ query }: Published): Manner => (query.get('sequence-id')?.endsWith('-1') ? { status } : 'ntfy')
    const { got, home } = await through(refuse, [messageOf(1), messageOf(2)])
    assert.equal(got.length, 3)
    assert.deepEqual(lyingIn(home, 'phone').dead, [messageOf(1).id])
    assert.deepEqual(lyingIn(home, 'phone').sent, [messageOf(2).id])
    const told = readLedger(home, 9).map(({ what }) => what)
    assert.deepEqual(told, ['refused', 'refused', 'dead', 'sent'])
  })
}

test('a login page of an airport takes nothing: the notice goes when ntfy answers again', async () => {
  for (const manner of ['portal', { status: 302, location: 'http://127.0.0.1:1/login' }] as Manner[]) {
    const { got, home } = await through(firstThen(manner), [messageOf(1)])
    assert.equal(got.length, 2)
    assert.equal(lyingIn(home, 'phone').sent.length, 1)
  }
})

test('a session whose message the server cannot take holds up no other session', async () => {
  const poison = messageOf(1, { of: '2026-11-20-poison-0001' })
  const others = [1, 2, 3].map(nth => messageOf(nth + 1))
  let isBroken = true
  const ntfy = await startNtfy(({ body }) => (isBroken && body.includes('poison') ? { status: 500 } : 'ntfy'))
  const settings = ofPhone(ntfy.url)
  const config = configOf(homeWith([poison, ...others], settings), settings)
  const running = deliver(config.home, () => config, { ...quick, first: 2000, last: 2000, patience: 9000 })
  await until('the others', () => lyingIn(config.home, 'phone').sent.length === 3, 1900)
  isBroken = false
  await running
  ntfy.stop()
  assert.equal(lyingIn(config.home, 'phone').sent.length, 4)
})

// --- F34: the reply is lost ---

test('F34: a reply that is lost costs one duplicate, of the same sequence: none where sequences work', async () => {
  const { got, kept } = await through(firstThen('drop'), [messageOf(1), messageOf(2)])
  const sequences = got.map(({ query }) => query.get('sequence-id'))
  assert.deepEqual(sequences, [messageOf(1).id, messageOf(1).id, messageOf(2).id])
  assert.equal(shown(kept, false).length, 3)
  assert.deepEqual(shown(kept, true), [messageOf(1).notice.body, messageOf(2).notice.body])
})

test('F34: what was lost as one comes back as the same one, though more waits by then', async () => {
  const ntfy = await startNtfy(firstThen('drop'))
  const settings = ofPhone(ntfy.url)
  const config = configOf(
    homeWith(
      [1, 2, 3, 4].map(nth => messageOf(nth)),
      settings,
    ),
    settings,
  )
  const running = deliver(config.home, () => config, { ...quick, first: 200 })
  await until('the first', () => ntfy.got.length === 1)
  for (const nth of [5, 6]) post(config.home, messageOf(nth), ['phone'])
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
    const ntfy = await startNtfy('ntfy')
    const settings = ofPhone(ntfy.url)
    const home = homeWith(
      [1, 2, 3, 4].map(nth => messageOf(nth)),
      settings,
    )
    const at = (folder: string, name = '') => path.join(home, 'outbox/phone', folder, name)
    const names = fs.readdirSync(at('waiting')).sort()
    const tries = { [messageOf(1).of]: { names, failures: 0, until: 0, short: false } }
    const standing = { until: 0, failures: 0, failing: [], tokens: 20, counted: 0, tries, sentAt: null, trouble: null }
    fs.writeFileSync(at('standing.json'), JSON.stringify(standing))
    fs.mkdirSync(at(place))
    fs.renameSync(at('waiting', names[0]), at(place, names[0]))
    await deliver(home, () => configOf(home, settings), quick)
    ntfy.stop()
    assert.equal(ntfy.got.length, 0)
    assert.equal(lyingIn(home, 'phone')[place].length, 4)
    assert.deepEqual(
      readLedger(home, 9).map(({ what, with: all }) => [what, all?.length]),
      [[place, 4]],
    )
  })
}

test('an id that is too long for a sequence goes as its hash, the same each time', async () => {
  const { got } = await through(firstThen('drop'), [messageOf(1, { id: 'x'.repeat(120) })])
  const [one, two] = got.map(({ query }) => query.get('sequence-id'))
  assert.match(one ?? '', /^[0-9a-f]{64}$/)
  assert.equal(one, two)
})

// --- what goes together, what is held, what is given up ---

test('more than three of one session go as one, and all of them are sent', async () => {
  const { got, home } = await through(
    'ntfy',
    [1, 2, 3, 4].map(nth => messageOf(nth)),
  )
  assert.equal(got.length, 1)
  assert.match(got[0]?.body ?? '', /^4 notices of 2026-11-20-fix-login-a3f9:\nis at step 1\n.*\n.*\nis at step 4$/)
  assert.equal(lyingIn(home, 'phone').sent.length, 4)
  const [entry] = readLedger(home, 9)
  assert.deepEqual(
    entry?.with,
    [1, 2, 3, 4].map(nth => messageOf(nth).id),
  )
})

test('a verdict is a push of its own, with its proof, whatever a crowd of sessions has to say', async () => {
  const crowd = ['a', 'b', 'c', 'd', 'e'].map(of => messageOf(1, { of }))
  const body = 'e has passed in round 1, proof 3f9a3f9a3f9a3f9a'
  const notice = { title: 'Dispatch: PASS', body, priority: 3, tags: ['white_check_mark'], is: 'verdict' } as const
  const verdict = messageOf(2, { of: 'e', notice: { ...notice, tags: [...notice.tags] } })
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
  const ntfy = await startNtfy('ntfy')
  const settings = ofPhone(ntfy.url)
  const urgent = messageOf(2, { of: 'elsewhere', latest: new Date().toISOString() })
  const home = homeWith([messageOf(1), urgent], settings)
  const hour = (hours: number) => new Date(Date.now() + hours * 3600_000).toTimeString().slice(0, 5)
  let config = configOf(home, { ...settings, QUIET_HOURS: `${hour(-1)}-${hour(1)}` })
  const running = deliver(home, () => config, quick)
  await until('the urgent one', () => ntfy.got.length === 1)
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 2'])
  assert.equal(readLedger(home, 99).filter(({ what }) => what === 'held').length, 1)
  config = configOf(home, settings)
  await running
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 2', 'step 1'])
})

test('what waits on a channel that is off here is left to whoever has it on, for 72 hours', async () => {
  const ntfy = await startNtfy('ntfy')
  const old = messageOf(1, { at: new Date(Date.now() - 73 * 3600_000).toISOString() })
  const home = homeWith([old, messageOf(2)], ofPhone(ntfy.url))
  await deliver(home, () => configOf(home), quick)
  assert.deepEqual(lyingIn(home, 'phone'), { waiting: [messageOf(2).id], sent: [], dead: [old.id] })
  assert.equal(readLedger(home, 1)[0]?.why, 'older than 72 hours: the channel is switched off')
  await deliver(home, () => configOf(home, ofPhone(ntfy.url)), quick)
  ntfy.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 2'])
})

test('a machine that slept for four days tries before it gives anything up', async () => {
  const old = messageOf(1, { at: new Date(Date.now() - 96 * 3600_000).toISOString() })
  const { got, home } = await through('ntfy', [old])
  assert.deepEqual([got.length, lyingIn(home, 'phone').sent], [1, [old.id]])
})

test('after 72 hours a notice is given up; a file that holds no message is too', async () => {
  const old = messageOf(1, { at: new Date(Date.now() - 73 * 3600_000).toISOString() })
  const home = homeWith([old], ofPhone('http://127.0.0.1:1'))
  fs.writeFileSync(
    path.join(home, `outbox/phone/waiting/${String(Date.now()).padStart(15, '0')}-torn-1.json`),
    '{"id":"torn',
  )
  const config = configOf(home, ofPhone('http://127.0.0.1:1'))
  await deliver(home, () => config, quick)
  assert.deepEqual(lyingIn(home, 'phone').dead.sort(), [old.id, 'torn-1'].sort())
  assert.deepEqual(
    readLedger(home, 9).map(({ why }) => why),
    [
      'it does not read',
      'the server cannot be reached (bad port)',
      'older than 72 hours: the server cannot be reached (bad port)',
    ],
  )
})

test('what one channel gives up, another tells once a day; and never of its own', async () => {
  const hook = await startHook()
  const ntfy = await startNtfy({ status: 400 })
  const settings = { ...ofPhone(ntfy.url), WEBHOOK_URL: hook.url }
  const apart = [1, 2, 3].map(nth => messageOf(nth, { of: `session-${nth}` }))
  const config = configOf(homeWith(apart, settings), settings)
  await deliver(config.home, () => config, quick)
  post(config.home, messageOf(4), ['phone'])
  await deliver(config.home, () => config, quick)
  ntfy.stop()
  hook.stop()
  const told = hook.got.filter(({ session }) => session === 'outbox')
  assert.deepEqual(
    told.map(({ body }) => body),
    ['phone has not taken 3 notices: HTTP 400: Bad Request'],
  )
  assert.equal(lyingIn(config.home, 'phone').dead.length, 4)
})

test('sent notices are kept for a week, and no more than 5,000 of them', async () => {
  const home = homeWith([messageOf(1)], ofPhone('http://127.0.0.1:1'))
  const sent = path.join(home, 'outbox/phone/sent')
  fs.mkdirSync(sent, { recursive: true })
  const name = (at: number) => path.join(sent, `${String(at).padStart(15, '0')}-x.json`)
  const week = 7 * 24 * 3600_000
  for (const at of [Date.now() - week - 1000, Date.now() - week + 60_000]) fs.writeFileSync(name(at), '{}')
  for (let nth = 0; nth < 5000; nth++) fs.writeFileSync(name(Date.now() - 10_000 + nth), '{}')
  await deliver(home, () => configOf(home), quick)
  const left = fs.readdirSync(sent)
  assert.equal(left.length, 5000)
  assert.ok(left.every(file => Number(file.slice(0, 15)) > Date.now() - 3600_000))
})

const linuxOnly = { skip: process.platform === 'linux' ? false : '/dev/full is of Linux' }
test('a full disk costs the ledger its lines, and no notice its way', linuxOnly, async () => {
  const ntfy = await startNtfy('ntfy')
  const settings = ofPhone(ntfy.url)
  const home = homeWith([messageOf(1), messageOf(2)], settings)
  fs.symlinkSync('/dev/full', path.join(home, 'outbox/ledger.jsonl'))
  await deliver(home, () => configOf(home, settings), quick)
  ntfy.stop()
  assert.equal(ntfy.got.length, 2)
  assert.equal(lyingIn(home, 'phone').sent.length, 2)
})

test('a notice that cannot be put away is dropped: it must not come again and again', async () => {
  const ntfy = await startNtfy('ntfy')
  const settings = ofPhone(ntfy.url)
  const home = homeWith([messageOf(1)], settings)
  const [name = ''] = fs.readdirSync(path.join(home, 'outbox/phone/waiting'))
  fs.mkdirSync(path.join(home, 'outbox/phone/sent', name, 'in the way'), { recursive: true })
  await deliver(home, () => configOf(home, settings), quick)
  ntfy.stop()
  assert.equal(ntfy.got.length, 1)
  assert.deepEqual(lyingIn(home, 'phone').waiting, [])
})

test('a channel whose folders are broken holds up no other, is sick, and goes on when they are mended', async () => {
  const [ntfy, hook] = [await startNtfy('ntfy'), await startHook()]
  const settings = { ...ofPhone(ntfy.url), WEBHOOK_URL: hook.url }
  const home = homeWith([messageOf(1)], settings)
  const config = configOf(home, settings)
  const broken = path.join(home, 'outbox/phone/sent')
  fs.writeFileSync(broken, 'no folder')
  const asked = new AbortController()
  const running = deliver(home, () => config, quick, asked.signal)
  await until('the webhook', () => hook.got.length === 1)
  const sick = Object.fromEntries(healthOf(home, config).map(one => [one.channel, one.sick]))
  assert.deepEqual(sick, {
    desktop: undefined,
    phone: `${broken} is no folder, so no notice is sent`,
    webhook: undefined,
  })
  asked.abort()
  await running
  fs.rmSync(broken)
  await deliver(home, () => config, quick)
  ntfy.stop()
  hook.stop()
  assert.deepEqual(ntfy.got.map(bodyOf), ['step 1'])
})

test('what others leave among the waiting keeps no deliverer awake', async () => {
  const home = homeWith([], {})
  fs.mkdirSync(path.join(home, 'outbox/phone/waiting'), { recursive: true })
  for (const name of ['.DS_Store', 'notes.txt', '.tmp-0123'])
    fs.writeFileSync(path.join(home, 'outbox/phone/waiting', name), '')
  await deliver(home, () => configOf(home), quick)
  assert.equal(fs.readdirSync(path.join(home, 'outbox/phone/waiting')).length, 3)
})

// --- secrets ---

test('topic, token and webhook are in no file of the home, whatever the servers answer', async () => {
  const echo = http.createServer(async (request, response) => {
    const said = `${request.url} ${request.headers.authorization} ${await text(request)}`
    response.writeHead(Math.random() < 0.5 ? 400 : 500, `no ${topic} ${token}`).end(said)
  })
  await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve))
  const { port } = echo.address() as AddressInfo
  const hidden = 'T00000000-B00000000-SECRETPATH'
  const settings = {
    ...ofPhone(`http://127.0.0.1:${port}`),
    NTFY_TOKEN: token,
    WEBHOOK_URL: `http://127.0.0.1:${port}/hooks/${hidden}`,
  }
  const home = homeWith(
    [1, 2, 3].map(nth => messageOf(nth, { of: `session-${nth}` })),
    settings,
  )
  const config = configOf(home, settings)
  const asked = new AbortController()
  const running = deliver(home, () => config, quick, asked.signal)
  await until('a row of failures', () => readLedger(home, 99).length > 10)
  asked.abort()
  await running
  echo.closeAllConnections()
  echo.close()
  const files = fs.readdirSync(home, { recursive: true, encoding: 'utf8' }).map(file => path.join(home, file))
  const words = files.filter(file => fs.statSync(file).isFile()).map(file => fs.readFileSync(file, 'utf8'))
  const encoded = Buffer.from(`:${token}`).toString('base64')
  for (const secret of [topic, token, encoded, hidden, `${port}/hooks`])
    assert.ok(!words.some(word => word.includes(secret)), secret)
})

// --- what they share ---

function homeWith(messages: Message[], settings: Record<string, string>): string {
  const home = newHome()
  homes.push(home)
  for (const message of messages) post(home, message, channelsOf(configOf(home, settings)))
  return home
}

/** Lay these out for the phone and deliver them all, to a server of this manner. */
async function through(
  manner: Manner | ((published: Published) => Manner),
  messages: Message[],
  pace: Partial<Pace> = {},
) {
  const ntfy = await startNtfy(manner)
  const settings = ofPhone(ntfy.url)
  const home = homeWith(messages, settings)
  try {
    await deliver(home, () => configOf(home, settings), { ...quick, ...pace })
  } finally {
    ntfy.stop()
  }
  return { home, got: ntfy.got, kept: ntfy.kept }
}

function firstThen(manner: Manner, times = 1): () => Manner {
  let left = times
  return () => (left-- > 0 ? manner : 'ntfy')
}

/** Why a notice does not get there; it waits on. */
async function reasonAt(server: string): Promise<string> {
  const settings = ofPhone(server)
  const config = configOf(homeWith([messageOf(1)], settings), settings)
  const asked = new AbortController()
  const running = deliver(config.home, () => config, quick, asked.signal)
  await until('a failure', () => readLedger(config.home, 9).length > 0)
  asked.abort()
  await running
  assert.equal(lyingIn(config.home, 'phone').waiting.length, 1)
  return readLedger(config.home, 1)[0]?.why ?? ''
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

function bodyOf({ body }: Published): string {
  return body.slice(body.indexOf('step'))
}

function gaps(got: Published[]): number[] {
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
