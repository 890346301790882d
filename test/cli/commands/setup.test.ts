/** What `dispatch setup` changes in the user's own files, and how `dispatch uninstall` undoes it: with a HOME of its own. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { findClaude } from '#host/claude'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { idleScenario, openRig, type Rig, withPhone } from '../../fixtures/rig.ts'
import { HANG_MS } from '../../fixtures/scratch.ts'

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
/** Without a key, dispatch uses the user's own login, whose files are in their home. */
const ownLogin = { ANTHROPIC_API_KEY: '' }
const resolveInHome = (name: string) => path.join(rig.home, 'home', name)
const readInHome = (name: string) => fs.readFileSync(resolveInHome(name), 'utf8')

before(async () => {
  rig = await openRig(idleScenario, { ...withPhone, RIG_CLAUDE: 'real' })
})

after(() => rig.close())

function resetHome(): void {
  fs.rmSync(resolveInHome('.claude'), { recursive: true, force: true })
  fs.rmSync(path.join(rig.home, 'dispatch/installed.json'), { force: true })
  fs.mkdirSync(resolveInHome('.claude'))
  fs.writeFileSync(resolveInHome('.claude/settings.json'), settings, { mode: 0o644 })
  fs.writeFileSync(resolveInHome('.claude.json'), config, { mode: 0o600 })
}

const isUntouched = () => readInHome('.claude.json') === config && readInHome('.claude/settings.json') === settings

test('setup shows the file and the change, and without a terminal changes nothing', async () => {
  resetHome()
  const result = await rig.dispatch(['setup'], { env: ownLogin })
  assert.equal(result.exitCode, 2)
  assert.ok(result.stdout.includes(`\n\n  ${resolveInHome('.claude.json')}\n`), result.stdout)
  assert.match(
    result.stdout,
    /^--- .*\.claude\.json\n\+\+\+ .*\.claude\.json\n@@ -1,1 \+1,1 @@\n-.*\n\+.*hasTrustDialogAccepted/m,
  )
  assert.ok(!result.stdout.includes('settings.json') && !result.stdout.includes('\u001b'))
  assert.match(result.stderr, /dispatch setup --yes/)
  const more = await rig.dispatch(['setup', '--hooks', '--rules'], { env: ownLogin })
  assert.match(more.stderr, /dispatch setup --hooks --rules --yes/, 'the yes is for all that was asked for')
  assert.ok(isUntouched() && !fs.existsSync(path.join(rig.home, 'dispatch/installed.json')))
})

test('setup --yes writes one entry, and uninstall restores the bytes', async () => {
  resetHome()
  const result = await rig.dispatch(['setup', '--yes'], { env: ownLogin })
  assert.equal(result.exitCode, 0, result.stderr)
  const trusted = readInHome('.claude.json')
  assert.equal(JSON.parse(trusted).projects[path.join(rig.home, 'dispatch/workspace')].hasTrustDialogAccepted, true)
  assert.equal(readInHome('.claude/settings.json'), settings)
  assert.match((await rig.dispatch(['setup', '--yes'], { env: ownLogin })).stdout, /Nothing to do\.\n$/)
  assert.equal(readInHome('.claude.json'), trusted)

  const refused = await rig.dispatch(['uninstall'], { env: ownLogin })
  assert.equal(refused.exitCode, 2)
  assert.match(refused.stdout, /^-.*hasTrustDialogAccepted/m)
  assert.match(refused.stderr, /dispatch uninstall --yes/)
  assert.equal(readInHome('.claude.json'), trusted)
  const undone = await rig.dispatch(['uninstall', '--yes'], { env: ownLogin })
  assert.equal(undone.exitCode, 0, undone.stderr)
  assert.ok(isUntouched())
  assert.ok(undone.stdout.includes(path.join(rig.home, 'dispatch/workspace')), 'it names the folders that stay')
  assert.equal((await rig.dispatch(['uninstall'], { env: ownLogin })).exitCode, 0)
})

test('a key in the environment needs no entry', async () => {
  resetHome()
  assert.match((await rig.dispatch(['setup'])).stdout, /Nothing to do\.\n$/)
})

