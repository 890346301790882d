import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { agentVariables, checkEnvironment, DispatchError, readConfig, settings, variables } from '../../host/index.ts'
import { scratch } from './scratch.ts'

/** Read the settings with this `.env` and this environment. */
function read(t: TestContext, written: string, environment: Record<string, string> = {}) {
  const home = path.join(scratch(t), 'home')
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
  const home = path.join(scratch(t), 'home')
  const { install, ...config } = readConfig({ DISPATCH_HOME: home })
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
    KEEP_OPEN_SEC: 3600,
    WATCHDOG_TIMEOUT_SEC: 900,
    WEBUI_PORT: 7777,
    DESKTOP: 'on',
    NTFY_SERVER: 'https://ntfy.sh',
    NTFY_TOPIC: '',
    NTFY_TOKEN: '',
    home,
    workspace: path.join(home, 'workspace'),
    claude: path.join(home, 'claude'),
    logs: path.join(home, 'logs'),
  })
  assert.ok(fs.existsSync(path.join(install, 'bin')))
  assert.ok(!fs.existsSync(home), 'reading makes nothing')
})

test('the file is read as a .env is, and the environment wins over it', t => {
  const written =
    '# a comment\nROUNDS=5\nexport CODE_MODEL="haiku"\nRW_MODEL=\'x y\' # why\nNTFY_TOPIC=mine\nWEBUI_PORT=\n'
  const config = read(t, written, { ROUNDS: '7', NTFY_TOPIC: '', JUDGE_MODEL: '' })
  assert.deepEqual(
    [config.ROUNDS, config.CODE_MODEL, config.RW_MODEL, config.NTFY_TOPIC, config.WEBUI_PORT, config.JUDGE_MODEL],
    [7, 'haiku', 'x y', '', 7777, 'gemini-2.5-pro'],
  )
})

test('every limit holds, on both sides', t => {
  const table: [name: string, fits: string[], not: string[]][] = [
    ['ROUNDS', ['1', '20'], ['0', '21', '-1', '1.5', 'three', 'NaN', 'Infinity']],
    ['WEBUI_PORT', ['0', '65535'], ['-1', '65536', '80a']],
    ['WATCHDOG_TIMEOUT_SEC', ['5', '86400'], ['4', '86401']],
    ['CHECK_TIMEOUT_SEC', ['1', '3600'], ['0', '3601']],
    ['DESKTOP', ['on', 'off'], ['yes', 'ON']],
    ['NTFY_TOPIC', ['a-B_9', 'x'.repeat(64)], ['a b', 'a/b', 'ä', 'x'.repeat(65)]],
    ['NTFY_SERVER', ['http://127.0.0.1:8080'], ['ntfy.sh', '/x']],
    ['GOOGLE_GEMINI_BASE_URL', ['http://127.0.0.1:1'], ['localhost']],
  ]
  for (const [name, fits, not] of table) {
    for (const value of fits)
      assert.equal(String(read(t, '', { [name]: value })[name as 'ROUNDS']), value, `${name}=${value}`)
    for (const value of not) {
      const error = refusal(() => read(t, '', { [name]: value }))
      assert.ok(
        error.exit === 2 && error.message.includes(`environment: ${name}: `),
        `${name}=${value}: ${error.message}`,
      )
    }
  }
})

test('all problems are told at once, each with where it stands', t => {
  const error = refusal(() => read(t, 'ROUNDS=99\nDESKTOP=maybe\nROUND=3\n', { WEBUI_PORT: 'x' }))
  assert.equal(error.exit, 2)
  const lines = error.message.split('\n').slice(1)
  assert.equal(lines.length, 4, error.message)
  assert.match(error.message, /home\/\.env: ROUND is not a setting of ours/)
  assert.match(error.message, /home\/\.env: ROUNDS: /)
  assert.match(error.message, /home\/\.env: DESKTOP: /)
  assert.match(error.message, /environment: WEBUI_PORT: /)
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
  read(t, '__proto__=polluted\n')
  assert.equal(({} as { polluted?: string }).polluted, undefined)
})

test('a home that is relative, or has a line break in its name, is refused', () => {
  for (const home of ['home', './home', '~', '/a\nb', '/a\rb', '/a\0b']) {
    const error = refusal(() => readConfig({ DISPATCH_HOME: home }))
    assert.ok(error.exit === 2 && error.message.includes(JSON.stringify(home)), home)
  }
})

test('a home with blanks, quotes and dots is taken as what it is', t => {
  const home = path.join(scratch(t), 'a "b" \'c\' %#ü')
  assert.equal(readConfig({ DISPATCH_HOME: `${home}/x/..` }).home, home)
  assert.equal(readConfig({ HOME: home }).home, path.join(home, '.claude-dispatch'))
  assert.equal(readConfig({ HOME: home, DISPATCH_HOME: '' }).home, path.join(home, '.claude-dispatch'))
})

test('an agent is handed no secret of the judge or the notifier', () => {
  const own = ['GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'NTFY_TOPIC', 'NTFY_TOKEN', 'NTFY_SERVER']
  assert.deepEqual(
    agentVariables.filter(name => own.includes(name) || name in settings.shape),
    [],
  )
})

test('variables are those that are named and set', () => {
  assert.deepEqual(variables(['A', 'B', 'C'], { A: '1', B: '', D: '4' }), { A: '1' })
})

test('a check sees a home of its own and nothing else of the user', () => {
  assert.deepEqual(Object.keys(checkEnvironment('/h')).sort(), ['CI', 'HOME', 'LANG', 'PATH', 'TMPDIR', 'TZ'])
  assert.deepEqual([checkEnvironment('/h')['HOME'], checkEnvironment('/h')['TMPDIR']], ['/h', '/h'])
})
