import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  agentVariableNames,
  buildCheckEnvironment,
  createConfigReader,
  describeSetting,
  exportSettings,
  installFolder,
  pickVariables,
  readConfig,
  readEnvironmentConfig,
  settingsSchema,
} from '#host/config'
import { settingEffects } from '#host/config/effect.ts'
import { settingNames } from '#host/config/settings.ts'
import { DispatchError } from '#host/error.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Read the settings with this `.env` and this environment. */
function readWith(t: TestContext, envFile: string, environment: Record<string, string> = {}) {
  const home = path.join(createScratchFolder(t), 'home')
  fs.mkdirSync(home)
  fs.writeFileSync(path.join(home, '.env'), envFile)
  return readConfig({ DISPATCH_HOME: home, ...environment })
}

function catchError(act: () => unknown): DispatchError {
  try {
    act()
  } catch (error) {
    if (error instanceof DispatchError) return error
    throw error
  }
  return assert.fail('it was accepted')
}

test('without any setting, every default applies', t => {
  const home = path.join(createScratchFolder(t), 'home')
  const { installFolder, cloneFolder, ...config } = readConfig({ DISPATCH_HOME: home })
  assert.deepEqual(config, {
    GEMINI_API_KEY: '',
    GOOGLE_GEMINI_BASE_URL: '',
    JUDGE_MODEL: 'gemini-3.8-flash',
    JUDGE_TIMEOUT_SEC: 180,
    ORCHESTRATOR_MODEL: 'opus',
    CODE_MODEL: 'opus',
    RW_MODEL: 'sonnet',
    ROUNDS: 3,
    START_TIMEOUT_SEC: 60,
    WORKER_TIMEOUT_SEC: 3600,
    SESSION_TIMEOUT_SEC: 43_200,
    CHECK_TIMEOUT_SEC: 120,
    CHECK_REPEAT_SEC: 60,
    KEEP_OPEN_SEC: 3600,
    WATCHDOG_TIMEOUT_SEC: 900,
    SLEEP_AFTER_SEC: 3600,
    SANDBOX: 'auto',
    BUDGET_USD: 0,
    MAX_SESSIONS: 0,
    MAX_SESSIONS_PROJECT: 3,
    STAGGER_SEC: 10,
    MAX_STARTS_DAY: 100,
    MAX_USD_DAY: 0,
    CAPABILITIES: '',
    TIDY: 'caches',
    KEEP_SESSIONS_DAYS: 30,
    WEBUI_PORT: 7777,
    WEBUI_HOSTS: '',
    DESKTOP: 'on',
    NTFY_SERVER: 'https://ntfy.sh',
    NTFY_TOPIC: '',
    NTFY_TOKEN: '',
    WEBHOOK_URL: '',
    NOTICE_DETAIL: 'state',
    SUBAGENT_NOTICES: 'off',
    QUIET_HOURS: '',
    GITHUB_TOKEN: '',
    GITHUB_API_URL: '',
    GITHUB_APP_ID: '',
    GITHUB_APP_KEY_FILE: '',
    GITHUB_APP_INSTALLATION: '',
    PULL_REQUEST_LABELS: '',
    PULL_REQUEST_REVIEWERS: '',
    home,
    workspace: path.join(home, 'workspace'),
    claudeFolder: path.join(home, 'claude'),
    logsFolder: path.join(home, 'logs'),
  })
  assert.ok(fs.existsSync(path.join(installFolder, 'bin')))
  assert.equal(cloneFolder, installFolder, 'no update')
  assert.ok(!fs.existsSync(home), 'reading creates nothing')
})

test('the file follows the rules of .env, and the environment wins', t => {
  const envFile =
    '# a comment\nROUNDS=5\nexport CODE_MODEL="haiku"\nRW_MODEL=\'x-y\' # why\nNTFY_TOPIC=6bb2cbf5a1ae4b8ab5dcd1f0c9d3ae47\nWEBUI_PORT=\n'
  const config = readWith(t, envFile, { ROUNDS: '7', NTFY_TOPIC: '', JUDGE_MODEL: '' })
  assert.deepEqual(
    [config.ROUNDS, config.CODE_MODEL, config.RW_MODEL, config.NTFY_TOPIC, config.WEBUI_PORT, config.JUDGE_MODEL],
    [7, 'haiku', 'x-y', '', 7777, 'gemini-3.8-flash'],
  )
})

