/** A hundred shapes of a file that is the user's: ours comes in once and goes without a trace, or the file is not touched. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { parseJsonc } from '#host/json.ts'
import { changeUserFile, installEntries, type JsonEntry, listChangedFiles, uninstallEntries } from '#host/user-config'
import { insertEntries, listMissingEntries, removeEntries } from '#host/user-config/json-merge.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const command = "sh '/opt/my dispatch/hooks/elsewhere' /h/elsewhere"
const ours: JsonEntry[] = ['Stop', 'Notification'].map(event => ({
  path: ['hooks', event],
  value: { hooks: [{ type: 'command', command, timeout: 10 }] },
  marker: command,
}))
const trust: JsonEntry[] = [{ path: ['projects', '/h/workspace', 'hasTrustDialogAccepted'], value: true }]

const theirs = '{ "hooks": [{ "type": "command", "command": "say \\"done\\"" }] }'
const pretty = (unit: string, eol = '\n') =>
  JSON.stringify(
    { model: 'opus', env: { A: '1' }, hooks: { Stop: [{ hooks: [{ type: 'command', command: 'x' }] }] }, last: [1, 2] },
    null,
    unit,
  ).replaceAll('\n', eol)

/** What stands in a comment must outlive us, wherever it stands. */
const commented = (comment: string): [string, string][] => [
  ['before everything', `${comment}\n{"a": 1}\n`],
  ['first in the object', `{\n  ${comment}\n  "a": 1\n}\n`],
  ['behind a value', `{\n  "a": 1 ${comment}\n}\n`],
  ['behind a comma', `{\n  "a": 1, ${comment}\n  "b": 2\n}\n`],
  ['last in the object', `{\n  "a": 1\n  ${comment}\n}\n`],
  ['behind everything', `{"a": 1}\n${comment}\n`],
  ['in an empty object', `{\n  ${comment}\n}\n`],
  ['in the hooks', `{\n  "hooks": {\n    ${comment}\n    "Stop": [] ${comment}\n  }\n}\n`],
  [
    'in the list of Stop',
    `{\n  "hooks": {\n    "Stop": [\n      ${theirs} ${comment}\n      ${comment}\n    ]\n  }\n}\n`,
  ],
  [
    'behind a trailing comma',
    `{\n  "hooks": {\n    "Stop": [\n      ${theirs}, ${comment}\n    ], ${comment}\n  },\n}\n`,
  ],
]

