/** The real deliverer, started as `dispatch` starts it: who wakes it, by which settings it goes, and what a kill leaves. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { checkLiveness, type ProcessIdentity } from '#host/process'
import { readDeliveryLog, writeToOutbox } from '#notify'
import { readLeaseHolder } from '#session/lease'
import {
  buildConfig,
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  listOutbox,
  testTopic,
  waitUntilTrue,
} from '../../fixtures/notify-home.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'

const homes: string[] = []
after(async () => {
  for (const home of homes) {
    const who = readLeaseHolder(path.join(home, 'outbox/deliverer'))
    if (who) await end(who)
    fs.rmSync(home, { recursive: true, force: true })
  }
})

test('whoever posts wakes one deliverer, which delivers and ends; the next one wakes another', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const home = homeWith({ DESKTOP: 'off', ...buildPhoneSettings(ntfy.url) })
  for (const nth of [1, 2]) {
    writeToOutbox(home, buildQueuedNotification(nth), ['phone'])
    const [one, two] = await Promise.all([wakeIn(home), wakeIn(home)])
    assert.deepEqual([one.stderr, two.stderr, one.exitCode, two.exitCode], ['', '', 0, 0])
    assert.ok(Math.min(one.milliseconds, two.milliseconds) < 3000)
    await waitUntilTrue('it arrives', () => ntfy.got.length === nth)
    await waitUntilTrue('it ends', () => readLeaseHolder(path.join(home, 'outbox/deliverer')) === undefined)
  }
  ntfy.stop()
  assert.deepEqual(
    ntfy.got.map(({ body }) => body.slice(-6)),
    ['step 1', 'step 2'],
  )
  assert.equal(fs.readFileSync(path.join(home, 'logs/deliver.log'), 'utf8'), '')
})

test('with nothing to deliver nobody is woken', async () => {
  const home = homeWith({ DESKTOP: 'off', ...buildPhoneSettings('http://127.0.0.1:1') })
  await wakeIn(home)
  assert.ok(!fs.existsSync(path.join(home, 'logs')))
})

test('a change of .env counts for a deliverer that runs already', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const away = await startNtfyServer('ntfy')
  away.stop()
  const home = homeWith({ DESKTOP: 'off', ...buildPhoneSettings(away.url) })
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  await wakeIn(home)
  await waitUntilTrue('a failure', () => readDeliveryLog(home, 9).length > 0)
  const other = [...testTopic].reverse().join('')
  writeSettings(home, { DESKTOP: 'off', NTFY_SERVER: ntfy.url, NTFY_TOPIC: other })
  await waitUntilTrue('it arrives', () => ntfy.got.length === 1)
  ntfy.stop()
  assert.equal(ntfy.got[0]?.path, `/${other}`)
})

test('settings in the environment of who wakes count, over those of .env; and are written nowhere', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const home = homeWith({ DESKTOP: 'off' })
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  await wakeIn(home, { ...buildPhoneSettings(ntfy.url), ANTHROPIC_API_KEY: 'sk-not-for-deliverers' })
  await waitUntilTrue('it arrives', () => ntfy.got.length === 1)
  const who = readLeaseHolder(path.join(home, 'outbox/deliverer'))
  if (process.platform === 'linux' && who)
    assert.ok(!fs.readFileSync(`/proc/${who.pid}/environ`, 'utf8').includes('sk-not-for-deliverers'))
  await waitUntilTrue('it ends', () => readLeaseHolder(path.join(home, 'outbox/deliverer')) === undefined)
  ntfy.stop()
  const files = fs.readdirSync(home, { recursive: true, encoding: 'utf8' }).map(file => path.join(home, file))
  for (const file of files.filter(file => fs.statSync(file).isFile()))
    assert.ok(!fs.readFileSync(file, 'utf8').includes(testTopic), file)
})

test('settings that do not read stop nobody who wakes; the notice waits, and the log says why', async () => {
  const home = homeWith({ DESKTOP: 'off', ...buildPhoneSettings('http://127.0.0.1:1') })
  const config = buildConfig(home)
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  writeSettings(home, { DESKTOP: 'perhaps' })
  const ran = await wakeIn(config.home, { DESKTOP: 'off' })
  assert.equal(ran.exitCode, 0, ran.stderr)
  writeSettings(home, { DISPLAY_ALL: 'x' })
  await wakeIn(home, {}, { DESKTOP: 'off', ...buildPhoneSettings('http://127.0.0.1:1') })
  const log = path.join(home, 'logs/deliver.log')
  await waitUntilTrue('the log', () => fs.existsSync(log) && fs.readFileSync(log, 'utf8').includes('invalid settings'))
  assert.equal(listOutbox(home, 'phone').waiting.length, 1)
})

test('kill -9: what the server said of waiting still holds, and the bucket stays as empty as it was', async () => {
  let taken = 0
  const ntfy = await startNtfyServer(() => (++taken > 10 ? { status: 429, retryAfter: '120' } : 'ntfy'))
  const home = homeWith({ DESKTOP: 'off', ...buildPhoneSettings(ntfy.url) })
  const notification = { title: 'Dispatch needs you', body: 'asks', priority: 4, tags: [] } // None that goes with others.
  for (let nth = 0; nth < 12; nth++)
    writeToOutbox(home, buildQueuedNotification(nth, { sessionId: `session-${nth}`, notification }), ['phone'])
  await wakeIn(home)
  const began = Date.now()
  await waitUntilTrue('the burst', () => listOutbox(home, 'phone').sent.length === 10)
  await killed(home)
  await wakeIn(home)
  await new Promise(resolve => setTimeout(resolve, 2000))
  assert.ok(ntfy.got.length <= 10 + (Date.now() - began) / 6000, 'a kill fills no bucket')
  await waitUntilTrue('one more', () => ntfy.got.length === 11, 9000)
  await waitUntilTrue('the pause', () => readDeliveryLog(home, 1)[0]?.what === 'busy')
  await killed(home)
  await wakeIn(home)
  await new Promise(resolve => setTimeout(resolve, 8000))
  ntfy.stop()
  assert.equal(ntfy.got.length, 11)
  assert.equal(listOutbox(home, 'phone').waiting.length, 2)
})

test('asked to end, it ends after the attempt that is under way, and gives the right back', async () => {
  const ntfy = await startNtfyServer({ after: 1500 })
  const home = homeWith({ DESKTOP: 'off', ...buildPhoneSettings(ntfy.url) })
  for (const nth of [1, 2]) writeToOutbox(home, buildQueuedNotification(nth), ['phone'])
  await wakeIn(home)
  await waitUntilTrue('the attempt', () => ntfy.got.length === 1)
  const who = readLeaseHolder(path.join(home, 'outbox/deliverer'))
  assert.ok(who)
  process.kill(who.pid, 'SIGTERM')
  await waitUntilTrue('it ends', () => readLeaseHolder(path.join(home, 'outbox/deliverer')) === undefined)
  ntfy.stop()
  assert.deepEqual(listOutbox(home, 'phone'), {
    waiting: [buildQueuedNotification(2).id],
    sent: [buildQueuedNotification(1).id],
    dead: [],
  })
})

// --- what they share ---

function homeWith(settings: Record<string, string>): string {
  const home = createHome()
  homes.push(home)
  writeSettings(home, settings)
  return home
}

function writeSettings(home: string, settings: Record<string, string>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  fs.writeFileSync(path.join(home, '.env'), lines.join(''))
}

/** Wake from a process of its own, as a short-lived command does; its settings by `.env` and its environment, or given. */
function wakeIn(home: string, environment: Record<string, string> = {}, given?: Record<string, string>) {
  const read =
    given === undefined
      ? 'readConfig()'
      : `readConfig({ DISPATCH_HOME: '/nonexistent/x', ...${JSON.stringify(given)} })`
  const notify = path.resolve(import.meta.dirname, '../../../notify/index.ts')
  const host = path.resolve(import.meta.dirname, '../../../host/config/index.ts')
  const script = `import { readConfig } from '${host}'; import { startDeliverer } from '${notify}'; await startDeliverer({ ...${read}, home: process.env.DISPATCH_HOME, logsFolder: process.env.DISPATCH_HOME + '/logs' })`
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, ...environment }
  return runProgram(process.execPath, ['--input-type=module', '-e', script], { env })
}

async function killed(home: string): Promise<void> {
  const who = readLeaseHolder(path.join(home, 'outbox/deliverer'))
  assert.ok(who)
  await end(who)
}

async function end(who: ProcessIdentity): Promise<void> {
  for (let tries = 0; tries < 100 && (await checkLiveness(who)) === 'alive'; tries++) {
    process.kill(who.pid, 'SIGKILL')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
