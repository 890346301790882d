import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, test } from 'node:test'
import { showOnDesktop } from '../../notify/desktop.ts'
import { deliver, type Notice, post, readLedger } from '../../notify/index.ts'
import { configOf, lyingIn, messageOf, newHome, ofPhone, quick, until } from './home.ts'
import { startNtfy } from './ntfy-server.ts'

const linuxOnly = { skip: process.platform === 'linux' ? false : 'notify-send is of Linux' }
const notice: Notice = {
  title: 'Dispatch started',
  body: '2026-11-20-x-a3f9 is planning',
  priority: 3,
  tags: ['rocket'],
}
const home = newHome()
const searchPath = process.env['PATH']

afterEach(() => {
  process.env['PATH'] = searchPath
})
after(() => fs.rmSync(home, { recursive: true }))

test('notify-send gets the words as they are, whatever they are', linuxOnly, async () => {
  const bin = fakeNotifySend('printf "%s\\n" "$@" > "$0.said"')
  const title = '--version "$(touch pwned)" `id`'
  assert.deepEqual(await showOnDesktop({ ...notice, title }), { channel: 'desktop', ok: true, why: '' })
  const [said, body] = fs.readFileSync(path.join(bin, 'notify-send.said'), 'utf8').split('\n')
  assert.deepEqual([said, body], ['version "$(touch pwned)" `id`', notice.body])
})

test('a body of many lines is one line on the desktop', linuxOnly, async () => {
  const bin = fakeNotifySend('printf "%s\\n" "$2" > "$0.said"')
  await showOnDesktop({ ...notice, body: 'one\ntwo' })
  assert.equal(fs.readFileSync(path.join(bin, 'notify-send.said'), 'utf8'), 'one two\n')
})

test('F35: without permission to show anything, the notifier says so in its own last words', linuxOnly, async () => {
  fakeNotifySend('echo "Cannot autolaunch D-Bus without X11" >&2; exit 1')
  const why = 'Cannot autolaunch D-Bus without X11'
  assert.deepEqual(await showOnDesktop(notice), { channel: 'desktop', ok: false, why })
})

test('F35: a machine without a notifier is told so plainly, and no second try would help', linuxOnly, async () => {
  process.env['PATH'] = '/nonexistent'
  const { ok, why, hopeless } = await showOnDesktop(notice)
  assert.deepEqual({ ok, hopeless }, { ok: false, hopeless: true })
  assert.match(why, /^notify-send is not installed \(Debian: `apt install libnotify-bin`\), or set DESKTOP=off$/)
})

test('a notifier that hangs is ended at the deadline, with all it has started', linuxOnly, async () => {
  const bin = fakeNotifySend('sleep 60 & echo $! > "$0.child"; echo $$ > "$0.self"; wait')
  process.env['PATH'] = `${bin}:/usr/bin:/bin`
  const delivery = await showOnDesktop(notice, 3000)
  assert.deepEqual(delivery, { channel: 'desktop', ok: false, why: 'no answer in 3 s' })
  const pids = ['self', 'child'].map(name => Number(fs.readFileSync(path.join(bin, `notify-send.${name}`), 'utf8')))
  await until('both are gone', () => pids.every(pid => !lives(pid)))
})

test('F35: no notifier: the phone goes on, hears of it once, and nothing is blocked', linuxOnly, async () => {
  process.env['PATH'] = '/nonexistent'
  const ntfy = await startNtfy('ntfy')
  const config = configOf(home, { ...ofPhone(ntfy.url), DESKTOP: 'on' })
  for (const nth of [1, 2]) post(home, messageOf(nth), ['desktop', 'phone'])
  await deliver(home, () => config, { ...quick, linger: 1500 })
  ntfy.stop()
  assert.deepEqual(lyingIn(home, 'desktop').dead.length, 2)
  assert.match(ntfy.got[2]?.body ?? '', /^desktop has not taken 2 notices: notify-send is not installed/)
  assert.equal(ntfy.got.length, 3)
  assert.equal(readLedger(home, 99).filter(({ channel, what }) => channel === 'desktop' && what === 'dead').length, 2)
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
