/** The real deliverer as a process of its own: who starts it, which settings it uses, and what survives a kill. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { readConfig } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness, type ProcessIdentity } from '#host/process'
import { HOUR_MS } from '#host/time.ts'
import { defaultTiming, readDeliveryLog, startDeliverer, writeToOutbox } from '#notify'
import { readRetryState } from '#notify/delivery/retry-state.ts'
import { findFilesWith } from '../../fixtures/find-files.ts'
import {
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  listOutbox,
  testTopic,
} from '../../fixtures/notify-home.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { waitUntil } from '../../fixtures/scratch.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

const brokenServer = 'http://127.0.0.1:1'
const homes: string[] = []
after(async () => {
  for (const home of homes) {
    const holder = readDeliverer(home)
    if (holder) await kill(holder)
    fs.rmSync(home, { recursive: true, force: true })
  }
})

test('two starts make one deliverer, and do not wait for it', async () => {
  let starts = Promise.withResolvers<void>()
  const ntfy = await startNtfyServer(() => ({ after: starts.promise }))
  const home = newHome({ DESKTOP: 'off', ...buildPhoneSettings(ntfy.url) })
  for (const number of [1, 2]) {
    starts = Promise.withResolvers()
    writeToOutbox(home, buildQueuedNotification(number), ['phone'])
    for (const { stderr, exitCode } of await Promise.all([start(home), start(home)]))
      assert.deepEqual([stderr, exitCode], ['', 0])
    assert.equal(listOutbox(home, 'phone').sent.length, number - 1)
    starts.resolve()
    await waitUntil(() => ntfy.got.length === number, 'it arrives')
    await waitUntil(() => readDeliverer(home) === undefined, 'the deliverer ends')
  }
  ntfy.stop()
  assert.deepEqual(
    ntfy.got.map(({ body }) => body.slice(-6)),
    ['step 1', 'step 2'],
  )
  assert.equal(fs.readFileSync(path.join(home, 'logs/deliver.log'), 'utf8'), '')
})

test('an empty outbox starts no deliverer', async () => {
  const home = newHome({ DESKTOP: 'off', ...buildPhoneSettings(brokenServer) })
  await start(home)
  assert.ok(!fs.existsSync(path.join(home, 'logs')))
})

test('a running deliverer follows a change of .env', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const stopped = await startNtfyServer('ntfy')
  stopped.stop()
  const home = newHome({ DESKTOP: 'off', ...buildPhoneSettings(stopped.url) })
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  await start(home)
  await waitUntil(() => readDeliveryLog(home, 9).length > 0, 'a failure')
  const otherTopic = [...testTopic].reverse().join('')
  writeSettings(home, { DESKTOP: 'off', NTFY_SERVER: ntfy.url, NTFY_TOPIC: otherTopic })
  await waitUntil(() => ntfy.got.length === 1, 'it arrives')
  ntfy.stop()
  assert.equal(ntfy.got[0]?.path, `/${otherTopic}`)
})

test('settings in the environment win over .env, and are in no file', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const home = newHome({ DESKTOP: 'off' })
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  await start(home, { ...buildPhoneSettings(ntfy.url), ANTHROPIC_API_KEY: 'sk-not-for-deliverers' })
  await waitUntil(() => ntfy.got.length === 1, 'it arrives')
  const holder = readDeliverer(home)
  if (process.platform === 'linux' && holder)
    assert.ok(!fs.readFileSync(`/proc/${holder.pid}/environ`, 'utf8').includes('sk-not-for-deliverers'))
  await waitUntil(() => readDeliverer(home) === undefined, 'the deliverer ends')
  ntfy.stop()
  assert.deepEqual(findFilesWith(home, testTopic), [])
})

test('with invalid settings the notification waits, and the log has the reason', async () => {
  const home = newHome({ DESKTOP: 'perhaps' })
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  const settings = { DESKTOP: 'off', ...buildPhoneSettings(brokenServer) }
  const { exitCode, stderr } = await start(home, {}, settings)
  assert.equal(exitCode, 0, stderr)
  const log = path.join(home, 'logs/deliver.log')
  await waitUntil(() => fs.existsSync(log) && fs.readFileSync(log, 'utf8').includes('DESKTOP'), 'the log')
  assert.equal(listOutbox(home, 'phone').waiting.length, 1)
})

test('a deliverer that has failed rests as long, also where the clock is set', { skip: whyNotLinux }, async t => {
  const home = newHome({ DESKTOP: 'perhaps' })
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  const settings = { DESKTOP: 'off', ...buildPhoneSettings(brokenServer), DISPATCH_HOME: home }
  const config = { ...readConfig(settings), logsFolder: path.join(home, 'logs') }
  await startDeliverer(config)
  const listChildren = () => fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
  assert.notEqual(listChildren(), '', 'it is started')
  await waitUntil(() => listChildren() === '', 'it has failed')
  await setImmediate()
  fs.rmSync(config.logsFolder, { recursive: true })
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + HOUR_MS })
  await startDeliverer(config)
  assert.ok(!fs.existsSync(config.logsFolder), 'no other one is started')
})

test('after kill -9 a Retry-After still counts, and the bucket is not full again', async () => {
  let accepted = 0
  const ntfy = await startNtfyServer(() => (++accepted > 10 ? { status: 429, retryAfter: '120' } : 'ntfy'))
  const home = newHome({ DESKTOP: 'off', ...buildPhoneSettings(ntfy.url) })
  const notification = { title: 'Dispatch needs you', body: 'asks', priority: 4, tags: [] } // Priority 4 is not batched.
  for (let number = 0; number < 12; number++)
    writeToOutbox(home, buildQueuedNotification(number, { sessionId: `session-${number}`, notification }), ['phone'])
  await start(home)
  await waitUntil(() => listOutbox(home, 'phone').sent.length === 10, 'the burst')
  const { tokens, tokensCountedAtMs } = readRetryState(home, 'phone')
  await killDeliverer(home)
  await start(home)
  await waitUntil(() => readDeliveryLog(home, 1)[0]?.result === 'busy', 'one more, and the pause')
  const refilledAtMs = tokensCountedAtMs + (1 - tokens) * defaultTiming.refillMs
  const sentAtMs = performance.timeOrigin + (ntfy.got[10]?.at ?? 0)
  assert.ok(sentAtMs > refilledAtMs - 100, 'the bucket was not filled again')
  await killDeliverer(home)
  await start(home)
  // A damaged file is given up each time the folder is read. After the second, the first reading has had all its effects.
  for (const name of ['damaged-1', 'damaged-2']) {
    fs.writeFileSync(path.join(home, `outbox/phone/waiting/${String(Date.now()).padStart(15, '0')}-${name}.json`), '{')
    await waitUntil(() => listOutbox(home, 'phone').dead.includes(name), `${name} is given up`)
  }
  ntfy.stop()
  assert.equal(ntfy.got.length, 11)
  assert.equal(listOutbox(home, 'phone').waiting.length, 2)
})

test('SIGTERM ends the deliverer after its attempt, and the lease is released', async () => {
  const ntfy = await startNtfyServer('never') // The attempt times out after 10 s, long after the signal.
  const home = newHome({ DESKTOP: 'off', ...buildPhoneSettings(ntfy.url) })
  for (const number of [1, 2]) writeToOutbox(home, buildQueuedNotification(number), ['phone'])
  await start(home)
  await waitUntil(() => ntfy.got.length === 1, 'the attempt')
  const holder = readDeliverer(home)
  assert.ok(holder)
  process.kill(holder.pid, 'SIGTERM')
  await waitUntil(() => readDeliverer(home) === undefined, 'the deliverer ends')
  ntfy.stop()
  assert.deepEqual(listOutbox(home, 'phone'), {
    waiting: [buildQueuedNotification(1).id, buildQueuedNotification(2).id],
    sent: [],
    dead: [],
  })
  assert.deepEqual(
    readDeliveryLog(home, 9).map(({ reason }) => reason),
    ['no answer in 10 s'],
  )
})

// --- shared ---

function newHome(settings: Record<string, string>): string {
  const home = createHome()
  homes.push(home)
  writeSettings(home, settings)
  return home
}

function writeSettings(home: string, settings: Record<string, string>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  fs.writeFileSync(path.join(home, '.env'), lines.join(''))
}

/** Start a deliverer from a short-lived process, as a command does. Its settings are `.env` and `environment`, or `settings`. */
function start(home: string, environment: Record<string, string> = {}, settings?: Record<string, string>) {
  const root = path.resolve(import.meta.dirname, '../../..')
  const input = settings === undefined ? '' : JSON.stringify({ ...settings, DISPATCH_HOME: '/nonexistent/x' })
  const script = `
    import { readConfig } from '${root}/host/config/index.ts'
    import { startDeliverer } from '${root}/notify/index.ts'
    const home = process.env.DISPATCH_HOME
    await startDeliverer({ ...readConfig(${input}), home, logsFolder: home + '/logs' })`
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, ...environment }
  return runProgram(process.execPath, ['--input-type=module', '-e', script], { env })
}

function readDeliverer(home: string): ProcessIdentity | undefined {
  return readLeaseHolder(path.join(home, 'outbox/deliverer'))
}

async function killDeliverer(home: string): Promise<void> {
  const holder = readDeliverer(home)
  assert.ok(holder)
  await kill(holder)
}

async function kill(identity: ProcessIdentity): Promise<void> {
  if ((await checkLiveness(identity)) === 'alive') process.kill(identity.pid, 'SIGKILL')
  await waitUntil(async () => (await checkLiveness(identity)) !== 'alive', 'the deliverer is gone')
}