test('an invalid .claude.json is exit 2 and stays as it is', async () => {
  resetHome()
  fs.writeFileSync(resolveInHome('.claude.json'), '{\n  "a": 1,\n}')
  const result = await rig.dispatch(['setup', '--yes'], { env: ownLogin })
  assert.equal(result.exitCode, 2)
  assert.ok(result.stderr.includes(`${resolveInHome('.claude.json')}:2:9: `), result.stderr)
  assert.equal(readInHome('.claude.json'), '{\n  "a": 1,\n}')
})

test('uninstall keeps what claude wrote after setup', async () => {
  resetHome()
  await rig.dispatch(['setup', '--hooks', '--yes'], { env: ownLogin })
  const grown = { ...JSON.parse(readInHome('.claude.json')), tipsHistory: { a: 1 } }
  fs.writeFileSync(resolveInHome('.claude.json'), JSON.stringify(grown, null, 2))
  assert.equal((await rig.dispatch(['uninstall', '--yes'], { env: ownLogin })).exitCode, 0)
  assert.deepEqual(JSON.parse(readInHome('.claude.json')), { ...JSON.parse(config), tipsHistory: { a: 1 } })
  assert.equal(readInHome('.claude/settings.json'), settings)
})

const importLine = `@${path.join(installFolder, 'CLAUDE.md').replaceAll(' ', '\\ ')}`
const block = `<!-- dispatch rules -->\n${importLine}\n<!-- /dispatch rules -->\n`