const valid: [string, string][] = [
  ['an empty object', '{}'],
  ['an empty object and a line break', '{}\n'],
  ['an empty object over two lines', '{\n}\n'],
  ['an empty file', ''],
  ['only blanks', ' \n\t\n'],
  ['only a byte order mark', '\ufeff'],
  ['2 blanks', pretty('  ')],
  ['4 blanks', pretty('    ')],
  ['1 blank', pretty(' ')],
  ['8 blanks', pretty('        ')],
  ['tabs', pretty('\t')],
  ['no indent', pretty('').replaceAll(',', ',\n')],
  ['one line', JSON.stringify(JSON.parse(pretty('  ')))],
  ['one line with a line break', `${JSON.stringify(JSON.parse(pretty('  ')))}\n`],
  ['CRLF', pretty('  ', '\r\n')],
  ['CRLF and tabs', pretty('\t', '\r\n')],
  ['CRLF at the end', `${pretty('  ', '\r\n')}\r\n`],
  ['line ends of both kinds', '{\r\n  "a": 1,\n  "b": 2\r\n}\n'],
  ['a byte order mark', `\ufeff${pretty('  ')}`],
  ['a byte order mark, CRLF and tabs', `\ufeff${pretty('\t', '\r\n')}`],
  ['a byte order mark before {}', '\ufeff{}'],
  ['no line break at the end', pretty('  ').trimEnd()],
  ['many line breaks at the end', `${pretty('  ')}\n\n\n`],
  ['a trailing comma in the object', '{\n  "a": 1,\n}\n'],
  ['a trailing comma on one line', '{"a":1,}'],
  ['a trailing comma in a list', `{\n  "hooks": {\n    "Stop": [\n      ${theirs},\n    ]\n  }\n}\n`],
  ['trailing commas everywhere', `{\n  "hooks": {\n    "Stop": [\n      ${theirs},\n    ],\n  },\n}\n`],
  ['a comma before its line', '{\n  "a": 1\n  , "b": 2\n}\n'],
  ['a key twice, not ours', '{"a": 1, "a": 2}'],
  ['hooks twice: the last counts', '{\n  "hooks": {},\n  "hooks": { "Stop": [] }\n}\n'],
  ['Stop twice: the last counts', `{"hooks": {"Stop": [${theirs}], "Stop": []}}`],
  ['hooks that are empty', '{ "hooks": {} }'],
  ['hooks that are empty over lines', '{\n  "hooks": {\n  }\n}\n'],
  ['a Stop that is empty', '{ "hooks": { "Stop": [] } }'],
  ['both lists empty', '{\n  "hooks": {\n    "Stop": [],\n    "Notification": []\n  }\n}\n'],
  ['a hook of somebody else', `{\n  "hooks": {\n    "Stop": [${theirs}]\n  }\n}\n`],
  [
    'three hooks of somebody else',
    `{\n  "hooks": {\n    "Stop": [\n      ${theirs},\n      ${theirs},\n      ${theirs}\n    ]\n  }\n}\n`,
  ],
  [
    'a hook with a matcher',
    '{"hooks":{"Notification":[{"matcher":"idle","hooks":[{"type":"command","command":"y"}]}]}}',
  ],
  ['hooks for other events', '{"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[]}],"SessionStart":[]}}'],
  [
    'a hook called elsewhere that is not ours',
    '{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"sh /x/hooks/elsewhere"}]}]}}',
  ],
  ['an entry of the old schema', '{"hooks":{"Stop":[{"type":"command","command":"old"}]}}'],
  ['an old entry that is text', '{"hooks":{"Stop":["old"]}}'],
  ['null and numbers in the list', '{"hooks":{"Stop":[null, 7, [], {}]}}'],
  ['our key as a value', '{"hooks": {"x": "Stop"}, "Stop": "hooks"}'],
  ['our words in a string', `{"a": ${JSON.stringify(`"hooks": {"Stop": [ // { , ${command}`)}}`],
  ['our command in a value elsewhere', `{"a": ${JSON.stringify(command)}}`],
  ['a slash in a key', '{"//": "comment", "/*": 1, "*/": 2}'],
  ['braces in strings', '{"a": "}]{[", "b": "\\"}", "c": "\\\\"}'],
  [
    'umlauts and emoji',
    '{"ä": "ö", "🦀": "👩‍👩‍👧", "hooks": {"Stop": [{"hooks":[{"type":"command","command":"grüße 🚀"}]}]}}',
  ],
  ['escapes', '{"\\u00e4\\n": "\\ud83e\\udd80\\t\\/"}'],
  ['a lone surrogate as an escape', '{"a": "\\ud800"}'],
  ['hooks spelled with escapes', '{"\\u0068ooks": {"Sto\\u0070": []}}'],
  ['numbers as they are written', '{"a": 1.0, "b": 1e+10, "c": -0, "d": 12345678901234567890}'],
  ['a key called __proto__', '{"__proto__": {"x": 1}, "constructor": 1}'],
  ['an empty key', '{"": {"": []}}'],
  ['deep nests', `{"a": ${'['.repeat(200)}${']'.repeat(200)}}`],
  ['wide blanks', '{   "a"   :   1   ,   "b"   :   [   ]   }'],
  ['a line of its own for each sign', '{\n"hooks"\n:\n{\n"Stop"\n:\n[\n]\n}\n}\n'],
  [
    '5 MB on many lines',
    `{\n${Array.from({ length: 70_000 }, (_, index) => `  "key-${index}": "${'x'.repeat(55)}",`).join('\n')}\n  "hooks": {}\n}\n`,
  ],
  ['5 MB on one line', JSON.stringify({ a: 'x'.repeat(5_000_000), hooks: { Stop: [] } })],
  ...commented('// mine: ä, "quoted" {').map(([where, text]): [string, string] => [`a comment ${where}`, text]),
  ...commented('/* mine */').map(([where, text]): [string, string] => [`a block ${where}`, text]),
]

const invalid: [string, string | Buffer, place: string, where?: JsonEntry[]][] = [
  ['null', 'null', '1:1'],
  ['a list', '[]', '1:1'],
  ['a number', '7', '1:1'],
  ['a text', '"x"', '1:1'],
  ['true', 'true', '1:1'],
  ['an open object', '{\n  "a": 1,\n', '3:1'],
  ['an open string', '{"a": "x', '1:7'],
  ['an open comment', '{} /* x', '1:4'],
  ['only a comment', '// x', '1:5'],
  ['no comma', '{"a": 1\n "b": 2}', '2:2'],
  ['single quotes', "{'a': 1}", '1:2'],
  ['a bare key', '{a: 1}', '1:2'],
  ['two objects', '{}\n{}', '2:1'],
  ['a conflict of a merge', '{\n<<<<<<< HEAD\n"a": 1\n}', '2:1'],
  ['NaN', '{"a": NaN}', '1:7'],
  ['NUL bytes', '{"a": 1}\0\0', '1:9'],
  ['a line break in a string', '{"a": "x\ny"}', '1:7'],
  ['hooks that are a list', '{\n  "hooks": []\n}', '2:3'],
  ['hooks that are null', '{"hooks": null}', '1:2'],
  ['hooks that are text', '{"hooks": "x"}', '1:2'],
  ['a Stop that is an object', '{"hooks": {\n "Stop": {}}}', '2:2'],
  ['a Stop that is text', '{"hooks": {"Stop": "x"}}', '1:12'],
  ['UTF-16', Buffer.from('\ufeff{"a": 1}', 'utf16le'), '1:1'],
  ['Latin-1', Buffer.from('{"a":\n "ä"}', 'latin1'), '2:3'],
  ['projects that are a list', '{"projects": []}', '1:2', trust],
  ['a project that is a number', '{"projects": {"/h/workspace": 7}}', '1:15', trust],
]

describe(`${valid.length} shapes that read`, { concurrency: 8 }, () => {
  for (const [name, text] of valid)
    test(name, async t => {
      const { file, journal } = place(t, text)
      const times = text.length < 1_000_000 ? 100 : 10
      for (let time = 0; time < times; time++) await installEntries(journal, file, ours)
      const full = fs.readFileSync(file, 'utf8')
      assert.equal(full.split(JSON.stringify(command)).length - 1, 2 + (text.includes(JSON.stringify(command)) ? 1 : 0))
      assert.deepEqual(parseJsonc(full).problems, [])
      if (isPlain(text))
        assert.doesNotThrow(() => JSON.parse(full.replace('\ufeff', '')), 'plain JSON stays plain JSON')
      assert.ok(isWithin(text.trimEnd(), full), 'every byte of theirs stands there still, in its order')

      const shrunk = removeEntries(full, listMissingEntries(text, ours, file), file)
      assert.equal(
        closed(shrunk),
        closed(text.trim() === '' ? '{}' : text),
        'and without the journal’s copy they stand alone',
      )
      await uninstallEntries(journal, file)
      assert.equal(fs.readFileSync(file, 'utf8'), text)
      assert.deepEqual(fs.readdirSync(path.dirname(file)), ['settings.json'], 'nothing of ours lies about')
    })
})

describe(`${invalid.length} that do not, or are of another shape`, { concurrency: 8 }, () => {
  for (const [name, text, at, what = ours] of invalid)
    test(name, async t => {
      const { file, journal } = place(t, text)
      await assert.rejects(installEntries(journal, file, what), (error: unknown) => {
        assert.ok(error instanceof DispatchError, String(error))
        assert.equal(error.exitCode, 2)
        assert.equal(error.message.slice(0, `${file}:${at}:`.length), `${file}:${at}:`)
        return true
      })
      assert.deepEqual(fs.readFileSync(file), Buffer.from(text))
      assert.deepEqual(fs.readdirSync(path.dirname(file)), ['settings.json'])
      assert.ok(!fs.existsSync(journal))
    })
})

describe('a file is more than its bytes', () => {
  for (const mode of [0o600, 0o644, 0o640, 0o664, 0o444, 0o400])
    test(`mode ${mode.toString(8)} stays`, async t => {
      const { file, journal } = place(t, '{"a":1}')
      fs.chmodSync(file, mode)
      await installEntries(journal, file, ours)
      assert.equal(fs.statSync(file).mode & 0o7777, mode)
      await uninstallEntries(journal, file)
      assert.equal(fs.statSync(file).mode & 0o7777, mode)
    })

  test('a file that is not there is begun for its owner alone, and gone afterwards', async t => {
    const { file, journal } = place(t)
    for (let time = 0; time < 100; time++) await installEntries(journal, file, ours)
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(Object.keys(JSON.parse(fs.readFileSync(file, 'utf8')).hooks), ['Stop', 'Notification'])
    await uninstallEntries(journal, file)
    assert.deepEqual(fs.readdirSync(path.dirname(file)), [])
  })

  test('a file begun by us that others have written since stays, without ours', async t => {
    const { file, journal } = place(t)
    await installEntries(journal, file, trust)
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), numStartups: 1 }, null, 2))
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{\n  "numStartups": 1\n}')
  })

  for (const links of [1, 2, 5])
    test(`F61 ${links === 1 ? 'a link' : `a chain of ${links} links`} stays, and its target is written`, async t => {
      const { file, journal, folder } = place(t)
      fs.mkdirSync(path.join(folder, 'dotfiles'))
      const target = path.join(folder, 'dotfiles/claude.json')
      fs.writeFileSync(target, '{"a": 1}')
      for (let link = 1; link < links; link++)
        fs.symlinkSync(`${link === 1 ? 'claude.json' : link - 1}`, path.join(folder, `dotfiles/${link}`))
      fs.symlinkSync(`../dotfiles/${links === 1 ? 'claude.json' : links - 1}`, file)
      await installEntries(journal, file, ours)
      assert.ok(fs.lstatSync(file).isSymbolicLink() && fs.lstatSync(target).isFile())
      assert.ok(fs.readFileSync(target, 'utf8').includes('elsewhere'))
      await uninstallEntries(journal, file)
      assert.equal(fs.readFileSync(target, 'utf8'), '{"a": 1}')
      assert.ok(fs.lstatSync(file).isSymbolicLink())
      assert.equal(fs.readdirSync(path.join(folder, 'dotfiles')).length, links)
    })

  test('F61 a link to nothing yet: the target is begun, and gone afterwards; the link stays', async t => {
    const { file, journal, folder } = place(t)
    fs.symlinkSync('../new/place.json', file)
    await installEntries(journal, file, ours)
    assert.ok(fs.lstatSync(path.join(folder, 'new/place.json')).isFile())
    await uninstallEntries(journal, file)
    assert.ok(fs.lstatSync(file).isSymbolicLink() && !fs.existsSync(file))
  })

  test('a link to itself, a folder and a FIFO are refused in words', async t => {
    const { file, journal } = place(t)
    const refused = () =>
      assert.rejects(
        installEntries(journal, file, ours),
        (error: unknown) => error instanceof DispatchError && error.exitCode === 2,
      )
    fs.symlinkSync('settings.json', file)
    await refused()
    fs.rmSync(file)
    fs.mkdirSync(file)
    await refused()
  })

  test('the owner stays, where we may give a file away', { skip: process.getuid?.() !== 0 }, async t => {
    const { file, journal } = place(t, '{}')
    fs.chownSync(file, 1234, 4321)
    await installEntries(journal, file, ours)
    assert.deepEqual([fs.statSync(file).uid, fs.statSync(file).gid], [1234, 4321])
  })
})

