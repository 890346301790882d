import assert from 'node:assert/strict'
import fs from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { describe, it, test } from 'node:test'
import { explainDisabledHooks } from '#cli/doctor/hooks.ts'
import { fail, formatResults, ok, warn } from '#cli/doctor/result.ts'
import { measureTextWidth } from '#cli/output/terminal.ts'
import { runProgram } from '#host/exec.ts'
import { chooseNamespaceRemedy } from '#host/sandbox/detect.ts'
import { createTextResponse, startFakeGemini } from '../../fixtures/gemini-server.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { idleScenario, withRig } from '../../fixtures/rig.ts'

test('a result is two columns, with its fix below, no wider than the screen', () => {
  const long = 'a word after a word '.repeat(20)
  const text = formatResults(
    [ok('git', '2.39'), warn('phone', long, { mac: `on a Mac ${long}`, linux: 'x' }), fail('x', 'y', 'z')],
    { width: 80, isMac: true },
  )
  const lines = text.split('\n')
  assert.ok(
    lines.every(line => measureTextWidth(line) <= 80),
    text,
  )
  assert.equal(lines[0], 'ok    git       2.39')
  assert.match(text, /^warn {2}phone {5}a word.*\n( {16}\S.*\n)+ {16}→ on a Mac/m)
  assert.match(text, /^FAIL {2}x {9}y\n {16}→ z$/m)
})

test('a quoted command stays on one line where it fits', () => {
  const format = (text: string) =>
    formatResults([ok('x', text)], { width: 40, isMac: false })
      .split('\n')
      .map(line => line.slice(16))
  assert.deepEqual(format('run `brew install tmux now` then'), ['run', '`brew install tmux now`', 'then'])
  assert.deepEqual(format('run `brew install tmux right now` then'), ['run `brew install tmux', 'right now` then'])
  assert.deepEqual(format('日本語日本語 日本語日本語'), ['日本語日本語', '日本語日本語'])
})

