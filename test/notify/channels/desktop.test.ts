import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, test } from 'node:test'
import { type Notification, readDeliveryLog, runDeliverer, writeToOutbox } from '#notify'
import { sendToDesktop } from '#notify/channels/desktop.ts'
import {
  buildConfig,
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  listOutbox,
  quickTiming,
  waitUntilTrue,
} from '../../fixtures/notify-home.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'

const linuxOnly = { skip: process.platform === 'linux' ? false : 'notify-send is of Linux' }
const notice: Notification = {
  title: 'Dispatch started',
  body: '2026-11-20-x-a3f9 is planning',
  priority: 3,
  tags: ['rocket'],
}
const home = createHome()
const searchPath = process.env['PATH']

afterEach(() => {
  process.env['PATH'] = searchPath
})
after(() => fs.rmSync(home, { recursive: true }))

test('notify-send gets the words as they are, whatever they are', linuxOnly, async () => {
  const bin = fakeNotifySend('printf "%s\\n" "$@" > "$0.said"')
  const title = '--version "$(touch pwned)" `id`'
  assert.deepEqual(await sendToDesktop({ ...notice, title }), { channel: 'desktop', ok: true, reason: '' })
  const [said, body] = fs.readFileSync(path.join(bin, 'notify-send.said'), 'utf8').split('\n')
  assert.deepEqual([said, body], ['version "$(touch pwned)" `id`', notice.body])
})

test('a body of many lines is one line on the desktop', linuxOnly, async () => {
  const bin = fakeNotifySend('printf "%s\\n" "$2" > "$0.said"')
  await sendToDesktop({ ...notice, body: 'one\ntwo' })
  assert.equal(fs.readFileSync(path.join(bin, 'notify-send.said'), 'utf8'), 'one two\n')
})

test('F35: without permission to show anything, the notifier says so in its own last words', linuxOnly, async () => {
  fakeNotifySend('echo "Cannot autolaunch D-Bus without X11" >&2; exit 1')
  const reason = 'Cannot autolaunch D-Bus without X11'
  assert.deepEqual(await sendToDesktop(notice), { channel: 'desktop', ok: false, reason })
})

test('F35: a machine without a notifier is told so plainly, and no second try would help', linuxOnly, async () => {
  process.env['PATH'] = '/nonexistent'
  const { ok, reason, isPermanent } = await sendToDesktop(notice)
  assert.deepEqual({ ok, hopeless: isPermanent }, { ok: false, hopeless: true })
  assert.match(reason, /^notify-send is not installed \(Debian: `apt install libnotify-bin`\), or set DESKTOP=off$/)
})

test('a notifier that hangs is ended at the deadline, with all it has started', linuxOnly, async () => {
  const bin = fakeNotifySend('sleep 60 & echo $! > "$0.child"; echo $$ > "$0.self"; wait')
  process.env['PATH'] = `${bin}:/usr/bin:/bin`
  const delivery = await sendToDesktop(notice, 3000)
  assert.deepEqual(delivery, { channel: 'desktop', ok: false, reason: 'no answer in 3 s' })
  const pids = ['self', 'child'].map(name => Number(fs.readFileSync(path.join(bin, `notify-send.${name}`), 'utf8')))
  await waitUntilTrue('both are gone', () => pids.every(pid => !lives(pid)))
})

test('F35: no notifier: the phone goes on, hears of it once, and nothing is blocked', linuxOnly, async () => {
  process.env['PATH'] = '/nonexistent'
  const ntfy = await startNtfyServer('ntfy')
  const config = buildConfig(home, { ...buildPhoneSettings(ntfy.url), DESKTOP: 'on' })
  for (const nth of [1, 2]) writeToOutbox(home, buildQueuedNotification(nth), ['desktop', 'phone'])
  await runDeliverer(home, () => config, { ...quickTiming, lingerMs: 1500 })
  ntfy.stop()
  assert.deepEqual(listOutbox(home, 'desktop').dead.length, 2)
  assert.match(ntfy.got[2]?.body ?? '', /^desktop has not taken 2 notices: notify-send is not installed/)
  assert.equal(ntfy.got.length, 3)
  assert.equal(
    readDeliveryLog(home, 99).filter(({ channel, what }) => channel === 'desktop' && what === 'dead').length,
    2,
  )
})

function fakeNotifySend(script: string): string {
  const bin = fs.mkdtempSync(path.join(home, 'bin-'))
  fs.writeFileSync(path.join(bin, 'notify-send'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  process.env['PATH'] = `${bin}:${searchPath}`
  return bin
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
