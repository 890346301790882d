import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { findClaude } from '#host/claude'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { idleScenario, openRig, type Rig } from '../../fixtures/rig.ts'

/** What dispatch writes in files of the user's, and how it takes it back: the real door, in a HOME of its own. */

const config = '{"numStartups": 7, "projects": {"/x": {"history": ["“q”"]}}}'
const settings = `{
\t"model": "opus",
\t"hooks": {
\t\t"Stop": [
\t\t\t{ "hooks": [{ "type": "command", "command": "say done" }] }
\t\t]
\t}
}
`

let rig: Rig
/** No key: the user's own login, whose files are in their home. */
const own = { ANTHROPIC_API_KEY: '' }
const place = (name: string) => path.join(rig.home, 'home', name)
const textOf = (name: string) => fs.readFileSync(place(name), 'utf8')

before(async () => {
  rig = await openRig(idleScenario)
})

after(() => rig.close())

function lay(): void {
  fs.rmSync(place('.claude'), { recursive: true, force: true })
  fs.rmSync(path.join(rig.home, 'dispatch/installed.json'), { force: true })
  fs.mkdirSync(place('.claude'))
  fs.writeFileSync(place('.claude/settings.json'), settings, { mode: 0o644 })
  fs.writeFileSync(place('.claude.json'), config, { mode: 0o600 })
}

const isUntouched = () => textOf('.claude.json') === config && textOf('.claude/settings.json') === settings

test('setup says which file it will touch, shows the change, asks, and without a terminal changes nothing', async () => {
  lay()
  const ran = await rig.dispatch(['setup'], { env: own })
  assert.equal(ran.exitCode, 2)
  assert.ok(ran.stdout.includes(`in no other:\n\n  ${place('.claude.json')}\n`), ran.stdout)
  assert.match(
    ran.stdout,
    /^--- .*\.claude\.json\n\+\+\+ .*\.claude\.json\n@@ -1,1 \+1,1 @@\n-.*\n\+.*hasTrustDialogAccepted/m,
  )
  assert.ok(!ran.stdout.includes('settings.json') && !ran.stdout.includes('\u001b'))
  assert.match(ran.stderr, /no terminal to ask at\n.*dispatch setup --yes/)
  assert.ok(isUntouched() && !fs.existsSync(path.join(rig.home, 'dispatch/installed.json')))
})

test('setup --yes writes the one entry, a second time nothing; uninstall gives the bytes back', async () => {
  lay()
  const ran = await rig.dispatch(['setup', '--yes'], { env: own })
  assert.equal(ran.exitCode, 0, ran.stderr)
  const trusted = textOf('.claude.json')
  assert.equal(JSON.parse(trusted).projects[path.join(rig.home, 'dispatch/workspace')].hasTrustDialogAccepted, true)
  assert.equal(textOf('.claude/settings.json'), settings)
  assert.match((await rig.dispatch(['setup', '--yes'], { env: own })).stdout, /already\. Nothing to do/)
  assert.equal(textOf('.claude.json'), trusted)

  const refused = await rig.dispatch(['uninstall'], { env: own })
  assert.equal(refused.exitCode, 2)
  assert.match(refused.stdout, /^-.*hasTrustDialogAccepted/m)
  assert.match(refused.stderr, /dispatch uninstall --yes/)
  assert.equal(textOf('.claude.json'), trusted)
  const back = await rig.dispatch(['uninstall', '--yes'], { env: own })
  assert.equal(back.exitCode, 0, back.stderr)
  assert.ok(isUntouched())
  assert.ok(back.stdout.includes(path.join(rig.home, 'dispatch/workspace')), 'it says where the rest lies')
  assert.match((await rig.dispatch(['uninstall'], { env: own })).stdout, /has changed nothing/)
})

test('with a key in the environment nothing needs to be done; a config that does not read is told with its place', async () => {
  lay()
  assert.match((await rig.dispatch(['setup'])).stdout, /nothing of yours is touched/)
  fs.writeFileSync(place('.claude.json'), '{\n  "a": 1,\n}')
  const ran = await rig.dispatch(['setup', '--yes'], { env: own })
  assert.equal(ran.exitCode, 2)
  assert.ok(ran.stderr.includes(`${place('.claude.json')}:2:9: `), ran.stderr)
  assert.equal(textOf('.claude.json'), '{\n  "a": 1,\n}')
})

test('what claude writes after setup outlives uninstall', async () => {
  lay()
  await rig.dispatch(['setup', '--hooks', '--yes'], { env: own })
  const grown = { ...JSON.parse(textOf('.claude.json')), tipsHistory: { a: 1 } }
  fs.writeFileSync(place('.claude.json'), JSON.stringify(grown, null, 2))
  assert.equal((await rig.dispatch(['uninstall', '--yes'], { env: own })).exitCode, 0)
  assert.deepEqual(JSON.parse(textOf('.claude.json')), { ...JSON.parse(config), tipsHistory: { a: 1 } })
  assert.equal(textOf('.claude/settings.json'), settings)
})

