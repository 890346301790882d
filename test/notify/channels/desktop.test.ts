import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, test } from 'node:test'
import { readIfPresent } from '#host/fs'
import { type Notification, readDeliveryLog, runDeliverer, writeToOutbox } from '#notify'
import { sendToDesktop } from '#notify/channels/desktop.ts'
import { findMacNotifier, showOnMac } from '#notify/channels/mac.ts'
import {
  buildConfig,
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  listOutbox,
  quickTiming,
} from '../../fixtures/notify-home.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { waitUntil, withEnoughTime } from '../../fixtures/scratch.ts'

const notification: Notification = {
  title: 'Dispatch started',
  body: '2026-11-20-x-a3f9 is planning',
  priority: 3,
  tags: ['rocket'],
}
const home = createHome()
const searchPath = process.env['PATH']
const usesNotifySend = { skip: whyNoNotifySend() }

afterEach(() => {
  process.env['PATH'] = searchPath
})
after(() => fs.rmSync(home, { recursive: true }))

test('notify-send gets the text unchanged, and not as an option', usesNotifySend, async () => {
  const bin = installNotifySend('printf "%s\\n" "$@" > "$0.args"')
  const title = '--version "$(touch pwned)" `id`'
  assert.deepEqual(await sendToDesktop({ ...notification, title }), { ok: true, reason: '' })
  const args = fs.readFileSync(path.join(bin, 'notify-send.args'), 'utf8').split('\n')
  assert.deepEqual(args.slice(0, 2), ['version "$(touch pwned)" `id`', notification.body])
})

test('a body of several lines becomes one line', usesNotifySend, async () => {
  const bin = installNotifySend('printf "%s\\n" "$2" > "$0.args"')
  await sendToDesktop({ ...notification, body: 'one\ntwo' })
  assert.equal(fs.readFileSync(path.join(bin, 'notify-send.args'), 'utf8'), 'one two\n')
})

test('a failure has the last line of the notifier as its reason', usesNotifySend, async () => {
  installNotifySend('echo "Cannot autolaunch D-Bus without X11" >&2; exit 1')
  const reason = 'Cannot autolaunch D-Bus without X11'
  assert.deepEqual(await sendToDesktop(notification), { ok: false, reason })
})

test('a missing notifier is a permanent failure', usesNotifySend, async () => {
  process.env['PATH'] = '/nonexistent'
  const { ok, reason, isPermanent } = await sendToDesktop(notification)
  assert.deepEqual([ok, isPermanent], [false, true])
  assert.equal(reason, 'notify-send is not installed')
})

test('a notifier that hangs is killed with everything it started', usesNotifySend, async () => {
  const bin = installNotifySend('sleep 600 & echo $! > "$0.child"; echo $$ > "$0.self"; wait')
  await withEnoughTime(async limitMs => {
    const { ok, reason } = await sendToDesktop(notification, limitMs)
    assert.deepEqual([ok, reason], [false, `no answer in ${limitMs / 1000} s`])
    return fs.existsSync(path.join(bin, 'notify-send.self'))
  })
  const pids = ['self', 'child'].map(name => Number(fs.readFileSync(path.join(bin, `notify-send.${name}`), 'utf8')))
  await waitUntil(() => pids.every(pid => !isAlive(pid)), 'both are gone')
})

test('without a notifier the phone still works, and reports that once', usesNotifySend, async () => {
  process.env['PATH'] = '/nonexistent'
  const ntfy = await startNtfyServer('ntfy')
  const config = buildConfig(home, { ...buildPhoneSettings(ntfy.url), DESKTOP: 'on' })
  for (const number of [1, 2]) writeToOutbox(home, buildQueuedNotification(number), ['desktop', 'phone'])
  await runDeliverer(home, () => config, quickTiming)
  ntfy.stop()
  assert.equal(listOutbox(home, 'desktop').dead.length, 2)
  assert.equal(ntfy.got.length, 3)
  assert.match(ntfy.got[2]?.body ?? '', /^2 notifications did not reach the desktop: notify-send is not installed/)
  assert.equal(
    readDeliveryLog(home, 99).filter(({ channel, result }) => channel === 'desktop' && result === 'dead').length,
    2,
  )
})

test('on a Mac the text is an argument of the notifier, and the link is for one that opens it', async () => {
  const bin = fs.mkdtempSync(path.join(home, 'bin-'))
  const [own, system] = ['terminal-notifier', 'osascript'].map(name => path.join(bin, name)) as [string, string]
  const print = '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\n'
  for (const file of [own, system]) fs.writeFileSync(file, print, { mode: 0o755 })
  const readArgs = (file: string) => fs.readFileSync(`${file}.args`, 'utf8').trimEnd().split('\n')
  const text = { title: 'a "b"', message: '$(touch x) \\', open: 'http://127.0.0.1:1/' }
  assert.equal(findMacNotifier(bin), own)
  assert.equal(findMacNotifier('/nonexistent'), '/usr/bin/osascript')
  assert.deepEqual(await showOnMac(text, own, system), { ok: true, reason: '' })
  assert.deepEqual(readArgs(own), ['-title', text.title, '-message', text.message, '-open', text.open])
  assert.deepEqual(await showOnMac(text, system, system), { ok: true, reason: '' })
  assert.deepEqual(readArgs(system).slice(-2), [text.title, text.message])
  assert.equal(readArgs(system).filter(word => word === '-e').length, 3)
  fs.rmSync(`${system}.args`)
  fs.chmodSync(own, 0o600) // As one for another processor, it does not start.
  assert.deepEqual(await showOnMac(text, own, system), { ok: true, reason: '' }, 'the other one is used')
  assert.equal(readArgs(system).at(-1), text.message)
  fs.writeFileSync(system, '#!/bin/sh\necho "execution error: not allowed (-1743)" >&2; exit 1\n')
  assert.deepEqual(await showOnMac(text, system, system), { ok: false, reason: 'execution error: not allowed (-1743)' })
})

/** node-notifier uses notify-send on Linux only; in WSL it shows the notification in Windows. */
function whyNoNotifySend(): string | false {
  if (process.platform !== 'linux') return 'notify-send is for Linux: run it there'
  const isWsl = readIfPresent('/proc/version')?.toLowerCase().includes('microsoft')
  return isWsl ? 'WSL uses a notifier of Windows: run it on Linux itself' : false
}

/** Put a script named notify-send in front of the search path. The tests need no real one. */
function installNotifySend(script: string): string {
  const bin = fs.mkdtempSync(path.join(home, 'bin-'))
  fs.writeFileSync(path.join(bin, 'notify-send'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  process.env['PATH'] = `${bin}:${searchPath}`
  return bin
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
