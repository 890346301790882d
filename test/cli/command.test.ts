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