describe('what others did since stays theirs', () => {
  test('a value they changed, and entries they moved, copied or edited', async t => {
    const { file, journal } = place(t, '{\n  "hooks": {} // mine\n}\n')
    await installEntries(journal, file, ours)
    const [entry] = JSON.parse(JSON.stringify(ours[0]?.value)).hooks
    const edited = {
      hooks: {
        Notification: [
          {
            matcher: '',
            hooks: [
              { ...entry, timeout: 3 },
              { type: 'command', command: 'theirs' },
            ],
          },
        ],
        Stop: [{ hooks: [entry] }, { hooks: [{ ...entry, timeout: 5 }] }],
        Other: [],
      },
    }
    fs.writeFileSync(file, JSON.stringify(edited))
    await uninstallEntries(journal, file)
    assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), {
      hooks: { Notification: [{ matcher: '', hooks: [{ type: 'command', command: 'theirs' }] }], Other: [] },
    })
  })

  test('ours on the last line of a list with a comment above it: the comment does not swallow what follows', () => {
    const [one] = ours
    const text = `{"hooks": {"Stop": [ // mine\n  ${JSON.stringify(one?.value)}, 7] } }`
    const left = removeEntries(text, listMissingEntries('{"hooks": {"Stop": [7]}}', ours, 'x'), 'x')
    assert.equal(left, '{"hooks": {"Stop": [ // mine\n   7] } }')
  })

  test('trust that stood at false comes back as false; trust they took back themselves is not given again', async t => {
    const before = '{"projects": {"/h/workspace": {"hasTrustDialogAccepted": false, "history": ["“q”"]}}}'
    const { file, journal } = place(t, before)
    await installEntries(journal, file, trust)
    assert.equal(fs.readFileSync(file, 'utf8'), before.replace('false', 'true'))
    fs.appendFileSync(file, '\n')
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), `${before}\n`)

    await installEntries(journal, file, trust)
    fs.writeFileSync(file, '{"projects": {"/h/workspace": {"hasTrustDialogAccepted": "no"}}}')
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{"projects": {"/h/workspace": {"hasTrustDialogAccepted": "no"}}}')
  })

  test('what stood there before us is not in the journal, and is not taken', async t => {
    const { file, journal } = place(t, insertEntries('{}', ours, 'x'))
    const before = fs.readFileSync(file, 'utf8')
    await installEntries(journal, file, ours)
    assert.ok(!fs.existsSync(journal))
    assert.equal(fs.readFileSync(file, 'utf8'), before)
  })

  test('an install that moved replaces its hook and leaves one; then the first bytes come back', async t => {
    const { file, journal } = place(t, '{"a": 1}')
    await installEntries(journal, file, ours)
    const moved = ours.map(one => JSON.parse(JSON.stringify(one).replaceAll('my dispatch', 'moved')) as JsonEntry)
    await installEntries(journal, file, moved)
    assert.ok(!fs.readFileSync(file, 'utf8').includes('my dispatch'))
    assert.deepEqual(listChangedFiles(journal), [file])
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{"a": 1}')
  })

  test('added twice with others between: what they wrote comes back, byte for byte', async t => {
    const { file, journal } = place(t, '{\n  "a": 1\n}\n')
    await installEntries(journal, file, ours)
    fs.writeFileSync(file, '{\n  "a": 1,\n  "b": 2 // new\n}\n')
    await installEntries(journal, file, ours)
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{\n  "a": 1,\n  "b": 2 // new\n}\n')
  })
})

