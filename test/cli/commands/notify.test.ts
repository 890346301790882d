import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { applySettings } from '#cli/notify/env-editor.ts'
import { getChannelWarning } from '#cli/notify/overview.ts'
import { buildSubscribeUrl, renderQr } from '#cli/notify/qr.ts'
import { createTopic, readConfig } from '#host/config'
import { getOutboxFolders, writeToOutbox } from '#notify'
import { findFilesWith } from '../../fixtures/find-files.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { readQr } from '../../fixtures/qr-reader.ts'
import { entryPoint, idleScenario, openRig, type Rig } from '../../fixtures/rig.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'
import { startApp } from '../../fixtures/web-sessions.ts'
import { openTerminal, type Terminal } from '../../walk/terminal.ts'

/** `dispatch notify`, end to end: a real terminal in a tmux of its own, and a fake ntfy server on loopback. */

const topic = '9f86d081884c7d659a2feaa0c55ad015'

// --- the QR code ---

test('the QR code contains the subscribe URL, with its own colors and margin', () => {
  for (let times = 0; times < 50; times++) {
    const address = buildSubscribeUrl('https://ntfy.sh', createTopic()) ?? ''
    const lines = renderQr(address)
    assert.ok(lines.every(line => line.startsWith('\u001b[38;5;231;48;5;16m') && line.endsWith('\u001b[0m')))
    const plain = lines.map(stripVTControlCharacters)
    assert.ok(plain.every(line => line.length === 37))
    assert.equal(readQr(plain), address)
  }
})

test('the subscribe URL has the port and no password, and cannot have a path', () => {
  assert.equal(buildSubscribeUrl('https://ntfy.sh/', topic), `ntfy://ntfy.sh/${topic}`)
  assert.equal(buildSubscribeUrl('http://10.0.0.7:8080', topic), `ntfy://10.0.0.7:8080/${topic}?secure=false`)
  assert.equal(buildSubscribeUrl('https://me:secret@push.example', topic), `ntfy://push.example/${topic}`)
  assert.equal(buildSubscribeUrl('https://example.com/ntfy', topic), undefined)
  const longest = `https://${'a'.repeat(62)}.${'b'.repeat(62)}.${'c'.repeat(62)}.${'d'.repeat(61)}:65535`
  assert.ok(
    renderQr(buildSubscribeUrl(longest, 'x'.repeat(64)) ?? '').every(
      line => stripVTControlCharacters(line).length <= 80,
    ),
  )
})

// --- .env ---

const changes: [title: string, before: string, after: string][] = [
  ['no file', '', `NTFY_TOPIC=${topic}\n`],
  ['an empty value keeps its place', 'A=1\nNTFY_TOPIC=\nB=2\n', `A=1\nNTFY_TOPIC=${topic}\nB=2\n`],
  ['a value is replaced', 'NTFY_TOPIC=dispatch\n', `NTFY_TOPIC=${topic}\n`],
  ['its comment stays', 'NTFY_TOPIC=x   # mine, "quoted"\n', `NTFY_TOPIC=${topic}   # mine, "quoted"\n`],
  ['its indent and its export stay', '  export NTFY_TOPIC = x\n', `  export NTFY_TOPIC=${topic}\n`],
  ['quotes are removed', "NTFY_TOPIC='a # b' # c\n", `NTFY_TOPIC=${topic} # c\n`],
  ['a colon counts as an equals sign', 'NTFY_TOPIC: x\n', `NTFY_TOPIC=${topic}\n`],
  ['a comment is not a setting', '# NTFY_TOPIC=x\n', `# NTFY_TOPIC=x\nNTFY_TOPIC=${topic}\n`],
  [
    'a longer name is another setting',
    'MY_NTFY_TOPIC=x\nNTFY_TOPICS=y\n',
    `MY_NTFY_TOPIC=x\nNTFY_TOPICS=y\nNTFY_TOPIC=${topic}\n`,
  ],
  ['a last line without a line break', '# end', `# end\nNTFY_TOPIC=${topic}\n`],
  ['CRLF', 'A=1\r\nNTFY_TOPIC=x\r\nB=2\r\n', `A=1\r\nNTFY_TOPIC=${topic}\r\nB=2\r\n`],
  ['one more line with CRLF', 'A=1\r\n', `A=1\r\nNTFY_TOPIC=${topic}\r\n`],
  ['a byte order mark', '\ufeffNTFY_TOPIC=x\n', `\ufeffNTFY_TOPIC=${topic}\n`],
  ['umlauts and blank lines', '# für mich ✓\n\n\nA=1', `# für mich ✓\n\n\nA=1\nNTFY_TOPIC=${topic}\n`],
]