test('setup --rules shows the block, and without a terminal changes nothing', async () => {
  resetHome()
  fs.writeFileSync(resolveInHome('.claude/CLAUDE.md'), '# Mine\n')
  const result = await rig.dispatch(['setup', '--rules'])
  assert.equal(result.exitCode, 2)
  assert.match(result.stdout, /^@@ -1,1 \+1,5 @@\n # Mine\n\+\n\+<!-- dispatch rules -->\n\+@.*\n\+<!-- \/dispatch/m)
  assert.equal(readInHome('.claude/CLAUDE.md'), '# Mine\n')
})

test('setup --rules adds one block, and uninstall removes exactly that', async () => {
  resetHome()
  const original = '# Mine\r\nÄ, and no line break at the end'
  fs.writeFileSync(resolveInHome('.claude/CLAUDE.md'), original, { mode: 0o640 })
  assert.equal((await rig.dispatch(['setup', '--rules', '--yes'])).exitCode, 0)
  const grown = readInHome('.claude/CLAUDE.md')
  assert.equal(grown, `${original}\r\n${block.replaceAll('\n', '\r\n')}`)
  assert.equal(fs.statSync(resolveInHome('.claude/CLAUDE.md')).mode & 0o777, 0o640)
  assert.ok(isUntouched())
  assert.match((await rig.dispatch(['setup', '--rules', '--yes'])).stdout, /CLAUDE\.md already has it\.\nNothing to do/)
  assert.equal(readInHome('.claude/CLAUDE.md'), grown)
  assert.equal((await rig.dispatch(['uninstall', '--yes'])).exitCode, 0)
  assert.equal(readInHome('.claude/CLAUDE.md'), original)
})

test('uninstall removes the block from a file that was edited since', async () => {
  resetHome()
  fs.writeFileSync(resolveInHome('.claude/CLAUDE.md'), '# Mine\n')
  await rig.dispatch(['setup', '--rules', '--yes'])
  const edited = readInHome('.claude/CLAUDE.md').replace('Mine', 'Changed')
  fs.writeFileSync(resolveInHome('.claude/CLAUDE.md'), `${edited}Later.\n`)
  await rig.dispatch(['uninstall', '--yes'])
  assert.equal(readInHome('.claude/CLAUDE.md'), '# Changed\nLater.\n')
})

test('setup --rules creates CLAUDE.md, and uninstall removes it', async () => {
  resetHome()
  const folder = path.join(rig.home, 'home/other claude')
  const env = { CLAUDE_CONFIG_DIR: folder }
  assert.equal((await rig.dispatch(['setup', '--rules', '--yes'], { env })).exitCode, 0)
  assert.equal(readInHome('other claude/CLAUDE.md'), block)
  await rig.dispatch(['setup', '--rules', '--yes'])
  assert.equal(readInHome('.claude/CLAUDE.md'), block)
  assert.equal((await rig.dispatch(['uninstall', '--yes'])).exitCode, 0)
  assert.ok(!fs.existsSync(folder))
  assert.deepEqual(fs.readdirSync(resolveInHome('.claude')), ['settings.json'])
})

test('setup --rules follows a link', async () => {
  resetHome()
  fs.writeFileSync(resolveInHome('dotfiles.md'), '# Mine\n')
  fs.symlinkSync('../dotfiles.md', resolveInHome('.claude/CLAUDE.md'))
  await rig.dispatch(['setup', '--rules', '--yes'])
  assert.ok(fs.lstatSync(resolveInHome('.claude/CLAUDE.md')).isSymbolicLink())
  assert.equal(readInHome('dotfiles.md'), `# Mine\n\n${block}`)
  await rig.dispatch(['uninstall', '--yes'])
  assert.equal(readInHome('dotfiles.md'), '# Mine\n')
})

test('a real claude follows the import that setup --rules wrote', async () => {
  resetHome()
  fs.writeFileSync(resolveInHome('.claude/CLAUDE.md'), '# Mine\n')
  await rig.dispatch(['setup', '--rules', '--yes'])
  const [, rule] = /^1\. \*\*(.+?)\*\*/m.exec(fs.readFileSync(path.join(installFolder, 'CLAUDE.md'), 'utf8')) ?? []
  assert.ok(rule)
  const before = rig.models.requests.length
  await runClaude('hello')
  const requests = rig.models.requests.slice(before)
  assert.ok(requests.some(({ body }) => body.includes(rule)))
  await rig.dispatch(['uninstall', '--yes'])
})

/** A claude that dispatch did not start. It is stopped as soon as it has sent its prompt: the model never answers. */
async function runClaude(prompt: string, cwd = path.join(rig.home, 'elsewhere')) {
  return runProgram(findClaude(rig.environment['PATH']), ['-p', prompt], {
    env: rig.environment,
    cwd,
    timeoutMs: HANG_MS,
  })
}

test('the watchdog notifies once for each folder and event of an external claude', async t => {
  resetHome()
  const ntfy = await startNtfyServer('ntfy')
  t.after(() => ntfy.stop())
  const result = await rig.dispatch(['setup', '--hooks', '--yes'])
  assert.equal(result.exitCode, 0, result.stderr)
  assert.equal(readInHome('.claude.json'), config, 'a key needs no trust entry')
  const { hooks } = JSON.parse(readInHome('.claude/settings.json'))
  assert.deepEqual([hooks.Stop.length, hooks.Notification.length], [2, 1])
  assert.deepEqual(hooks.Stop[0], JSON.parse(settings).hooks.Stop[0])

  const folder = path.join(rig.home, 'my würk')
  fs.mkdirSync(folder)
  const inbox = path.join(rig.home, 'dispatch/external-events')
  const claude = await runClaude('a secret prompt', folder)
  if (fs.readdirSync(inbox).length === 0) t.diagnostic(`claude left no event: ${claude.stdout} ${claude.stderr}`)
  const sendEvent = (event: object, env: Record<string, string> = {}) =>
    runProgram('/bin/sh', ['-c', hooks.Notification[0].hooks[0].command], {
      env: { PATH: '/usr/bin:/bin', ...env },
      input: JSON.stringify({ session_id: 'x', cwd: folder, ...event }),
    })
  const waiting = {
    hook_event_name: 'Notification',
    notification_type: 'permission_prompt',
    message: 'a secret prompt',
  }
  for (const env of [{}, {}, { DISPATCH_SESSION: 'x' }]) assert.equal((await sendEvent(waiting, env)).exitCode, 0)
  await sendEvent({ hook_event_name: 'Notification', notification_type: 'auth_success' })
  await sendEvent({ hook_event_name: 'Stop', last_assistant_message: 'x'.repeat(200_000), cwd: '/srv/large' })
  await sendEvent({ hook_event_name: 'Stop', cwd: '/srv/late' })
  const names = fs.readdirSync(inbox)
  const isLate = (name: string) => fs.readFileSync(path.join(inbox, name), 'utf8').includes('/srv/late')
  fs.utimesSync(path.join(inbox, names.find(isLate) ?? assert.fail()), 1, 1)
  for (const name of names) assert.ok(fs.statSync(path.join(inbox, name)).size <= 64 * 1024)

  const watched = await rig.dispatch(['watchdog'], { env: { NTFY_SERVER: ntfy.url } })
  assert.equal(watched.exitCode, 0, watched.stderr)
  const outbox = path.join(rig.home, 'dispatch/outbox/phone/waiting')
  await rig.waitUntil('everything is delivered', () => fs.readdirSync(outbox).length === 0)
  assert.deepEqual(ntfy.got.map(({ body }) => body).sort(), [
    'claude in large has finished',
    'claude in my würk has finished',
    'claude in my würk waits for you',
  ])
  assert.ok(!JSON.stringify(ntfy.got).includes('secret prompt'))
  assert.deepEqual(fs.readdirSync(inbox), [])

  assert.equal((await rig.dispatch(['uninstall', '--yes'])).exitCode, 0)
  assert.equal(readInHome('.claude/settings.json'), settings)
  assert.ok(!fs.existsSync(inbox))
  assert.equal((await sendEvent(waiting)).exitCode, 0)
  assert.ok(!fs.existsSync(inbox), 'a hook that outlives uninstall leaves nothing')
})

test('the external hook is silent for every input and folder', async () => {
  const hook = path.join(installFolder, 'hooks/external')
  for (const [args, env] of [
    [[], {}],
    [['/nowhere'], {}],
    [[], { HOME: rig.home, DISPATCH_HOME: '/nowhere' }],
    [['/proc/self'], {}],
  ] as const) {
    const result = await runProgram('/bin/sh', [hook, ...args], {
      env: { PATH: '/usr/bin:/bin', ...env },
      input: '\0\0',
    })
    assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, '', ''], JSON.stringify(args))
  }
})

