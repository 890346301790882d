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
  group: 'Every day',
  load: async (): Promise<Command> => defineCommand({ about: '', run: async () => 0, ...more }),
})

const table = {
  commands: [
    entry('ls', ''),
    entry('logs', '[sid] [who]', {
      options: { follow: { type: 'boolean', about: 'go on' } },
      choices: { sid: () => ['daemon', 'web'] },
    }),
    entry('stop', '[sid…]'),
    entry('apply', '[sid]', {
      options: {
        repo: { type: 'string', value: 'DIR', about: 'into this' },
        branch: { type: 'string', value: 'NAME', about: 'its name' },
        file: { type: 'string', value: 'FILE', about: 'of words' },
      },
    }),
    entry('notify', '[action]', { choices: { action: async () => ['setup', 'test'] } }),
    entry('land', '<sid…>', { choices: { sid: () => ['drop'] } }),
    entry('audit', '[sid|dir]'),
    entry('update', '[tarball]'),
    entry('restore', '<dir>', { options: { into: { type: 'string', value: 'HOME', about: 'there' } } }),
  ],
  task: entry('task', '[task…]', { options: { wait: { type: 'boolean', about: 'stay' } } }),
}
const names = ['ls', 'logs', 'stop', 'apply', 'notify', 'land', 'audit', 'update', 'restore']
const ids = ['2026-11-29-fix-it-cd4e', '2026-11-28-say-hello-ab3d']
const sessions = {
  listIds: () => ids,
  listSpeakers: (id: string) => (id === ids[0] ? ['orchestrator', 'runner', 'one'] : []),
}

/** The words offered after `dispatch`, for a line whose last word is being typed. */
async function offer(...typed: string[]): Promise<string[] | string> {
  const candidates = await complete(typed, table, sessions)
  return typeof candidates === 'string' ? candidates : candidates.map(({ word }) => word)
}

test('the first word is a command, described by its summary', async () => {
  assert.deepEqual(await offer(''), [...names, 'help'])
  assert.deepEqual(await complete(['l'], table, sessions), [
    { word: 'ls', about: 'about ls' },
    { word: 'logs', about: 'about logs' },
    { word: 'land', about: 'about land' },
  ])
  assert.deepEqual(await offer(), [...names, 'help'])
  assert.deepEqual(await offer('x'), [])
})

test('options are those of the command, or else of a task', async () => {
  assert.deepEqual(await complete(['logs', '--f'], table, sessions), [{ word: '--follow', about: 'go on' }])
  assert.deepEqual(await offer('apply', '-'), ['--repo', '--branch', '--file', '--help'])
  for (const words of [['-'], ['fix the parser', '-'], ['fix-it', '--']])
    assert.deepEqual(await offer(...words), ['--wait', '--help'])
  assert.deepEqual(await offer('ls', '--'), ['--help'])
})

test('the value of an option is a file, a folder, or any text', async () => {
  assert.equal(await offer('apply', '--repo', 'x'), 'folder')
  assert.equal(await offer('apply', '--file', ''), 'file')
  assert.deepEqual(await offer('apply', '--branch', ''), [])
  assert.equal(await offer('apply', '--repo=x'), 'folder')
  assert.deepEqual(await offer('apply', '--nothing=x'), [])
  assert.equal(await offer('apply', '--repo', '='), 'folder', 'bash splits an option from its value')
  assert.equal(await offer('apply', '--repo', '=', 'x'), 'folder')
})

test('the value of an option does not count as an argument', async () => {
  assert.deepEqual(await offer('apply', '--repo', 'x', ''), ids)
  assert.deepEqual(await offer('apply', '--repo=x', ''), ids)
  assert.deepEqual(await offer('apply', '--repo', '=', 'x', ''), ids)
  assert.deepEqual(await offer('logs', '--follow', ids[0] ?? '', 'o'), ['orchestrator', 'one'])
})

test('an id is found by its beginning, or else by its last letters', async () => {
  assert.deepEqual(await offer('logs', '2026-11-28'), [ids[1]])
  assert.deepEqual(await offer('logs', 'ab'), [ids[1]])
  assert.deepEqual(await offer('logs', 'hello'), [])
})

test('an argument is offered once, a repeated one every time', async () => {
  assert.deepEqual(await offer('apply', ids[0] ?? '', ''), [])
  assert.deepEqual(await offer('stop', ids[0] ?? '', 'x', ''), ids)
  assert.deepEqual(await offer('logs', ids[0] ?? '', ''), ['orchestrator', 'runner', 'one'])
  assert.deepEqual(await offer('logs', 'other', ''), [])
  assert.deepEqual(await offer('notify', 't'), ['test'])
  assert.deepEqual(await offer('fix the parser', ''), [])
})

test('what can be typed in place of an id is offered with the ids, once', async () => {
  assert.deepEqual(await offer('logs', ''), ['daemon', 'web', ...ids])
  assert.deepEqual(await offer('logs', 'd'), ['daemon'])
  assert.deepEqual(await offer('land', ''), ['drop', ...ids])
  assert.deepEqual(await offer('land', 'drop', ''), ids)
})

test('an argument may be a folder or a file', async () => {
  assert.equal(await offer('restore', ''), 'folder')
  assert.equal(await offer('restore', '--into', ''), 'folder')
  assert.equal(await offer('update', ''), 'file')
  assert.deepEqual(await offer('audit', '2026-11-28'), [ids[1]])
  assert.equal(await offer('audit', './copy'), 'folder')
  assert.equal(await offer('audit', 'cop'), 'folder')
})

test('nothing after -- is an option', async () => {
  assert.deepEqual(await offer('stop', '--', '-'), [])
  assert.deepEqual(await offer('stop', '--', ''), ids)
  assert.deepEqual(await offer('--', 'ls', '--'), [])
})

test('help takes one command', async () => {
  assert.deepEqual(await offer('help', ''), [...names, 'task'])
  assert.deepEqual(await offer('help', 'ls', ''), [])
})

test('a word such as "constructor" is a word like any other', async () => {
  assert.deepEqual(await offer('apply', '--constructor', ''), ids)
  assert.deepEqual(await offer('apply', '--constructor=', ''), ids)
  assert.deepEqual(await offer('constructor', '--w'), ['--wait'])
})
