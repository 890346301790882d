/** The real deliverer, started as `dispatch` starts it: who wakes it, by which settings it goes, and what a kill leaves. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { type Identity, liveness, run } from '../../host/index.ts'
import { post, readLedger } from '../../notify/index.ts'
import { holder } from '../../session/index.ts'
import { configOf, lyingIn, messageOf, newHome, ofPhone, topic, until } from './home.ts'
import { startNtfy } from './ntfy-server.ts'

const homes: string[] = []
after(async () => {
  for (const home of homes) {
    const who = holder(path.join(home, 'outbox/deliverer'))
    if (who) await end(who)
    fs.rmSync(home, { recursive: true, force: true })
  }
})

test('whoever posts wakes one deliverer, which delivers and ends; the next one wakes another', async () => {
  const ntfy = await startNtfy('ntfy')
  const home = homeWith({ DESKTOP: 'off', ...ofPhone(ntfy.url) })
  for (const nth of [1, 2]) {
    post(home, messageOf(nth), ['phone'])
    const [one, two] = await Promise.all([wakeIn(home), wakeIn(home)])
    assert.deepEqual([one.stderr, two.stderr, one.code, two.code], ['', '', 0, 0])
    assert.ok(Math.min(one.milliseconds, two.milliseconds) < 3000)
    await until('it arrives', () => ntfy.got.length === nth)
    await until('it ends', () => holder(path.join(home, 'outbox/deliverer')) === undefined)
  }
  ntfy.stop()
  assert.deepEqual(
    ntfy.got.map(({ body }) => body.slice(-6)),
    ['step 1', 'step 2'],
  )
  assert.equal(fs.readFileSync(path.join(home, 'logs/deliver.log'), 'utf8'), '')
})

test('with nothing to deliver nobody is woken', async () => {
  const home = homeWith({ DESKTOP: 'off', ...ofPhone('http://127.0.0.1:1') })
  await wakeIn(home)
  assert.ok(!fs.existsSync(path.join(home, 'logs')))
})

test('a change of .env counts for a deliverer that runs already', async () => {
  const ntfy = await startNtfy('ntfy')
  const away = await startNtfy('ntfy')
  away.stop()
  const home = homeWith({ DESKTOP: 'off', ...ofPhone(away.url) })
  post(home, messageOf(1), ['phone'])
  await wakeIn(home)
  await until('a failure', () => readLedger(home, 9).length > 0)
  const other = [...topic].reverse().join('')
  writeSettings(home, { DESKTOP: 'off', NTFY_SERVER: ntfy.url, NTFY_TOPIC: other })
  await until('it arrives', () => ntfy.got.length === 1)
  ntfy.stop()
  assert.equal(ntfy.got[0]?.path, `/${other}`)
})

test('settings in the environment of who wakes count, over those of .env; and are written nowhere', async () => {
  const ntfy = await startNtfy('ntfy')
  const home = homeWith({ DESKTOP: 'off' })
  post(home, messageOf(1), ['phone'])
  await wakeIn(home, { ...ofPhone(ntfy.url), ANTHROPIC_API_KEY: 'sk-not-for-deliverers' })
  await until('it arrives', () => ntfy.got.length === 1)
  const who = holder(path.join(home, 'outbox/deliverer'))
  if (process.platform === 'linux' && who)
    assert.ok(!fs.readFileSync(`/proc/${who.pid}/environ`, 'utf8').includes('sk-not-for-deliverers'))
  await until('it ends', () => holder(path.join(home, 'outbox/deliverer')) === undefined)
  ntfy.stop()
  const files = fs.readdirSync(home, { recursive: true, encoding: 'utf8' }).map(file => path.join(home, file))
  for (const file of files.filter(file => fs.statSync(file).isFile()))
    assert.ok(!fs.readFileSync(file, 'utf8').includes(topic), file)
})

test('settings that do not read stop nobody who wakes; the notice waits, and the log says why', async () => {
  const home = homeWith({ DESKTOP: 'off', ...ofPhone('http://127.0.0.1:1') })
  const config = configOf(home)
  post(home, messageOf(1), ['phone'])
  writeSettings(home, { DESKTOP: 'perhaps' })
  const ran = await wakeIn(config.home, { DESKTOP: 'off' })
  assert.equal(ran.code, 0, ran.stderr)
  writeSettings(home, { DISPLAY_ALL: 'x' })
  await wakeIn(home, {}, { DESKTOP: 'off', ...ofPhone('http://127.0.0.1:1') })
  const log = path.join(home, 'logs/deliver.log')
  await until('the log', () => fs.existsSync(log) && fs.readFileSync(log, 'utf8').includes('the settings do not read'))
  assert.equal(lyingIn(home, 'phone').waiting.length, 1)
})

test('kill -9: what the server said of waiting still holds, and the bucket stays as empty as it was', async () => {
  let taken = 0
  const ntfy = await startNtfy(() => (++taken > 10 ? { status: 429, retryAfter: '120' } : 'ntfy'))
  const home = homeWith({ DESKTOP: 'off', ...ofPhone(ntfy.url) })
  const notice = { title: 'Dispatch needs you', body: 'asks', priority: 4, tags: [] } // None that goes with others.
  for (let nth = 0; nth < 12; nth++) post(home, messageOf(nth, { of: `session-${nth}`, notice }), ['phone'])
  await wakeIn(home)
  const began = Date.now()
  await until('the burst', () => lyingIn(home, 'phone').sent.length === 10)
  await killed(home)
  await wakeIn(home)
  await new Promise(resolve => setTimeout(resolve, 2000))
  assert.ok(ntfy.got.length <= 10 + (Date.now() - began) / 6000, 'a kill fills no bucket')
  await until('one more', () => ntfy.got.length === 11, 9000)
  await until('the pause', () => readLedger(home, 1)[0]?.what === 'busy')
  await killed(home)
  await wakeIn(home)
  await new Promise(resolve => setTimeout(resolve, 8000))
  ntfy.stop()
  assert.equal(ntfy.got.length, 11)
  assert.equal(lyingIn(home, 'phone').waiting.length, 2)
})

test('asked to end, it ends after the attempt that is under way, and gives the right back', async () => {
  const ntfy = await startNtfy({ after: 1500 })
  const home = homeWith({ DESKTOP: 'off', ...ofPhone(ntfy.url) })
  for (const nth of [1, 2]) post(home, messageOf(nth), ['phone'])
  await wakeIn(home)
  await until('the attempt', () => ntfy.got.length === 1)
  const who = holder(path.join(home, 'outbox/deliverer'))
  assert.ok(who)
  process.kill(who.pid, 'SIGTERM')
  await until('it ends', () => holder(path.join(home, 'outbox/deliverer')) === undefined)
  ntfy.stop()
  assert.deepEqual(lyingIn(home, 'phone'), { waiting: [messageOf(2).id], sent: [messageOf(1).id], dead: [] })
})

// --- what they share ---

function homeWith(settings: Record<string, string>): string {
  const home = newHome()
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
  const notify = path.resolve(import.meta.dirname, '../../notify/index.ts')
  const host = path.resolve(import.meta.dirname, '../../host/index.ts')
  const script = `import { readConfig } from '${host}'; import { wake } from '${notify}'; await wake({ ...${read}, home: process.env.DISPATCH_HOME, logs: process.env.DISPATCH_HOME + '/logs' })`
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, ...environment }
  return run(process.execPath, ['--input-type=module', '-e', script], { env })
}

async function killed(home: string): Promise<void> {
  const who = holder(path.join(home, 'outbox/deliverer'))
  assert.ok(who)
  await end(who)
}

async function end(who: Identity): Promise<void> {
  for (let tries = 0; tries < 100 && (await liveness(who)) === 'alive'; tries++) {
    process.kill(who.pid, 'SIGKILL')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