test('uninstall names the running sessions, and leaves the workspace alone', async () => {
  resetHome()
  assert.equal((await rig.dispatch(['setup', '--hooks', '--yes'], { env: ownLogin })).exitCode, 0)
  assert.equal((await rig.dispatch(['hang about', '--no-repo'])).exitCode, 0)
  const { id } = rig.readSession()
  const refused = await rig.dispatch(['uninstall'], { env: ownLogin })
  assert.equal(refused.exitCode, 2)
  assert.ok(refused.stdout.includes(`Still running: ${id}`), refused.stdout)
  assert.match(readInHome('.claude.json'), /hasTrustDialogAccepted/)
  const undone = await rig.dispatch(['uninstall', '--yes'], { env: ownLogin })
  assert.equal(undone.exitCode, 0)
  assert.ok(undone.stdout.includes(`Still running: ${id}`), 'with --yes they are named all the same')
  assert.ok(isUntouched())
  assert.ok(fs.existsSync(rig.readSession(id).paths.task))
  await rig.dispatch(['stop', '--all'])
})

test('setup --token keeps a token that sessions use, and uninstall removes it', async () => {
  resetHome()
  const file = path.join(rig.home, 'dispatch/claude-token')
  const refused = await rig.dispatch(['setup', '--token'], { env: ownLogin, input: 'too short\n' })
  assert.equal(refused.exitCode, 2)
  assert.ok(!fs.existsSync(file))
  const token = `sk-ant-oat01-${'x'.repeat(40)}`
  const kept = await rig.dispatch(['setup', '--token'], { env: ownLogin, input: `${token}\n` })
  assert.equal(kept.exitCode, 0, kept.stderr)
  assert.ok(!kept.stdout.includes(token))
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
  const started = await rig.dispatch(['say hello'], { env: ownLogin })
  assert.equal(started.exitCode, 0, started.stdout + started.stderr)
  assert.equal(rig.readSession().manifest.loginKind, 'key')
  assert.ok(isUntouched(), 'no trust entry is needed')
  assert.equal((await rig.dispatch(['stop', '--all'])).exitCode, 0)
  assert.equal((await rig.dispatch(['uninstall'], { env: ownLogin })).exitCode, 2)
  assert.ok(fs.existsSync(file), 'it asks first')
  const removed = await rig.dispatch(['uninstall', '--yes'], { env: ownLogin })
  assert.equal(removed.exitCode, 0, removed.stderr)
  assert.ok(!fs.existsSync(file))
})