test('managed settings that disable hooks are recognized', () => {
  assert.equal(explainDisabledHooks('{"disableAllHooks": true}'), 'disableAllHooks is true')
  assert.equal(explainDisabledHooks('{"allowManagedHooksOnly": true}'), 'allowManagedHooksOnly is true')
  assert.equal(explainDisabledHooks('{"disableAllHooks": false, "hooks": {}}'), undefined)
  assert.equal(explainDisabledHooks('// mine\n{"disableAllHooks": true,}'), 'disableAllHooks is true')
  assert.match(explainDisabledHooks('{"disableAllHooks": tru') ?? '', /^invalid JSON \(line 1: /)
  assert.equal(explainDisabledHooks('[]'), undefined)
})

test('each setting that blocks bubblewrap has its own fix', () => {
  const none = { restricted: undefined, allowed: undefined, max: undefined }
  assert.match(chooseNamespaceRemedy({ ...none, restricted: '1' }), /apparmor_restrict_unprivileged_userns=0/)
  assert.match(chooseNamespaceRemedy({ ...none, allowed: '0' }), /unprivileged_userns_clone=1/)
  assert.match(chooseNamespaceRemedy({ ...none, max: '0' }), /max_user_namespaces/)
  assert.match(chooseNamespaceRemedy(none), /container/)
})

describe('dispatch doctor', { concurrency: 2 }, () => {
  it('invalid settings are results, and the other checks run all the same', () =>
    withRig(idleScenario, async rig => {
      fs.mkdirSync(path.join(rig.home, 'dispatch'), { recursive: true })
      fs.writeFileSync(path.join(rig.home, 'dispatch/.env'), 'ROUND=3\nNTFY_TOKEN=se cret\n')
      const ran = await rig.dispatch(['doctor'])
      assert.equal(ran.exitCode, 6)
      assert.match(ran.stdout, /FAIL +settings +\S+\.env:1: ROUND\s[^→]*\bROUNDS\?/)
      assert.match(ran.stdout, /FAIL +settings[^→]*\.env:2: NTFY_TOKEN/)
      assert.match(ran.stdout, /ok +git/)
      assert.doesNotMatch(ran.stdout, /se cret|judge|phone/)
    }))

  it('JSON has the fixes for both systems, and the text fits into 80 columns', () =>
    withRig(idleScenario, async rig => {
      const env = { GEMINI_API_KEY: '', NTFY_TOPIC: '', DESKTOP: 'on' }
      const results = JSON.parse((await rig.dispatch(['doctor', '--json'], { env })).stdout) as {
        name: string
        fix?: Record<string, string>
      }[]
      for (const name of [
        'node',
        'git',
        'tmux',
        'claude',
        'login',
        'hooks',
        'judge',
        'phone',
        'desktop',
        'webhook',
        'page',
        'home',
        'sandbox',
        'sessions',
      ])
        assert.ok(
          results.some(result => result.name === name),
          name,
        )
      const fixed = results.filter(({ fix }) => fix)
      assert.ok(fixed.length >= 2)
      for (const { name, fix } of fixed) assert.ok(fix?.['mac'] && fix['linux'], name)
      const { stdout } = await rig.dispatch(['doctor'], { env })
      // A path without blanks is longer than the column where the install folder is deep; it then has a line to itself.
      const isBreakable = (line: string) => /\S\s/.test(line.slice(16).replace(/^→ /, ''))
      assert.ok(
        stdout.split('\n').every(line => measureTextWidth(line) <= 80 || !isBreakable(line)),
        stdout,
      )
      assert.match(stdout, /warn +phone +NTFY_TOPIC[\s\S]*?→ Run `dispatch notify setup`/)
    }))

  it('--online asks the judge: a wrong key, a missing model, an answer, and one of another model', async () => {
    const refusal = (status: number, text: string) => ({
      status,
      body: JSON.stringify({ error: { code: status, message: text, status: 'X' } }),
    })
    const gemini = await startFakeGemini((_, count) =>
      count === 1
        ? refusal(400, 'API key not valid. Please pass a valid API key.')
        : count === 2
          ? refusal(404, 'no such model')
          : createTextResponse('{"word":"hello"}', {}, count === 3 ? 'gemini-3.8-flash-001' : 'gemini-9-radon'),
    )
    try {
      await withRig(idleScenario, async rig => {
        const env = { GOOGLE_GEMINI_BASE_URL: gemini.url, GEMINI_API_KEY: 'AIza-not-to-be-shown-0123456789' }
        const quiet = await rig.dispatch(['doctor'], { env })
        assert.match(quiet.stdout, /ok +judge +.*was not tried/)
        assert.equal(gemini.requests.length, 0)
        const outputs = []
        for (let times = 0; times < 4; times++)
          outputs.push((await rig.dispatch(['doctor', '--online'], { env })).stdout)
        assert.match(
          outputs[0] ?? '',
          /warn +judge +GEMINI_API_KEY[\s\S]*?→ Get another key at\s+https:\/\/aistudio\.google\.com\/apikey/,
        )
        assert.match(outputs[1] ?? '', /warn +judge +[^→]*\(JUDGE_MODEL\)[\s\S]*?→ Set JUDGE_MODEL/)
        assert.match(outputs[2] ?? '', /ok +judge +\S+ answered in \d/)
        assert.match(outputs[3] ?? '', /warn +judge +gemini-9-radon answered[\s\S]*gemini-3\.8-flash was asked/)
        assert.ok(!outputs.join('').includes('AIza'))
      })
    } finally {
      gemini.close()
    }
  })

  it('--notify sends one notification by each channel', async () => {
    const ntfy = await startNtfyServer('ntfy')
    try {
      await withRig(idleScenario, async rig => {
        const env = { NTFY_SERVER: ntfy.url, NTFY_TOPIC: '9f86d081884c7d659a2feaa0c55ad015' }
        assert.match((await rig.dispatch(['doctor'], { env })).stdout, /ok +phone +by ntfy at/)
        assert.equal(ntfy.got.length, 0)
        assert.match((await rig.dispatch(['doctor', '--notify'], { env })).stdout, /ok +phone +[\s\S]*?Not tested: /)
        assert.equal(ntfy.got.length, 1)
        const dead = { ...env, NTFY_SERVER: 'http://127.0.0.1:1' }
        assert.match(
          (await rig.dispatch(['doctor', '--notify'], { env: dead })).stdout,
          /warn +phone +[^→]*→ Check NTFY_SERVER/,
        )
      })
    } finally {
      ntfy.stop()
    }
  })

  it('a port that another program uses is a warning', () =>
    withRig(idleScenario, async rig => {
      const stranger = net.createServer().listen(0, '127.0.0.1')
      await new Promise(resolve => stranger.once('listening', resolve))
      const { port } = stranger.address() as AddressInfo
      try {
        const { stdout } = await rig.dispatch(['doctor'], { env: { WEBUI_PORT: String(port) } })
        assert.match(stdout, new RegExp(`warn +page +port ${port} is in use by another program`))
        assert.match(stdout, process.platform === 'linux' ? /`ss -ltnp 'sport = :\d+'`/ : /`lsof -nP -iTCP:\d+ /)
        assert.ok(stranger.listening)
      } finally {
        stranger.close()
      }
    }))

  it('no program of the repository is asked where its toolchain is', () =>
    withRig(idleScenario, async rig => {
      const top = path.join(rig.home, 'elsewhere')
      const ran = path.join(rig.home, 'ran')
      fs.mkdirSync(path.join(top, 'bin'))
      fs.writeFileSync(path.join(top, 'bin/pyenv'), `#!/bin/sh\ntouch '${ran}'\n`, { mode: 0o755 })
      const commit = 'git init -q && git add . && git -c user.name=x -c user.email=x@y commit -q -m first'
      const setup = await runProgram('/bin/sh', ['-c', commit], { cwd: top })
      assert.equal(setup.exitCode, 0, setup.stderr)
      await rig.dispatch(['doctor'], { env: { PATH: `${top}/bin:${rig.environment['PATH']}` } })
      assert.ok(!fs.existsSync(ran))
    }))

  it('settings of claude that agents do not get are listed, yours and those of the repository', () =>
    withRig(idleScenario, async rig => {
      fs.mkdirSync(path.join(rig.home, 'home/.claude'), { recursive: true })
      fs.writeFileSync(path.join(rig.home, 'home/.claude/settings.json'), '{ "disableAllHooks": true, "hooks": {} }')
      const top = path.join(rig.home, 'elsewhere')
      fs.mkdirSync(path.join(top, '.claude'))
      fs.writeFileSync(path.join(top, '.claude/settings.json'), '{}')
      const commit = 'git init -q && git add . && git -c user.name=x -c user.email=x@y commit -q -m first'
      assert.equal((await runProgram('/bin/sh', ['-c', commit], { cwd: top })).exitCode, 0)
      const ran = await rig.dispatch(['doctor'])
      assert.equal(ran.exitCode, 0, ran.stdout)
      assert.match(
        ran.stdout,
        /ok +left out +agents do not get these settings of\s+\S+settings\.json:\s+disableAllHooks,\s+hooks/,
      )
      assert.match(ran.stdout, /warn +ignored +in \S+: \.claude\/settings\.json/)
    }))
})