for (const [title, before, after] of changes)
  test(`applySettings keeps the rest byte for byte: ${title}`, () => {
    assert.equal(applySettings(before, { NTFY_TOPIC: topic }), after)
    assert.equal(applySettings(after, { NTFY_TOPIC: topic }), after)
  })

test('applySettings refuses a value of several lines', () =>
  assert.throws(() => applySettings('NTFY_TOPIC="a\nb"\n', { NTFY_TOPIC: topic }), /several lines/))

// --- the command ---

interface Machine {
  rig: Rig
  /** DISPATCH_HOME. */
  home: string
  env: string
  config(): ReturnType<typeof readConfig>
}

async function withMachine(changes: Record<string, string>, body: (machine: Machine) => Promise<void>): Promise<void> {
  const rig = await openRig(idleScenario, { NTFY_TOPIC: '', NTFY_SERVER: '', ...changes })
  const home = path.join(rig.home, 'dispatch')
  fs.mkdirSync(home, { mode: 0o700 })
  try {
    await body({ rig, home, env: path.join(home, '.env'), config: () => readConfig(rig.environment) })
  } finally {
    await rig.close()
  }
}

async function withTerminal(rig: Rig, body: (terminal: Terminal) => Promise<void>): Promise<void> {
  const terminal = await openTerminal({ ...rig.environment, D: entryPoint }, path.join(rig.home, 'elsewhere'))
  try {
    await body(terminal)
  } finally {
    await terminal.close()
  }
}

/** The command lines of all processes that ran during `work`. */
async function recordCommandLines(work: () => Promise<void>): Promise<string[]> {
  const seen = new Set<string>()
  const listProcesses = () => fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))
  const earlier = new Set(listProcesses())
  const look = () => {
    for (const pid of listProcesses().filter(pid => !earlier.has(pid))) {
      try {
        seen.add(fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
      } catch {
        // Gone by now.
      }
    }
  }
  const timer = setInterval(look, 10)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return [...seen]
}

/** Queue a notification as a runner does. */
function enqueueNotification(
  home: string,
  id: string,
  minutesAgo = 0,
  to: Parameters<typeof writeToOutbox>[2] = ['phone'],
): void {
  const at = new Date(Date.now() - minutesAgo * 60_000).toISOString()
  const sessionId = '2026-11-20-fix-login-a3f9'
  const notification = {
    title: 'Dispatch needs you',
    body: `${sessionId} is asking a question`,
    priority: 4,
    tags: ['question'],
  }
  writeToOutbox(home, { id: `${sessionId}-${id}`, sessionId, at, deliverBy: null, notification }, to)
}

