import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  agentVariableNames,
  buildCheckEnvironment,
  createConfigReader,
  exportSettings,
  pickVariables,
  readConfig,
  readEnvironmentConfig,
  settingDescriptions,
  settingsSchema,
} from '#host/config'
import { DispatchError } from '#host/error.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Read the settings with this `.env` and this environment. */
function read(t: TestContext, written: string, environment: Record<string, string> = {}) {
  const home = path.join(createScratchFolder(t), 'home')
  fs.mkdirSync(home)
  fs.writeFileSync(path.join(home, '.env'), written)
  return readConfig({ DISPATCH_HOME: home, ...environment })
}

function refusal(act: () => unknown): DispatchError {
  try {
    act()
  } catch (error) {
    if (error instanceof DispatchError) return error
    throw error
  }
  return assert.fail('it was taken')
}

test('without any setting, every default stands', t => {
  const home = path.join(createScratchFolder(t), 'home')
  const { installFolder, ...config } = readConfig({ DISPATCH_HOME: home })
  assert.deepEqual(config, {
    GEMINI_API_KEY: '',
    GOOGLE_GEMINI_BASE_URL: '',
    JUDGE_MODEL: 'gemini-2.5-pro',
    JUDGE_TIMEOUT_SEC: 180,
    ORCHESTRATOR_MODEL: 'opus',
    CODE_MODEL: 'opus',
    RW_MODEL: 'sonnet',
    ROUNDS: 3,
    START_TIMEOUT_SEC: 60,
    WORKER_TIMEOUT_SEC: 3600,
    CHECK_TIMEOUT_SEC: 120,
    CHECK_REPEAT_SEC: 60,
    KEEP_OPEN_SEC: 3600,
    WATCHDOG_TIMEOUT_SEC: 900,
    SANDBOX: 'auto',
    BUDGET_USD: 0,
    WEBUI_PORT: 7777,
    DESKTOP: 'on',
    NTFY_SERVER: 'https://ntfy.sh',
    NTFY_TOPIC: '',
    NTFY_TOKEN: '',
    WEBHOOK_URL: '',
    NOTICE_DETAIL: 'state',
    SUBAGENT_NOTICES: 'off',
    QUIET_HOURS: '',
    home,
    workspace: path.join(home, 'workspace'),
    claudeFolder: path.join(home, 'claude'),
    logsFolder: path.join(home, 'logs'),
  })
  assert.ok(fs.existsSync(path.join(installFolder, 'bin')))
  assert.ok(!fs.existsSync(home), 'reading makes nothing')
})

test('the file is read as a .env is, and the environment wins over it', t => {
  const written =
    '# a comment\nROUNDS=5\nexport CODE_MODEL="haiku"\nRW_MODEL=\'x-y\' # why\nNTFY_TOPIC=6bb2cbf5a1ae4b8ab5dcd1f0c9d3ae47\nWEBUI_PORT=\n'
  const config = read(t, written, { ROUNDS: '7', NTFY_TOPIC: '', JUDGE_MODEL: '' })
  assert.deepEqual(
    [config.ROUNDS, config.CODE_MODEL, config.RW_MODEL, config.NTFY_TOPIC, config.WEBUI_PORT, config.JUDGE_MODEL],
    [7, 'haiku', 'x-y', '', 7777, 'gemini-2.5-pro'],
  )
})

test('every limit holds, on both sides', t => {
  const topicOf64 = '5f44dd2cbe554eb549b6645279e50bcdb31df345053ab16828ab6ca61f601bc8'
  const table: [name: string, fits: string[], not: string[]][] = [
    ['ROUNDS', ['1', '20'], ['0', '21', '-1', '1.5', 'three', 'NaN', 'Infinity']],
    ['WEBUI_PORT', ['0', '65535'], ['-1', '65536', '80a']],
    ['WATCHDOG_TIMEOUT_SEC', ['5', '86400'], ['4', '86401']],
    ['CHECK_TIMEOUT_SEC', ['1', '3600'], ['0', '3601']],
    ['CHECK_REPEAT_SEC', ['0', '3600'], ['-1', '3601']],
    ['DESKTOP', ['on', 'off'], ['yes', 'ON']],
    ['SANDBOX', ['auto', 'required', 'off'], ['on', 'no']],
    ['BUDGET_USD', ['0', '7.5', '20', '0.0015'], ['-1', '1,5', '.5', '1e3', '$5', '1.23456']],
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
  for (const [name, fits, not] of table) {
    for (const value of fits)
      assert.equal(String(read(t, '', { [name]: value })[name as 'ROUNDS']), value, `${name}=${value}`)
    for (const value of not) {
      const error = refusal(() => read(t, '', { [name]: value }))
      assert.ok(
        error.exitCode === 2 && error.message.includes(`environment: ${name}`),
        `${name}=${value}: ${error.message}`,
      )
    }
  }
})

test('all problems are told at once, each with where it stands', t => {
  const error = refusal(() => read(t, 'ROUNDS=99\nDESKTOP=maybe\nROUND=3\n', { WEBUI_PORT: 'x' }))
  assert.equal(error.exitCode, 2)
  const lines = error.message.split('\n').slice(1)
  assert.equal(lines.length, 4, error.message)
  assert.match(error.message, /home\/\.env:1: ROUNDS=99: it must be a whole number from 1 to 20$/m)
  assert.match(error.message, /home\/\.env:2: DESKTOP=maybe: it must be on or off$/m)
  assert.match(error.message, /home\/\.env:3: ROUND is not a setting of ours; did you mean ROUNDS\?$/m)
  assert.match(error.message, /environment: WEBUI_PORT=x: /)
  assert.match(error.remedy, /\.env\.example/)
})

test('a secret is never quoted in a refusal', t => {
  const error = refusal(() =>
    read(t, 'GEMINI_API_KEY=very-secret\nNTFY_TOKEN=also-secret\nNTFY_TOPIC=bad topic secret\nROUNDS=x\n'),
  )
  assert.doesNotMatch(error.message, /secret/)
})

test('names that every object has are no settings of ours, and change nothing', t => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty'])
    assert.match(refusal(() => read(t, `${name}=1\n`)).message, new RegExp(`${name} is not a setting of ours`))
  assert.match(refusal(() => read(t, '__proto__=polluted\n')).message, /__proto__ is not a setting of ours/)
  assert.equal(({} as { polluted?: string }).polluted, undefined)
})