test('a real claude that dispatch did not launch fires the hook, and the watchdog pushes folder and event, once', async t => {
  lay()
  const ntfy = await startNtfyServer('ntfy')
  t.after(() => ntfy.stop())
  const ran = await rig.dispatch(['setup', '--hooks', '--yes'])
  assert.equal(ran.exitCode, 0, ran.stderr)
  assert.equal(textOf('.claude.json'), config, 'a key needs no trust')
  const { hooks } = JSON.parse(textOf('.claude/settings.json'))
  assert.deepEqual([hooks.Stop.length, hooks.Notification.length], [2, 1])
  assert.deepEqual(hooks.Stop[0], JSON.parse(settings).hooks.Stop[0])

  const folder = path.join(rig.home, 'my würk')
  fs.mkdirSync(folder)
  const elsewhere = path.join(rig.home, 'dispatch/external-events')
  const words = ['-p', 'a secret prompt']
  const claude = await runProgram(findClaude(rig.environment['PATH']), words, {
    env: rig.environment,
    cwd: folder,
    timeoutMs: 20_000,
  })
  if (fs.readdirSync(elsewhere).length === 0) t.diagnostic(`claude left nothing: ${claude.stdout} ${claude.stderr}`)
  const say = (said: object, env: Record<string, string> = {}) =>
    runProgram('/bin/sh', ['-c', hooks.Notification[0].hooks[0].command], {
      env: { PATH: '/usr/bin:/bin', ...env },
      input: JSON.stringify({ session_id: 'x', cwd: folder, ...said }),
    })
  const waiting = {
    hook_event_name: 'Notification',
    notification_type: 'permission_prompt',
    message: 'a secret prompt',
  }
  for (const env of [{}, {}, { DISPATCH_SESSION: 'ours' }]) assert.equal((await say(waiting, env)).exitCode, 0)
  await say({ hook_event_name: 'Notification', notification_type: 'auth_success' })
  await say({ hook_event_name: 'Stop', last_assistant_message: 'x'.repeat(200_000), cwd: '/srv/large' })
  await say({ hook_event_name: 'Stop', cwd: '/srv/late' })
  const left = fs.readdirSync(elsewhere)
  const late =
    left.find(name => fs.readFileSync(path.join(elsewhere, name), 'utf8').includes('/srv/late')) ?? assert.fail()
  fs.utimesSync(path.join(elsewhere, late), 1, 1)
  for (const name of left) assert.ok(fs.statSync(path.join(elsewhere, name)).size <= 64 * 1024)

  const watched = await rig.dispatch(['watchdog'], { env: { NTFY_SERVER: ntfy.url } })
  assert.equal(watched.exitCode, 0, watched.stderr)
  const outbox = path.join(rig.home, 'dispatch/outbox/phone/waiting')
  await rig.waitUntil('all is delivered', () => fs.readdirSync(outbox).length === 0)
  assert.deepEqual(ntfy.got.map(({ body }) => body).sort(), [
    'claude in large has finished',
    'claude in my würk has finished',
    'claude in my würk waits for you',
  ])
  assert.ok(!JSON.stringify(ntfy.got).includes('secret prompt'))
  assert.deepEqual(fs.readdirSync(elsewhere), [])

  assert.equal((await rig.dispatch(['uninstall', '--yes'])).exitCode, 0)
  assert.equal(textOf('.claude/settings.json'), settings)
  assert.ok(!fs.existsSync(elsewhere))
  assert.equal(
    (await say(waiting)).exitCode,
    0,
    'a hook that is still known somewhere finds no folder, and leaves nothing',
  )
  assert.ok(!fs.existsSync(elsewhere))
})

test('the hook is silent and quick, whatever it is given and wherever it stands', async () => {
  const hook = path.join(installFolder, 'hooks/external')
  for (const [words, env] of [
    [[], {}],
    [['/nowhere'], {}],
    [[], { HOME: rig.home, DISPATCH_HOME: '/nowhere' }],
    [['/proc/self'], {}],
  ] as const) {
    const ran = await runProgram('/bin/sh', [hook, ...words], { env: { PATH: '/usr/bin:/bin', ...env }, input: '\0\0' })
    assert.deepEqual([ran.exitCode, ran.stdout, ran.stderr], [0, '', ''], JSON.stringify(words))
  }
})

test('F73 uninstall names the sessions that live, and takes nothing of the workspace', async () => {
  lay()
  assert.equal((await rig.dispatch(['setup', '--hooks', '--yes'], { env: own })).exitCode, 0)
  assert.equal((await rig.dispatch(['hang about', '--no-repo'])).exitCode, 0)
  const { id } = rig.readSession()
  const refused = await rig.dispatch(['uninstall'], { env: own })
  assert.equal(refused.exitCode, 2)
  assert.ok(refused.stdout.includes(`Still running: ${id}`), refused.stdout)
  assert.match(textOf('.claude.json'), /hasTrustDialogAccepted/)
  const back = await rig.dispatch(['uninstall', '--yes'], { env: own })
  assert.equal(back.exitCode, 0)
  assert.ok(back.stdout.includes(`Still running: ${id}`), 'with --yes they are named all the same')
  assert.ok(isUntouched())
  assert.ok(fs.existsSync(rig.readSession(id).paths.task))
  await rig.dispatch(['stop', '--all'])
})