describe('the lock and the five tries', () => {
  test('the lock of somebody dead is taken after ten seconds, one that is held is waited for', async t => {
    const { file } = place(t, '{}')
    fs.mkdirSync(`${file}.lock`)
    const old = Date.now() / 1000 - 11
    fs.utimesSync(`${file}.lock`, old, old)
    const began = Date.now()
    await changeUserFile(file, () => Buffer.from('1'))
    assert.ok(Date.now() - began < 2000)

    fs.mkdirSync(`${file}.lock`)
    setTimeout(() => fs.rmdirSync(`${file}.lock`), 400)
    const changed = changeUserFile(file, () => Buffer.from('2'))
    await new Promise(resolve => setTimeout(resolve, 200))
    assert.equal(fs.readFileSync(file, 'utf8'), '1')
    await changed
    assert.equal(fs.readFileSync(file, 'utf8'), '2')
  })

  test('F65 a file that changes under each of five tries is exit 5, and theirs is what stands', async t => {
    const { file, journal, folder } = place(t, '{"n": 0}')
    let looks = 0
    const meddling = (content: Buffer | undefined) => {
      const { n } = JSON.parse(String(content))
      looks++
      fs.writeFileSync(path.join(folder, 'beside'), `{"n": ${n + 1}}`)
      fs.renameSync(path.join(folder, 'beside'), file)
      return Buffer.from('{"mine": 1}')
    }
    await assert.rejects(
      changeUserFile(file, meddling),
      (error: unknown) => error instanceof DispatchError && error.exitCode === 5 && /5 tries/.test(error.message),
    )
    assert.equal(looks, 10, 'each try looks without the lock and again with it')
    assert.equal(fs.readFileSync(file, 'utf8'), '{"n": 10}')
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['settings.json'])
    assert.ok(!fs.existsSync(journal))
  })

  test('what somebody writes over is done anew', async t => {
    const { file } = place(t, '{}')
    setTimeout(() => fs.writeFileSync(file, '{"theirs": 1}'), 100)
    await changeUserFile(file, content => {
      const value = JSON.parse(String(content))
      return value.mine ? content : Buffer.from(JSON.stringify({ ...value, mine: 1 }))
    })
    assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), { theirs: 1, mine: 1 })
  })
})

// --- what the tests above need ---

function place(t: Parameters<typeof createScratchFolder>[0], text?: string | Buffer) {
  const folder = createScratchFolder(t)
  fs.mkdirSync(path.join(folder, 'claude'))
  const file = path.join(folder, 'claude/settings.json')
  if (text !== undefined) fs.writeFileSync(file, text)
  return { folder, file, journal: path.join(folder, 'installed.json') }
}

function isPlain(text: string): boolean {
  try {
    return Boolean(JSON.parse(text.replace('\ufeff', '')))
  } catch {
    return false
  }
}

/** Is `small` what remains of `large` when some of it is left out? */
function isWithin(small: string, large: string): boolean {
  let at = 0
  for (const character of large) if (character === small.slice(at, at + character.length)) at += character.length
  return at === small.length
}

/** What is empty may close up; nothing else may differ. */
const closed = (text: string) => text.replace(/([{[])\s+([}\]])/g, '$1$2').trim()