test('a home that is relative, or has a line break in its name, is refused', () => {
  assert.match(refusal(() => readConfig({ HOME: 'relative' })).message, /^HOME must be/)
  for (const home of ['home', './home', '~', '/a\nb', '/a\rb', '/a\0b']) {
    const error = refusal(() => readConfig({ DISPATCH_HOME: home }))
    assert.ok(error.exitCode === 2 && error.message.includes(JSON.stringify(home)), home)
  }
})

test('a home with blanks, quotes and dots is taken as what it is', t => {
  const home = path.join(createScratchFolder(t), 'a "b" \'c\' %#ü')
  assert.equal(readConfig({ DISPATCH_HOME: `${home}/x/..` }).home, home)
  assert.equal(readConfig({ HOME: home }).home, path.join(home, '.claude-dispatch'))
  assert.equal(readConfig({ HOME: home, DISPATCH_HOME: '' }).home, path.join(home, '.claude-dispatch'))
})

test('every setting says what is allowed, and its limits are the ones it says', t => {
  assert.deepEqual(Object.keys(settingDescriptions), Object.keys(settingsSchema.shape))
  for (const [name, words] of Object.entries(settingDescriptions)) {
    const [, least, most] = /from (\d+) to (\d+)/.exec(words) ?? []
    if (least === undefined || most === undefined) continue
    for (const value of [least, most]) read(t, '', { [name]: value })
    for (const value of [Number(least) - 1, Number(most) + 1]) refusal(() => read(t, '', { [name]: String(value) }))
  }
})

test('a process of ours is handed every setting, and reads no file', t => {
  const config = read(t, 'ROUNDS=7\nNTFY_TOKEN=tk\nDESKTOP=off\n')
  fs.writeFileSync(path.join(config.home, '.env'), 'nonsense')
  assert.deepEqual(readEnvironmentConfig({ DISPATCH_HOME: config.home, ...exportSettings(config) }), config)
})

test('a file that changes is read again; one that does not read any more is told once, and the old settings stay', t => {
  const first = read(t, 'ROUNDS=7\n')
  const file = path.join(first.home, '.env')
  const warned: string[] = []
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const config = createConfigReader(first, problem => warned.push(problem), { DISPATCH_HOME: first.home })
  const after = (text: string) => {
    fs.writeFileSync(file, text)
    return later()
  }
  const later = () => {
    t.mock.timers.tick(1001)
    return config().ROUNDS
  }
  assert.equal(config().ROUNDS, 7)
  assert.equal(after('ROUNDS=11\n'), 11)
  assert.deepEqual([after('ROUNDS=many times\n'), later(), later()], [11, 11, 11])
  assert.equal(warned.length, 1)
  assert.match(warned[0] ?? '', /\.env:1: ROUNDS="many times"[\s\S]*from before stay in force/)
  assert.equal(after('ROUNDS=2\n'), 2)
  fs.rmSync(file)
  assert.equal(later(), 3)
})

test('an agent is handed no secret of the judge or the notifier', () => {
  const own = ['GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'NTFY_TOPIC', 'NTFY_TOKEN', 'NTFY_SERVER']
  assert.deepEqual(
    agentVariableNames.filter(name => own.includes(name) || name in settingsSchema.shape),
    [],
  )
})

test('variables are those that are named and set', () => {
  assert.deepEqual(pickVariables(['A', 'B', 'C'], { A: '1', B: '', D: '4' }), { A: '1' })
})

test('a check sees a home of its own and nothing else of the user', () => {
  assert.deepEqual(Object.keys(buildCheckEnvironment('/h')).sort(), ['CI', 'HOME', 'LANG', 'PATH', 'TMPDIR', 'TZ'])
  assert.deepEqual([buildCheckEnvironment('/h')['HOME'], buildCheckEnvironment('/h')['TMPDIR']], ['/h', '/h'])
})