test('each limit is accepted, and the next value beyond it is not', t => {
  const topicOf64 = '5f44dd2cbe554eb549b6645279e50bcdb31df345053ab16828ab6ca61f601bc8'
  const table: [name: string, valid: string[], invalid: string[]][] = [
    ['ROUNDS', ['1', '20'], ['0', '21', '-1', '1.5', 'three', 'NaN', 'Infinity']],
    ['WEBUI_PORT', ['0', '65535'], ['-1', '65536', '80a']],
    ['WATCHDOG_TIMEOUT_SEC', ['5', '86400'], ['4', '86401']],
    ['CHECK_TIMEOUT_SEC', ['1', '3600'], ['0', '3601']],
    ['CHECK_REPEAT_SEC', ['0', '3600'], ['-1', '3601']],
    ['DESKTOP', ['on', 'off'], ['yes', 'ON']],
    ['SANDBOX', ['auto', 'required', 'off'], ['on', 'no']],
    ['BUDGET_USD', ['0', '7.5', '20', '0.0015'], ['-1', '1,5', '.5', '1e3', '$5', '1.23456']],
    ['GITHUB_TOKEN', ['ghp_abc'], ['a b']],
    ['GITHUB_API_URL', ['https://github.example.com/api/v3'], ['github.example.com']],
    ['PULL_REQUEST_REVIEWERS', ['ada', 'ada, corp/web'], ['a b', 'a/b/c']],
    ['QUIET_HOURS', ['22:30-07:00', '00:00-23:59'], ['22:30', '24:00-07:00', '9:00-17:00', '22:30–07:00']],
    ['NOTICE_DETAIL', ['state', 'title', 'full'], ['all', 'none']],
    ['WEBHOOK_URL', ['https://example.com/a'], ['example.com', 'ftp://example.com']],
    [
      'NTFY_TOPIC',
      ['a-B_9f86d081884c7d659a2feaa0c', topicOf64],
      ['a b', 'a/b', 'ä', `${topicOf64}7`, 'dispatch', 'x'.repeat(64)],
    ],
    ['NTFY_SERVER', ['http://127.0.0.1:8080'], ['ntfy.sh', '/x']],
    ['GOOGLE_GEMINI_BASE_URL', ['http://127.0.0.1:1'], ['localhost']],
  ]
  for (const [name, valid, invalid] of table) {
    for (const value of valid)
      assert.equal(String(readWith(t, '', { [name]: value })[name as 'ROUNDS']), value, `${name}=${value}`)
    for (const value of invalid) {
      const error = catchError(() => readWith(t, '', { [name]: value }))
      assert.ok(
        error.exitCode === 2 && error.message.includes(`environment: ${name}`),
        `${name}=${value}: ${error.message}`,
      )
    }
  }
})

test('every problem is reported at once, each with its line', t => {
  const error = catchError(() => readWith(t, 'ROUNDS=99\nDESKTOP=maybe\nROUND=3\n', { WEBUI_PORT: 'x' }))
  assert.equal(error.exitCode, 2)
  const lines = error.message.split('\n').slice(1)
  assert.equal(lines.length, 4, error.message)
  assert.match(error.message, /home\/\.env:1: ROUNDS=99: it must be a whole number from 1 to 20$/m)
  assert.match(error.message, /home\/\.env:2: DESKTOP=maybe: it must be on or off$/m)
  assert.match(error.message, /home\/\.env:3: ROUND is not a setting; did you mean ROUNDS\?$/m)
  assert.match(error.message, /environment: WEBUI_PORT=x: /)
  assert.match(error.remedy, /\.env\.example/)
})

test('an error never quotes a secret', t => {
  const error = catchError(() =>
    readWith(t, 'GEMINI_API_KEY=very-secret\nNTFY_TOKEN=also-secret\nNTFY_TOPIC=bad topic secret\nROUNDS=x\n'),
  )
  assert.doesNotMatch(error.message, /secret/)
})

test('names of Object.prototype are not settings, and change nothing', t => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty'])
    assert.match(catchError(() => readWith(t, `${name}=1\n`)).message, new RegExp(`${name} is not a setting`))
  assert.match(catchError(() => readWith(t, '__proto__=polluted\n')).message, /__proto__ is not a setting/)
  assert.equal(({} as { polluted?: string }).polluted, undefined)
})

test('a home that is relative or has a line break is exit 2', () => {
  assert.match(catchError(() => readConfig({ HOME: 'relative' })).message, /^HOME must be/)
  for (const home of ['home', './home', '~', '/a\nb', '/a\rb', '/a\0b']) {
    const error = catchError(() => readConfig({ DISPATCH_HOME: home }))
    assert.ok(error.exitCode === 2 && error.message.includes(JSON.stringify(home)), home)
  }
})

test('a home with blanks, quotes and dots is used as it is', t => {
  const home = path.join(createScratchFolder(t), 'a "b" \'c\' %#ü')
  assert.equal(readConfig({ DISPATCH_HOME: `${home}/x/..` }).home, home)
  assert.equal(readConfig({ HOME: home }).home, path.join(home, '.claude-dispatch'))
  assert.equal(readConfig({ HOME: home, DISPATCH_HOME: '' }).home, path.join(home, '.claude-dispatch'))
})

