import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTaskFile, type TaskFile } from '#intake'

const priorities = ['critical', 'high', 'default', 'low']
const parse = (text: string | Buffer) => parseTaskFile(Buffer.from(text), priorities)

function read(text: string | Buffer): Omit<TaskFile, 'task'> & { task: string } {
  const parsed = parse(text)
  assert.ok(!('problem' in parsed), 'problem' in parsed ? parsed.problem : '')
  return { ...parsed, task: parsed.task.toString('latin1') }
}

const nothing = { tags: [], after: [] }

test('without a front matter the whole file is the task, byte for byte', () => {
  for (const text of [
    'fix it',
    'fix it\n---\na: b\n---\n',
    '\n\n# A\r\n',
    '--- \x01x\n',
    '----\na\n----\n',
    ' ---\na\n---\n',
  ])
    assert.deepEqual(read(text), { ...nothing, task: text }, JSON.stringify(text))
  assert.equal(read(Buffer.from([0xff, 0xfe, 0x41])).task, '\xff\xfeA')
  assert.equal(read(Buffer.from([0xef, 0xbb, 0xbf, 0x41])).task, '\xef\xbb\xbfA')
})

test('a front matter says how the task is done', () => {
  const text = `---
title: "Fix: the login"   # a comment
priority: high
tags: [docs, api.v2]
model: opus[1m]
after:
  - q-17
  - 2026-11-30-fix-it-b3f9
deadline: 06:30
---

Fix the login.
---
More.
`
  assert.deepEqual(read(text), {
    title: 'Fix: the login',
    priority: 'high',
    tags: ['docs', 'api.v2'],
    model: 'opus[1m]',
    after: ['q-17', '2026-11-30-fix-it-b3f9'],
    deadline: '06:30',
    task: 'Fix the login.\n---\nMore.\n',
  })
  assert.deepEqual(read('---\ntags: docs\nafter: q-1\n---\nx'), { tags: ['docs'], after: ['q-1'], task: 'x' })
})

test('line ends of Windows, a byte order mark, an empty front matter, and one at the end of the file', () => {
  const windows = '\ufeff---\r\npriority: low\r\n---\r\n\r\nfix it\r\n'
  assert.deepEqual(read(windows), { ...nothing, priority: 'low', task: 'fix it\r\n' })
  assert.deepEqual(read('---\n---\nx'), { ...nothing, task: 'x' })
  assert.deepEqual(read('---\n# nothing\n---\nx'), { ...nothing, task: 'x' })
  assert.deepEqual(read('---   \npriority: low\n---\t\nx'), { ...nothing, priority: 'low', task: 'x' })
  const bytes = Buffer.concat([Buffer.from('---\npriority: low\n---\n'), Buffer.from([0xff, 0x80])])
  assert.equal(read(bytes).task, '\xff\x80', 'below it any bytes are taken')
})

const wrong: [name: string, text: string | Buffer, problem: RegExp][] = [
  ['a typo', '---\ntitle: x\npriorty: high\n---\nx', /^line 3: unknown key "priorty"; use title, priority, tags, /],
  ['a word that is no priority', '---\npriority: urgent\n---\nx', /^line 2: priority must be one of critical, high, /],
  ['capital letters', '---\npriority: High\n---\nx', /priority must be one of/],
  ['two faults', '---\nmodel: ""\npriorty: 1\n---\nx', /line 2: model must be the name.*; line 3: unknown key/],
  ['the same key twice', '---\npriority: low\npriority: high\n---\nx', /^line 3: .*unique/],
  ['no YAML', '---\na: [b\n---\nx', /^line \d: /],
  ['a tab', '---\ntags:\n\t- docs\n---\nx', /^line 3: /],
  ['a list', '---\n- a\n---\nx', /must have lines such as/],
  ['a text', '---\nfix it\n---\nx', /must have lines such as/],
  ['a number as title', '---\ntitle: 12\n---\nx', /title must be text/],
  ['a title of two lines', '---\ntitle: "a\\nb"\n---\nx', /title must be one line/],
  ['an empty title', '---\ntitle: " "\n---\nx', /title must not be empty/],
  ['a model that is an option', '---\nmodel: --force\n---\nx', /model must be the name of a model/],
  ['a tag with a blank', '---\ntags: [a b]\n---\nx', /tags must be a word/],
  ['a number as tag', '---\ntags: [1]\n---\nx', /tags must be a word/],
  ['a number as deadline', '---\ndeadline: 630\n---\nx', /deadline must be a time/],
  ['no value', '---\npriority:\n---\nx', /priority must be one of/],
  ['an alias', '---\ntitle: &a x\nmodel: *a\n---\nx', /uses an alias/],
  ['a tag of YAML', '---\ntitle: !!js/function x\n---\nx', /^line 2: /],
  ['no end', '---\ntitle: x\n\nFix it.\n', /^line 1: .* no second `---` ends it/],
  ['no task', '---\ntitle: x\n---\n\n', /no task below the front matter/],
  ['blank lines', ' \n\n', /only blank lines/],
  ['a NUL byte', Buffer.from([0x41, 0x00]), /NUL byte \(at 1\)/],
  [
    'a front matter that is not UTF-8',
    Buffer.from([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0x0a, 0x2d, 0x2d, 0x2d, 0x0a, 0x41]),
    /not UTF-8/,
  ],
  ['a huge file', Buffer.alloc(1024 * 1024 + 1, 'a'), /more than 1048576 bytes/],
  ['a huge front matter', `---\n${'# x\n'.repeat(20_000)}---\nx`, /front matter has more than/],
  ['a prototype', '---\n__proto__: x\n---\nx', /unknown key "__proto__"/],
]

for (const [name, text, problem] of wrong)
  test(`refused: ${name}`, () => {
    const parsed = parse(text)
    assert.ok('problem' in parsed, JSON.stringify(parsed))
    assert.match(parsed.problem, problem)
  })
