import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asksForHelp, type CommandEntry, defineCommand, parseArgumentUsage, runCommand } from '#cli/command.ts'
import { commandTable } from '#cli/commands/index.ts'
import { exitCodes } from '#host/error.ts'

let received: unknown[] = []

const createEntry = (argumentUsage: string): CommandEntry => ({
  name: 'example',
  argumentUsage,
  summary: '',
  group: 'Every day',
  load: async () =>
    defineCommand({
      about: '',
      options: {
        json: { type: 'boolean', about: '' },
        host: { type: 'string', multiple: true, value: 'HOST', about: '' },
      },
      async run(values, args) {
        received = [{ ...values }, args]
        return 7
      },
    }),
})

test('run gets the options and arguments, and its exit code is returned', async () => {
  const argv = ['a', '--host', 'one', '--json', '--host=two', '--', '--json']
  assert.equal(await runCommand(createEntry('<sid> [task…]'), argv), 7)
  assert.deepEqual(received, [{ json: true, host: ['one', 'two'] }, ['a', '--json']])
})

test('a wrong command line is exit 2, and names the argument', async () => {
  const wrong: [usage: string, argv: string[], message: RegExp][] = [
    ['', ['x'], /^unexpected argument "x"$/],
    ['[sid]', ['a', 'b'], /^unexpected argument "b"$/],
    ['<sid> [task…]', [], /^missing argument <sid>$/],
    ['', ['--nope'], /^Unknown option '--nope'$/],
    ['', ['--host'], /--host/],
  ]
  for (const [usage, argv, message] of wrong)
    await assert.rejects(runCommand(createEntry(usage), argv), {
      name: 'DispatchError',
      exitCode: exitCodes.usage,
      message,
      remedy: 'See `dispatch example --help`.',
    })
})

test('each option of a command with several forms belongs to one', async () => {
  for (const { name, load } of commandTable.commands) {
    const { forms, options = {} } = await load()
    if (forms === undefined) continue
    const taken = Object.values(forms.options).flat()
    assert.deepEqual(
      Object.keys(options).filter(option => !options[option]?.isInternal && !taken.includes(option)),
      [],
      name,
    )
  }
})

const refused: string[] = [
  ...['queue --priority high', 'queue ls q-17', 'queue rm q-17 --first', 'queue jump'],
  ...['issues --label bug', 'issues watch --all', 'issues ls 42', 'notify setup --json'],
  ...['projects set api --name x', 'projects set api --prefix x', 'projects rm api --land squash', 'projects ls api'],
  ...['backup dir --verify --keep 3', 'backup dir --verify --with-secrets', 'backup dir --at 2026'],
  ...['setup --token --hooks', 'setup --token --rules', 'setup --token --yes'],
  ...['rm --applied --force', 'rm 3f2a --yes', 'rm --older 3d 3f2a', 'rm --applied 3f2a', 'stop 3f2a --all'],
  ...['land ls 3f2a', 'land pause 3f2a', 'land unpause 3f2a', 'land run queue 3f2a'],
  ...['split 42 --accept --model opus', 'split 42 --accept --sandbox off', 'split 42 --yes'],
  ...['logs daemon --follow', 'logs daemon runner', 'logs web --follow', 'matrix --html --json'],
  ...['service install --json', 'service restart --json', 'service uninstall --json', 'service logs --json'],
  ...['prepare --json', 'prepare --list --repo .', 'prepare --prune --repo .'],
  ...['issue 42 --now --at 06:30', 'issue 42 --now --after q-1', 'issue 42 --now --priority high'],
  ...['issue 42 --now --needs gpu', 'issue 42 --now --tag docs', 'issue 42 --wait', 'issue 42 --release --now'],
]
test('what a form of a command would ignore is exit 2', async () => {
  for (const line of refused) {
    const [name, ...argv] = line.split(' ')
    const entry = commandTable.commands.find(command => command.name === name) ?? assert.fail(line)
    const { forms, options = {} } = await entry.load()
    // What is not refused must not run here.
    const load = async () => defineCommand({ about: '', options, ...(forms && { forms }), run: async () => 0 })
    await assert.rejects(runCommand({ ...entry, load }, argv), { exitCode: exitCodes.usage }, line)
  }
})

test('--help and -h ask for help, but not after --', () => {
  assert.ok(asksForHelp(['a', '--help']) && asksForHelp(['-h']))
  assert.ok(!asksForHelp(['a', '--', '--help']) && !asksForHelp(['help']))
})

test('a usage that a command words itself begins with its name', async () => {
  for (const { name, load } of commandTable.commands) {
    const { usage } = await load()
    assert.ok(usage === undefined || usage.startsWith(`${name} `), `${name}: ${usage}`)
  }
})

test('the usage says which arguments are optional and which repeat', () => {
  assert.deepEqual(parseArgumentUsage('<sid> [who] [task…]'), [
    { name: 'sid', isOptional: false, repeats: false },
    { name: 'who', isOptional: true, repeats: false },
    { name: 'task', isOptional: true, repeats: true },
  ])
})

test('what a help does not wrap fits into 80 columns, and so does the column of commands', async () => {
  for (const { name, argumentUsage, load } of commandTable.commands) {
    const { about, usage = '' } = await load()
    const fixed = about.split('\n\n').filter(paragraph => /^ /m.test(paragraph))
    for (const line of [...fixed, `usage: dispatch ${usage}`].join('\n').split('\n'))
      assert.ok([...line].length <= 80, `${name}: ${line}`)
    assert.ok(`${name} ${argumentUsage}`.trim().length <= 22, `${name} ${argumentUsage}`)
  }
})
