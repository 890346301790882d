import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Command, type CommandEntry, defineCommand } from '#cli/command.ts'
import { complete } from '#cli/completions/complete.ts'

const entry = (
  name: string,
  argumentUsage: string,
  more: Partial<Parameters<typeof defineCommand>[0]> = {},
): CommandEntry => ({
  name,
  argumentUsage,
  summary: `about ${name}`,
  isEveryday: true,
  load: async (): Promise<Command> => defineCommand({ about: '', run: async () => 0, ...more }),
})

const table = {
  commands: [
    entry('ls', ''),
    entry('logs', '[sid] [who]', { options: { follow: { type: 'boolean', about: 'go on' } } }),
    entry('stop', '[sid…]'),
    entry('apply', '[sid]', {
      options: {
        repo: { type: 'string', value: 'DIR', about: 'into this' },
        branch: { type: 'string', value: 'NAME', about: 'its name' },
        file: { type: 'string', value: 'FILE', about: 'of words' },
      },
    }),
    entry('notify', '[what]', { choices: { what: async () => ['setup', 'test'] } }),
  ],
  task: entry('"task"', '[task…]', { options: { wait: { type: 'boolean', about: 'stay' } } }),
}
const ids = ['2026-11-29-fix-it-cd4e', '2026-11-28-say-hello-ab3d']
const known = {
  ids: () => ids,
  who: (id: string) => (id === ids[0] ? ['orchestrator', 'runner', 'one'] : []),
}

/** The words offered after `dispatch`, for a line whose last word is being typed. */
async function offered(...typed: string[]): Promise<string[] | string> {
  const found = await complete(typed, table, known)
  return typeof found === 'string' ? found : found.map(({ word }) => word)
}

test('the first word is a command, described by its summary', async () => {
  assert.deepEqual(await offered(''), ['ls', 'logs', 'stop', 'apply', 'notify'])
  assert.deepEqual(await complete(['l'], table, known), [
    { word: 'ls', about: 'about ls' },
    { word: 'logs', about: 'about logs' },
  ])
  assert.deepEqual(await offered(), ['ls', 'logs', 'stop', 'apply', 'notify'])
  assert.deepEqual(await offered('x'), [])
})

test('options are those of the command, and of a task where there is no command', async () => {
  assert.deepEqual(await complete(['logs', '--f'], table, known), [{ word: '--follow', about: 'go on' }])
  assert.deepEqual(await offered('apply', '-'), ['--repo', '--branch', '--file', '--help'])
  for (const words of [['-'], ['fix the parser', '-'], ['mend-it', '--']])
    assert.deepEqual(await offered(...words), ['--wait', '--help'])
  assert.deepEqual(await offered('ls', '--'), ['--help'])
})

test('the value of an option is a file, a folder, or anything', async () => {
  assert.equal(await offered('apply', '--repo', 'x'), 'folder')
  assert.equal(await offered('apply', '--file', ''), 'file')
  assert.deepEqual(await offered('apply', '--branch', ''), [])
  assert.equal(await offered('apply', '--repo=x'), 'folder')
  assert.deepEqual(await offered('apply', '--nothing=x'), [])
  assert.equal(await offered('apply', '--repo', '='), 'folder', 'bash splits an option from its value')
  assert.equal(await offered('apply', '--repo', '=', 'x'), 'folder')
})

test('the value of an option is not counted as a word', async () => {
  assert.deepEqual(await offered('apply', '--repo', 'x', ''), ids)
  assert.deepEqual(await offered('apply', '--repo=x', ''), ids)
  assert.deepEqual(await offered('apply', '--repo', '=', 'x', ''), ids)
  assert.deepEqual(await offered('logs', '--follow', ids[0] ?? '', 'o'), ['orchestrator', 'one'])
})

test('ids are found by how they begin, or else by their last letters', async () => {
  assert.deepEqual(await offered('logs', '2026-11-28'), [ids[1]])
  assert.deepEqual(await offered('logs', 'ab'), [ids[1]])
  assert.deepEqual(await offered('logs', 'hello'), [])
})

test('a place is offered once, or again and again', async () => {
  assert.deepEqual(await offered('apply', ids[0] ?? '', ''), [])
  assert.deepEqual(await offered('stop', ids[0] ?? '', 'x', ''), ids)
  assert.deepEqual(await offered('logs', ids[0] ?? '', ''), ['orchestrator', 'runner', 'one'])
  assert.deepEqual(await offered('logs', 'other', ''), [])
  assert.deepEqual(await offered('notify', 't'), ['test'])
  assert.deepEqual(await offered('fix the parser', ''), [])
})

test('after -- nothing is an option', async () => {
  assert.deepEqual(await offered('stop', '--', '-'), [])
  assert.deepEqual(await offered('stop', '--', ''), ids)
  assert.deepEqual(await offered('--', 'ls', '--'), [])
})

test('help takes one command', async () => {
  assert.deepEqual(await offered('help', ''), ['ls', 'logs', 'stop', 'apply', 'notify', 'task'])
  assert.deepEqual(await offered('help', 'ls', ''), [])
})

test('words that name what every object has are words like any other', async () => {
  assert.deepEqual(await offered('apply', '--constructor', ''), ids)
  assert.deepEqual(await offered('apply', '--constructor=', ''), ids)
  assert.deepEqual(await offered('constructor', '--w'), ['--wait'])
})
