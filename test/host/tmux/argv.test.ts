import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSessionCommands, buildWindowCommand, encodePaste, joinCommands, parsePanes } from '#host/tmux/argv.ts'

test('lines of panes are parsed, blanks in a window name included', () => {
  assert.deepEqual(parsePanes(''), [])
  const ended = (window: string, exitCode: number | undefined) => ({
    session: 'a',
    window,
    pid: 7,
    isDead: true,
    exitCode,
  })
  assert.deepEqual(parsePanes('a 7 1 2  b\na 7 1  9 b\na 7 1  kill b\na 7 1   b\nc 8 0   d e\n'), [
    ended('b', 2),
    ended('b', 137),
    ended('b', 137),
    ended('b', undefined),
    { session: 'c', window: 'd e', pid: 8, isDead: false, exitCode: undefined },
  ])
})

test('a session opens its first window with it, and the others behind it', () => {
  const windows = ['first', 'second'].map(name => ({ name, command: ['/bin/sh', `./${name}.sh`] }))
  const [first = assert.fail(), ...others] = windows
  const commands = buildSessionCommands('s', [first, ...others], ['PATH', 'HOME'])
  assert.deepEqual(commands.at(0), ['start-server'])
  assert.deepEqual(commands.at(4), ['set-option', '-g', 'update-environment', 'PATH HOME'])
  assert.deepEqual(commands.slice(5, -1), [
    ['new-session', '-d', '-s', 's', '-x', '200', '-y', '50', '-n', 'first', '/bin/sh', './first.sh'],
    ['new-window', '-d', '-t', '=s:', '-n', 'second', '/bin/sh', './second.sh'],
  ])
  assert.deepEqual(commands.at(-1), ['set-option', '-s', 'exit-empty', 'on'], 'the server may end from now on')
})

test('variables of the first window are forgotten before another opens', () => {
  const windows = ['first', 'second'].map(name => ({ name, command: [name] }))
  const [first = assert.fail(), ...others] = windows
  const commands = buildSessionCommands('s', [first, ...others], ['PATH'], ['NPM_TOKEN', 'PATH'])
  assert.deepEqual(commands.slice(4, -1), [
    ['set-option', '-g', 'update-environment', 'PATH NPM_TOKEN'],
    ['new-session', '-d', '-s', 's', '-x', '200', '-y', '50', '-n', 'first', 'first'],
    ['set-environment', '-t', '=s', '-u', 'NPM_TOKEN'],
    ['set-option', '-g', 'update-environment', 'PATH'],
    ['new-window', '-d', '-t', '=s:', '-n', 'second', 'second'],
  ])
})

test('a window is opened with its options before its command', () => {
  assert.deepEqual(buildWindowCommand('s', { name: 'w', command: ['a', '-P'] }, ['-P']), [
    'new-window',
    '-d',
    '-P',
    '-t',
    '=s:',
    '-n',
    'w',
    'a',
    '-P',
  ])
})

test('commands are joined by a semicolon of their own', () => {
  assert.deepEqual(joinCommands([['a', '1'], ['b'], ['c']]), ['a', '1', ';', 'b', ';', 'c'])
  assert.deepEqual(joinCommands([]), [])
})

test('a paste is bracketed, with returns as line breaks and no escapes', () => {
  assert.equal(encodePaste('a\nb\r\nc'), '\u001b[200~a\rb\rc\u001b[201~')
  assert.throws(() => encodePaste('\u001b[201~'), /escape character/)
})
