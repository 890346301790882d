import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeBrokenPins, describeChangedCheckFiles, type WorkDiff } from '#session/contract'

const baseFiles = ['test.sh', 'tests/a.sh', 'app/[id]', 'src/x.ts']
const changesTo = (...paths: string[]): WorkDiff['changes'] =>
  paths.map(entry => {
    const [path = '', change = 'changed'] = entry.split(' ')
    return { path, change: change as 'changed' }
  })

test('a pin breaks when its files change, or when it matches none', () => {
  const table: [pins: string[], work: string[], RegExp | undefined][] = [
    [[], ['test.sh'], undefined],
    [['test.sh', 'tests/**'], ['src/x.ts', 'hello.sh added'], undefined],
    [['test.sh'], ['test.sh'], /^`test\.sh` is pinned, and the work changed it$/],
    [['test.sh'], ['test.sh removed'], /^`test\.sh` is pinned, and the work removed it$/],
    [['tests/**'], ['tests/b.sh added'], /^`tests\/b\.sh` is pinned, and the work added it$/],
    [
      ['tests'],
      ['tests/a.sh', 'tests/b.sh added'],
      /^`tests\/a\.sh`, `tests\/b\.sh` are pinned, and the work changed them$/,
    ],
    [['**'], Array.from({ length: 9 }, (_, at) => `f${at}`), /`f7` and 1 more are pinned/],
    [['app/[id]'], ['app/[id]'], /is pinned, and the work changed it/],
    [['test.sh', 'no.sh'], [], /^`no\.sh` is pinned, but there was no such file before the work$/],
    [['no.sh'], ['no.sh added'], /and the work added it$/],
  ]
  for (const [pins, work, wanted] of table) {
    const broken = describeBrokenPins(pins, { baseFiles, changes: changesTo(...work) })
    if (wanted === undefined) assert.equal(broken, undefined, pins.join())
    else assert.match(broken ?? 'intact', wanted)
  }
})

test('a check that names a changed file gets a note, a new file does not count', () => {
  const describe = (command: string, ...work: string[]) =>
    describeChangedCheckFiles(command, { changes: changesTo(...work) })
  const note = 'by `test.sh`, which the work itself changed'
  for (const command of ['sh test.sh', './test.sh', 'cd . && sh ./test.sh; true', 'sh "test.sh">out', 'F=test.sh x'])
    assert.equal(describe(command, 'test.sh', 'other'), note, command)
  assert.equal(describe('sh test.sh', 'test.sh removed'), note)
  assert.equal(describe('cat a b', 'b', 'a'), 'by `b`, `a`, which the work itself changed')
  for (const command of ['node "app/[id]/x.js"', 'node app/\\[id\\]/x.js', "cat <'./app/[id]/x.js'"])
    assert.match(describe(command, 'app/[id]/x.js') ?? '', /^by `app\/\[id\]\/x\.js`/, command)
  assert.match(describe('sh "app/(group)/t.sh"', 'app/(group)/t.sh') ?? '', /^by `app/)
  for (const work of [[], ['test.sh added'], ['a/test.sh'], ['test']])
    assert.equal(describe('sh test.sh', ...work), undefined)
})

test('a file is named also from the folder that a check changes to, and as a module of Python', () => {
  const describe = (command: string, path: string) => describeChangedCheckFiles(command, { changes: changesTo(path) })
  for (const command of [
    'cd web && sh test.sh',
    "cd 'web/' && sh ./test.sh",
    '(cd web; sh test.sh)',
    'cd ./web && sh test.sh',
  ])
    assert.equal(describe(command, 'web/test.sh'), 'by `web/test.sh`, which the work itself changed', command)
  assert.equal(describe('cd web && sh test.sh', 'api/test.sh'), undefined)
  for (const command of ['python3 -m unittest tests.test_login', 'cd api && python3 -m unittest tests.test_login'])
    assert.match(
      describe(command, command.startsWith('cd') ? 'api/tests/test_login.py' : 'tests/test_login.py') ?? '',
      /^by/,
    )
})