describe('notify setup in a terminal', { concurrency: 2, skip: whyNotLinux }, () => {
  it('writes the new topic to .env, and shows it nowhere else', async () => {
    const ntfy = await startNtfyServer('ntfy')
    try {
      await withMachine({}, ({ rig, home, env, config }) =>
        withTerminal(rig, async terminal => {
          const before = `# für mich\nDESKTOP=off\n\nNTFY_TOPIC=dispatch # weak\n# NTFY_SERVER=x\nROUNDS=4`
          const real = path.join(rig.home, 'home/dotfiles.env')
          fs.writeFileSync(real, before, { mode: 0o644 })
          fs.symlinkSync(real, env)
          let screen = ''
          const answers: [RegExp, string][] = [
            [/Write it\? \[y\/N\]/, 'y'],
            [/Subscribed\?.*\[y\/N\]/, 'y'],
            [/Did it arrive\? \[y\/N\]/, 'y'],
          ]
          const lines = await recordCommandLines(async () => {
            screen = await terminal.typeCommand(`sh $D notify setup --server ${ntfy.url}; echo exit $?`, { answers })
            for (const words of ['notify', 'notify test', 'notify log', 'doctor --notify', 'ls'])
              assert.ok(!(await terminal.typeCommand(`sh $D ${words}`)).includes(config().NTFY_TOPIC), words)
            fs.mkdirSync(path.join(home, 'external-events'))
            const said = { hook_event_name: 'Stop', cwd: '/work/shop' }
            fs.writeFileSync(path.join(home, 'external-events/1-1'), JSON.stringify(said))
            await terminal.typeCommand('sh $D watchdog')
            await rig.waitUntil('it is delivered', () => ntfy.kept.some(({ message }) => message.includes('shop')))
          })
          const { NTFY_TOPIC: made } = config()
          assert.match(made, /^[0-9a-f]{32}$/)
          assert.match(screen, /\nexit 0$/)
          assert.match(screen, /NTFY_TOPIC: it must be .*hard to guess/)
          assert.ok(screen.includes(`topic   ${made}\n`) && screen.includes(`server  ${ntfy.url}\n`), screen)
          const code = screen.split('\n').filter(line => /^[█▀▄ ]{25,}$/.test(line))
          assert.equal(readQr(code), `ntfy://127.0.0.1:${ntfy.port}/${made}?secure=false`)

          const after = before.replace('=dispatch #', `=${made} #`)
          assert.equal(fs.readFileSync(real, 'utf8'), `${after}\nNTFY_SERVER=${ntfy.url}\n`)
          assert.equal(fs.statSync(real).mode & 0o777, 0o600)
          assert.ok(fs.lstatSync(env).isSymbolicLink())

          const [first, ...more] = ntfy.got
          assert.ok(first?.path.endsWith(made) && more.length >= 3)
          for (const words of ['setup', 'test', 'log', 'doctor', 'ls', 'watchdog'])
            assert.ok(
              lines.some(line => line.split('\0').includes(words)),
              `\`${words}\` ran, and was not seen`,
            )
          assert.deepEqual(
            lines.filter(line => line.includes(made)).map(line => line.replaceAll('\0', ' ')),
            [],
          )
          assert.deepEqual(findFilesWith(rig.home, made), [real])
          const page = await startApp(home, () => getChannelWarning(config()))
          assert.ok(!(await page.ask('/')).body.includes(made))
          page.stop()
        }),
      )
    } finally {
      ntfy.stop()
    }
  })

  it('keeps a good topic, and makes another only with --new and a yes', async () => {
    const ntfy = await startNtfyServer('ntfy')
    try {
      await withMachine({}, ({ rig, env, config }) =>
        withTerminal(rig, async terminal => {
          const before = `NTFY_SERVER=${ntfy.url}\nNTFY_TOPIC=${topic}\n`
          fs.writeFileSync(env, before)
          const subscribed: [RegExp, string] = [/Subscribed\?/, 'n']
          const again = await terminal.typeCommand('sh $D notify setup; echo exit $?', { answers: [subscribed] })
          assert.ok(again.includes(`topic   ${topic}\n`) && !again.includes('Write it?'), again)
          assert.match(again, /Nothing was sent\. .*\nexit 0$/)
          const refused = await terminal.typeCommand('sh $D notify setup --new; echo exit $?', {
            answers: [[/Write it/, ' ']],
          })
          assert.match(refused, /Nothing was changed\.\nexit 0$/)
          assert.ok(!refused.includes('█'))
          assert.equal(fs.readFileSync(env, 'utf8'), before)
          await terminal.typeCommand('sh $D notify setup --new', { answers: [[/Write it/, 'y'], subscribed] })
          assert.notEqual(config().NTFY_TOPIC, topic)
          assert.equal(ntfy.got.length, 0)
        }),
      )
    } finally {
      ntfy.stop()
    }
  })

  it('asks for token and webhook, and helps when no test arrives', async () => {
    const ntfy = await startNtfyServer('ntfy')
    try {
      await withMachine({}, ({ rig, env, config }) =>
        withTerminal(rig, async terminal => {
          fs.writeFileSync(env, `NTFY_SERVER=${ntfy.url}\nNTFY_TOPIC=${topic}\n`)
          const words = 'sh $D notify setup --token --webhook --quiet-hours 22:30-07:00; echo exit $?'
          const screen = await terminal.typeCommand(words, {
            answers: [
              [/Access token/, 'tk_1234'],
              [/Address of the webhook/, `${ntfy.url}/hook`],
              [/Write it/, 'y'],
              [/Subscribed/, 'y'],
              [/Did it arrive/, 'n'],
            ],
          })
          assert.match(
            screen,
            /NTFY_TOKEN=\(as you typed it\)\n {2}WEBHOOK_URL=\(as you typed it\)\n {2}QUIET_HOURS=22:30/,
          )
          assert.match(screen, /Do Not Disturb[\s\S]*dispatch notify test\nexit 8$/)
          const { NTFY_TOKEN, WEBHOOK_URL, QUIET_HOURS } = config()
          assert.deepEqual([NTFY_TOKEN, WEBHOOK_URL, QUIET_HOURS], ['tk_1234', `${ntfy.url}/hook`, '22:30-07:00'])
          const bad = await terminal.typeCommand('sh $D notify setup --quiet-hours 25:00-07:00; echo exit $?')
          assert.match(bad, /QUIET_HOURS must be two times of day.*\n.*\nexit 2$/)
        }),
      )
    } finally {
      ntfy.stop()
    }
  })

  it('refuses to write a setting that the environment overrides', () =>
    withMachine({ NTFY_TOPIC: topic }, ({ rig, env }) =>
      withTerminal(rig, async terminal => {
        const shown = await terminal.typeCommand('sh $D notify setup; echo exit $?', { answers: [[/Subscribed/, 'n']] })
        assert.ok(shown.includes(`topic   ${topic}   (from the environment, not from .env)`), shown)
        const lost = await terminal.typeCommand('sh $D notify setup --new; echo exit $?')
        assert.match(lost, /NTFY_TOPIC is set in the environment[\s\S]*unset NTFY_TOPIC[\s\S]*\nexit 2$/)
        const weak = await terminal.typeCommand('NTFY_TOPIC=dispatch sh $D notify setup; echo exit $?')
        assert.match(weak, /NTFY_TOPIC is set in the environment[\s\S]*\nexit 2$/)
        assert.ok(!fs.existsSync(env))
      }),
    ))
})

