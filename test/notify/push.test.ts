import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { type Manner, startNtfy } from './ntfy-server.ts'

const door = path.resolve(import.meta.dirname, '../../bin/push.ts')
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'push-'))
const topic = 'secret-topic-9f3a'
const notice = { title: 'Dispatch started', body: '2026-11-20-x-a3f9 is planning', priority: 3, tags: ['rocket'] }
const linuxOnly = { skip: process.platform === 'linux' ? false : 'notify-send is of Linux' }

after(() => fs.rmSync(home, { recursive: true }))

test('the notice on stdin goes to the phone, and the line on stdout says so', async () => {
  const { ran, got } = await pushTo('ntfy', JSON.stringify(notice))
  assert.equal(ran.code, 0, ran.stderr)
  assert.deepEqual(JSON.parse(ran.stdout), [{ channel: 'phone', ok: true, why: '', status: 200 }])
  assert.equal(got[0]?.headers['x-tags'], 'rocket')
  assert.equal(ran.stdout.split('\n').length, 2)
})

test('a refusal is a line on stdout and exit 0, and the topic is nowhere', async () => {
  const { ran } = await pushTo({ status: 500 }, JSON.stringify(notice))
  assert.equal(ran.code, 0, ran.stderr)
  assert.equal(JSON.parse(ran.stdout)[0].ok, false)
  assert.ok(!(ran.stdout + ran.stderr).includes(topic))
})

for (const [what, input] of [
  ['nothing', ''],
  ['no JSON', '{"title"'],
  ['a notice without a body', JSON.stringify({ ...notice, body: undefined })],
  ['a priority of 9', JSON.stringify({ ...notice, priority: 9 })],
  ['a click that is no web address', JSON.stringify({ ...notice, click: 'javascript:alert(1)' })],
] as const) {
  test(`${what} on stdin is exit 2 and sends nothing`, async () => {
    const { ran, got } = await pushTo('ntfy', input)
    assert.equal(ran.code, 2)
    assert.equal(ran.stdout, '')
    assert.match(ran.stderr, /^push: this is no notice/)
    assert.equal(got.length, 0)
  })
}

test('notify-send gets the words as they are, whatever they are', linuxOnly, async () => {
  const bin = fakeNotifySend('printf "%s\\n" "$@" > "$0.said"')
  const words = { ...notice, title: '--version "$(touch pwned)" `id`' }
  const ran = await push(JSON.stringify(words), { DESKTOP: 'on', PATH: bin })
  assert.deepEqual(JSON.parse(ran.stdout), [{ channel: 'desktop', ok: true, why: '' }])
  const [title, body] = fs.readFileSync(path.join(bin, 'notify-send.said'), 'utf8').split('\n')
  assert.deepEqual([title, body], ['version "$(touch pwned)" `id`', notice.body])
})

test('a notify-send that fails is told by its own last words', linuxOnly, async () => {
  const bin = fakeNotifySend('echo "Cannot autolaunch D-Bus without X11" >&2; exit 1')
  const ran = await push(JSON.stringify(notice), { DESKTOP: 'on', PATH: bin })
  assert.equal(ran.code, 0)
  assert.deepEqual(JSON.parse(ran.stdout), [
    { channel: 'desktop', ok: false, why: 'Cannot autolaunch D-Bus without X11' },
  ])
})

test('a machine without notify-send is told so plainly', linuxOnly, async () => {
  const ran = await push(JSON.stringify(notice), { DESKTOP: 'on', PATH: '/nonexistent' })
  assert.equal(ran.code, 0)
  assert.match(JSON.parse(ran.stdout)[0].why, /^notify-send is not installed/)
})

test('a notify-send that hangs costs five seconds and not the phone', linuxOnly, async () => {
  const bin = fakeNotifySend('sleep 9')
  const started = performance.now()
  const { ran } = await pushTo('ntfy', JSON.stringify(notice), { DESKTOP: 'on', PATH: `${bin}:/usr/bin:/bin` })
  assert.deepEqual(
    JSON.parse(ran.stdout).map((delivery: { ok: boolean }) => delivery.ok),
    [false, true],
  )
  assert.ok(performance.now() - started < 8500)
})

async function pushTo(manner: Manner, input: string, environment: Record<string, string> = {}) {
  const ntfy = await startNtfy(manner)
  try {
    const phone = { NTFY_SERVER: ntfy.url, NTFY_TOPIC: topic }
    return { ran: await push(input, { DESKTOP: 'off', ...phone, ...environment }), got: ntfy.got }
  } finally {
    ntfy.stop()
  }
}

function push(input: string, environment: Record<string, string>) {
  const child = spawn(process.execPath, [door], { env: { DISPATCH_HOME: home, HOME: home, ...environment } })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => (said.stdout += chunk))
  child.stderr.on('data', chunk => (said.stderr += chunk))
  child.stdin.end(input)
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve =>
    child.on('close', code => resolve({ code, ...said })),
  )
}

function fakeNotifySend(script: string): string {
  const bin = fs.mkdtempSync(path.join(home, 'bin-'))
  fs.writeFileSync(path.join(bin, 'notify-send'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return bin
}