test('each setting has a description, and its limits are the described ones', t => {
  for (const name of settingNames) {
    const description = describeSetting(name)
    assert.notEqual(description, '', name)
    const [, min, max] = /from (\d+) to (\d+)/.exec(description) ?? []
    if (min === undefined || max === undefined) continue
    for (const value of [min, max]) readWith(t, '', { [name]: value })
    for (const value of [Number(min) - 1, Number(max) + 1]) catchError(() => readWith(t, '', { [name]: String(value) }))
  }
})

test('a child process gets every setting, and reads no file', t => {
  const config = readWith(t, 'ROUNDS=7\nNTFY_TOKEN=tk\nDESKTOP=off\n')
  fs.writeFileSync(path.join(config.home, '.env'), 'nonsense')
  assert.deepEqual(readEnvironmentConfig({ DISPATCH_HOME: config.home, ...exportSettings(config) }), config)
})

/** The monotonic clock of the process, which the test moves. */
function setClock(t: TestContext): { nowMs: number } {
  const clock = { nowMs: performance.now() }
  t.mock.method(performance, 'now', () => clock.nowMs)
  return clock
}

test('a changed file is read again; an invalid one warns once', t => {
  const initial = readWith(t, 'ROUNDS=7\n')
  const file = path.join(initial.home, '.env')
  const warnings: string[] = []
  const clock = setClock(t)
  const getConfig = createConfigReader(initial, problem => warnings.push(problem), { DISPATCH_HOME: initial.home })
  const readAfterWriting = (text: string) => {
    fs.writeFileSync(file, text)
    return readLater()
  }
  const readLater = () => {
    clock.nowMs += 1001
    return getConfig().ROUNDS
  }
  assert.equal(getConfig().ROUNDS, 7)
  assert.equal(readAfterWriting('ROUNDS=11\n'), 11)
  assert.deepEqual([readAfterWriting('ROUNDS=many times\n'), readLater(), readLater()], [11, 11, 11])
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /\.env:1: ROUNDS="many times"[\s\S]*stay in force/)
  assert.equal(readAfterWriting('ROUNDS=2\n'), 2)
  fs.rmSync(file)
  assert.equal(readLater(), 3)
})

test('what changes before there is a reader counts too', t => {
  const clock = setClock(t)
  const initial = readWith(t, 'ROUNDS=7\n')
  fs.writeFileSync(path.join(initial.home, '.env'), 'ROUNDS=11\n')
  const getConfig = createConfigReader(initial, assert.fail, { DISPATCH_HOME: initial.home })
  clock.nowMs += 1001
  assert.equal(getConfig().ROUNDS, 11)
})

test('a change that counts only after a restart is told once, and any other is not', t => {
  const clock = setClock(t)
  const initial = readWith(t, '')
  const told: string[] = []
  const getConfig = createConfigReader(initial, text => told.push(text), { DISPATCH_HOME: initial.home })
  for (const text of ['ROUNDS=4\n', 'ROUNDS=4\nWEBUI_PORT=7800\n', 'ROUNDS=5\nWEBUI_PORT=7800\n']) {
    fs.writeFileSync(path.join(initial.home, '.env'), text)
    clock.nowMs += 1001
    getConfig()
  }
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /^WEBUI_PORT=7800 is new; it counts when the page starts again/)
})

test('docs/configuration.md says of each setting when a change takes effect', () => {
  const document = fs.readFileSync(path.join(installFolder, 'docs/configuration.md'), 'utf8')
  const [, section = ''] = document.split('## When a change takes effect\n')
  const rows = [...section.matchAll(/^\| (At once|Next session|Restart) +\| (.+?) +\|/gm)]
  const documented = rows.flatMap(([, effect = '', names = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, effect.toLowerCase()]),
  )
  assert.deepEqual(Object.fromEntries(documented), settingEffects)
})

test('an agent inherits no secret of the judge or the notifications', () => {
  const secrets = ['GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'NTFY_TOPIC', 'NTFY_TOKEN', 'NTFY_SERVER']
  assert.deepEqual(
    agentVariableNames.filter(name => secrets.includes(name) || name in settingsSchema.shape),
    [],
  )
})

test('only variables that are named and set are picked', () => {
  assert.deepEqual(pickVariables(['A', 'B', 'C'], { A: '1', B: '', D: '4' }), { A: '1' })
})

test('a check gets its own home, and nothing else of the user', () => {
  assert.deepEqual(Object.keys(buildCheckEnvironment('/h')).sort(), ['CI', 'HOME', 'LANG', 'PATH', 'TMPDIR', 'TZ'])
  const languages = (['linux', 'darwin'] as const).map(platform => buildCheckEnvironment('/h', platform)['LANG'])
  assert.deepEqual(languages, ['C.UTF-8', 'en_US.UTF-8'])
  assert.deepEqual([buildCheckEnvironment('/h')['HOME'], buildCheckEnvironment('/h')['TMPDIR']], ['/h', '/h'])
})