describe('notify without a terminal', { concurrency: 2 }, () => {
  it('setup is refused, and for an agent too', () =>
    withMachine({}, async ({ rig, env }) => {
      const ran = await rig.dispatch(['notify', 'setup'], { input: 'y\ny\n' })
      assert.equal(ran.exitCode, 2)
      assert.match(ran.stderr, /needs a terminal/)
      const agent = await rig.dispatch(['notify', 'setup'], { env: { DISPATCH_SESSION: 'x' } })
      assert.equal(agent.exitCode, 5)
      assert.match(agent.stderr, /belongs to an agent/)
      assert.ok(!fs.existsSync(env) && !`${ran.stdout}${agent.stdout}`.includes('█'))
    }))

  it('wrong usage and a weak topic are exit 2', () =>
    withMachine({}, async ({ rig }) => {
      for (const words of [['tset'], ['test', '--new'], ['log', '--last', '0'], ['setup', '--json'], ['test', 'x']])
        assert.equal((await rig.dispatch(['notify', ...words])).exitCode, 2, words.join(' '))
      const weak = await rig.dispatch(['notify'], { env: { NTFY_TOPIC: 'dispatch' } })
      assert.equal(weak.exitCode, 2)
      assert.match(weak.stderr, /`dispatch notify setup` makes one/)
    }))

  it('test is exit 0 when every channel works, 8 when one fails, 2 when none is set', async () => {
    const ntfy = await startNtfyServer(({ path }) => (path === '/hook' ? { status: 500 } : 'ntfy'))
    try {
      await withMachine({}, async ({ rig }) => {
        const none = await rig.dispatch(['notify', 'test'])
        assert.equal(none.exitCode, 2)
        assert.match(none.stderr, /no channel is set[\s\S]*dispatch notify setup/)
        const env = { NTFY_SERVER: ntfy.url, NTFY_TOPIC: topic }
        const good = await rig.dispatch(['notify', 'test'], { env })
        assert.equal(good.exitCode, 0)
        assert.match(good.stdout, /^ok +phone [\s\S]*fetched back[\s\S]*Not tested: /)
        const both = { ...env, WEBHOOK_URL: `${ntfy.url}/hook` }
        const half = await rig.dispatch(['notify', 'test'], { env: both })
        assert.equal(half.exitCode, 8)
        assert.match(half.stdout, /^ok +phone[\s\S]*\nwarn +webhook +[^→]*HTTP\s500\s+→ Check/)
        const json = await rig.dispatch(['notify', 'test', '--json'], { env: both })
        const proofs = JSON.parse(json.stdout) as { channel: string; ok: boolean }[]
        assert.deepEqual(
          proofs.map(({ channel, ok }) => [channel, ok]),
          [
            ['phone', true],
            ['webhook', false],
          ],
        )
        assert.ok(![good, half, json].some(({ stdout, stderr }) => `${stdout}${stderr}`.includes(topic)))
      })
    } finally {
      ntfy.stop()
    }
  })

  it('log lists what was sent and given up, which --retry sends again', async () => {
    let status = 400
    const ntfy = await startNtfyServer(() => (status === 200 ? 'ntfy' : { status }))
    try {
      await withMachine({ NTFY_SERVER: ntfy.url, NTFY_TOPIC: topic }, async ({ rig, home, config }) => {
        assert.match((await rig.dispatch(['notify', 'log'])).stdout, /^Nothing was sent yet\.\n$/)
        const { dead, sent } = getOutboxFolders(home, 'phone')
        const holds = (folder: string) => fs.existsSync(folder) && fs.readdirSync(folder).length > 0
        enqueueNotification(home, '7')
        fs.mkdirSync(path.join(home, 'external-events'))
        fs.writeFileSync(
          path.join(home, 'external-events/1-1'),
          JSON.stringify({ hook_event_name: 'Stop', cwd: '/shop' }),
        )
        await rig.dispatch(['watchdog'])
        await rig.waitUntil('both are given up', () => holds(dead) && fs.readdirSync(dead).length === 2)
        const before = await rig.dispatch(['notify', 'log'])
        assert.match(
          before.stdout,
          /^\d\d? \w{3} \d\d:\d\d:\d\d {2}(2026-11-20-fix-login-a3f9|external) +phone +refused +HTTP 400/m,
        )
        assert.match(before.stdout, /^phone: 2 given up [^\n]*\(HTTP 400.*\)\n.*--retry/m)
        assert.ok(!before.stdout.includes('\u001b'))
        assert.match(getChannelWarning(config()), /2 notifications .*phone.*: HTTP 400/)
        const listed = await rig.dispatch(['ls'])
        assert.match(listed.stdout, /\n\nNotifications are not arriving: .*dispatch notify log\n$/)
        assert.match((await rig.dispatch(['notify'])).stdout, /^phone +failing +by ntfy at /m)
        assert.match((await rig.dispatch(['doctor'])).stdout, /warn +phone +[^→]*→ Check/)

        status = 200
        const old = path.join(dead, `${String(Date.now() - 4 * 24 * 3600_000).padStart(15, '0')}-old.json`)
        fs.writeFileSync(old, '{}')
        assert.match((await rig.dispatch(['notify', 'log', '--retry'])).stdout, /^2 queued again.*1 too old/m)
        await rig.waitUntil('both are sent', () => holds(sent) && fs.readdirSync(sent).length === 2)
        assert.deepEqual(fs.readdirSync(dead), [path.basename(old)]) // It would be given up again at once.
        const json = JSON.parse((await rig.dispatch(['notify', 'log', '--json', '--last', '2'])).stdout)
        assert.deepEqual(
          json.entries.map(({ result }: { result: string }) => result),
          ['sent', 'sent'],
        )
      })
    } finally {
      ntfy.stop()
    }
  })

  it('ls and the page warn when notifications are not arriving', () =>
    withMachine({ NTFY_TOPIC: topic, NTFY_SERVER: 'http://127.0.0.1:1' }, async ({ rig, home, config }) => {
      assert.equal((await rig.dispatch(['ls'])).stdout, 'No sessions yet. To start one: dispatch "task"\n')
      assert.equal((await rig.dispatch(['ls', '--json'])).stdout, '[]\n')
      const page = await startApp(home, () => getChannelWarning(config()))
      try {
        assert.doesNotMatch((await page.ask('/')).body, /channel-warning"/)
        enqueueNotification(home, '8', 60)
        assert.match(
          (await page.ask('/')).body,
          /<p class="card edge-unsure channel-warning">.*1 notification to the phone /,
        )
        assert.match((await rig.dispatch(['ls'])).stdout, /\n\nNotifications are not arriving: .*\n$/)
        assert.equal((await rig.dispatch(['ls', '--json'])).stdout, '[]\n')
      } finally {
        page.stop()
      }
    }))
})
