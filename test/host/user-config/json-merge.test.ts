/** A hundred settings files: entries are added once and removed without a trace, or the file is not touched. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { parseJsonc } from '#host/json.ts'
import { installEntries, type JsonEntry, uninstallEntries } from '#host/user-config'
import { listMissingEntries, removeEntries } from '#host/user-config/json-merge.ts'
import { command, createUserFile, hookEntries, trustEntries } from '../../fixtures/host/user-file.ts'
import { areAllCasesWanted } from '../../long/select-cases.ts'

const otherHook = '{ "hooks": [{ "type": "command", "command": "say \\"done\\"" }] }'
const format = (indent: string, eol = '\n') =>
  JSON.stringify(
    { model: 'opus', env: { A: '1' }, hooks: { Stop: [{ hooks: [{ type: 'command', command: 'x' }] }] }, last: [1, 2] },
    null,
    indent,
  ).replaceAll('\n', eol)

/** A comment must survive, wherever it is. */
const placeComment = (comment: string): [string, string][] => [
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
    `{\n  "hooks": {\n    "Stop": [\n      ${otherHook} ${comment}\n      ${comment}\n    ]\n  }\n}\n`,
  ],
  [
    'behind a trailing comma',
    `{\n  "hooks": {\n    "Stop": [\n      ${otherHook}, ${comment}\n    ], ${comment}\n  },\n}\n`,
  ],
]

const validFiles: [string, string][] = [
  ['an empty object', '{}'],
  ['an empty object and a line break', '{}\n'],
  ['an empty object over two lines', '{\n}\n'],
  ['an empty file', ''],
  ['only blanks', ' \n\t\n'],
  ['only a byte order mark', '\ufeff'],
  ['2 blanks', format('  ')],
  ['4 blanks', format('    ')],
  ['1 blank', format(' ')],
  ['8 blanks', format('        ')],
  ['tabs', format('\t')],
  ['no indent', format('').replaceAll(',', ',\n')],
  ['one line', JSON.stringify(JSON.parse(format('  ')))],
  ['one line with a line break', `${JSON.stringify(JSON.parse(format('  ')))}\n`],
  ['CRLF', format('  ', '\r\n')],
  ['CRLF and tabs', format('\t', '\r\n')],
  ['CRLF at the end', `${format('  ', '\r\n')}\r\n`],
  ['line ends of both kinds', '{\r\n  "a": 1,\n  "b": 2\r\n}\n'],
  ['a byte order mark', `\ufeff${format('  ')}`],
  ['a byte order mark, CRLF and tabs', `\ufeff${format('\t', '\r\n')}`],
  ['a byte order mark before {}', '\ufeff{}'],
  ['no line break at the end', format('  ').trimEnd()],
  ['many line breaks at the end', `${format('  ')}\n\n\n`],
  ['a trailing comma in the object', '{\n  "a": 1,\n}\n'],
  ['a trailing comma on one line', '{"a":1,}'],
  ['a trailing comma in a list', `{\n  "hooks": {\n    "Stop": [\n      ${otherHook},\n    ]\n  }\n}\n`],
  ['trailing commas everywhere', `{\n  "hooks": {\n    "Stop": [\n      ${otherHook},\n    ],\n  },\n}\n`],
  ['a comma before its line', '{\n  "a": 1\n  , "b": 2\n}\n'],
  ['another key twice', '{"a": 1, "a": 2}'],
  ['hooks twice: the last counts', '{\n  "hooks": {},\n  "hooks": { "Stop": [] }\n}\n'],
  ['Stop twice: the last counts', `{"hooks": {"Stop": [${otherHook}], "Stop": []}}`],
  ['hooks that are empty', '{ "hooks": {} }'],
  ['hooks that are empty over lines', '{\n  "hooks": {\n  }\n}\n'],
  ['a Stop that is empty', '{ "hooks": { "Stop": [] } }'],
  ['both lists empty', '{\n  "hooks": {\n    "Stop": [],\n    "Notification": []\n  }\n}\n'],
  ['a hook of another program', `{\n  "hooks": {\n    "Stop": [${otherHook}]\n  }\n}\n`],
  [
    'three hooks of another program',
    `{\n  "hooks": {\n    "Stop": [\n      ${otherHook},\n      ${otherHook},\n      ${otherHook}\n    ]\n  }\n}\n`,
  ],
  [
    'a hook with a matcher',
    '{"hooks":{"Notification":[{"matcher":"idle","hooks":[{"type":"command","command":"y"}]}]}}',
  ],
  ['hooks for other events', '{"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[]}],"SessionStart":[]}}'],
  [
    'a hook with the same program name',
    '{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"sh /x/hooks/external"}]}]}}',
  ],
  ['an entry of the old schema', '{"hooks":{"Stop":[{"type":"command","command":"old"}]}}'],
  ['an old entry that is text', '{"hooks":{"Stop":["old"]}}'],
  ['null and numbers in the list', '{"hooks":{"Stop":[null, 7, [], {}]}}'],
  ['the key of the entry as a value', '{"hooks": {"x": "Stop"}, "Stop": "hooks"}'],
  ['the text of the entry in a string', `{"a": ${JSON.stringify(`"hooks": {"Stop": [ // { , ${command}`)}}`],
  ['the command in another value', `{"a": ${JSON.stringify(command)}}`],
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
  ['each token on its own line', '{\n"hooks"\n:\n{\n"Stop"\n:\n[\n]\n}\n}\n'],
  [
    '5 MB on many lines',
    `{\n${Array.from({ length: 70_000 }, (_, index) => `  "key-${index}": "${'x'.repeat(55)}",`).join('\n')}\n  "hooks": {}\n}\n`,
  ],
  ['5 MB on one line', JSON.stringify({ a: 'x'.repeat(5_000_000), hooks: { Stop: [] } })],
  ...placeComment('// mine: ä, "quoted" {').map(([where, text]): [string, string] => [`a comment ${where}`, text]),
  ...placeComment('/* mine */').map(([where, text]): [string, string] => [`a block ${where}`, text]),
]

const invalidFiles: [string, string | Buffer, position: string, entries?: JsonEntry[]][] = [
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
  ['projects that are a list', '{"projects": []}', '1:2', trustEntries],
  ['a project that is a number', '{"projects": {"/h/workspace": 7}}', '1:15', trustEntries],
]

describe(`${validFiles.length} valid files get entries once, and lose them without a trace`, {
  concurrency: 8,
}, () => {
  for (const [name, text] of validFiles)
    test(name, async t => {
      const { file, journal } = createUserFile(t, text)
      const runs = text.length > 1_000_000 ? 2 : areAllCasesWanted ? 100 : 5
      for (let run = 0; run < runs; run++) await installEntries(journal, file, hookEntries)
      const installed = fs.readFileSync(file, 'utf8')
      assert.equal(
        installed.split(JSON.stringify(command)).length - 1,
        2 + (text.includes(JSON.stringify(command)) ? 1 : 0),
      )
      assert.deepEqual(parseJsonc(installed).problems, [])
      if (isPlain(text))
        assert.doesNotThrow(() => JSON.parse(installed.replace('\ufeff', '')), 'plain JSON stays plain JSON')
      assert.ok(isSubsequence(text.trimEnd(), installed), 'every original byte is still there, in order')

      const removed = removeEntries(installed, listMissingEntries(text, hookEntries, file), file)
      assert.equal(
        closeEmpty(removed),
        closeEmpty(text.trim() === '' ? '{}' : text),
        'without the bytes in the journal, only empty objects may differ',
      )
      await uninstallEntries(journal, file)
      assert.equal(fs.readFileSync(file, 'utf8'), text)
      assert.deepEqual(fs.readdirSync(path.dirname(file)), ['settings.json'], 'no draft or lock is left')
    })
})

describe(`${invalidFiles.length} invalid files are exit 2 with the position, and stay`, {
  concurrency: 8,
}, () => {
  for (const [name, text, position, entries = hookEntries] of invalidFiles)
    test(name, async t => {
      const { file, journal } = createUserFile(t, text)
      await assert.rejects(installEntries(journal, file, entries), (error: unknown) => {
        assert.ok(error instanceof DispatchError, String(error))
        assert.equal(error.exitCode, 2)
        assert.equal(error.message.slice(0, `${file}:${position}:`.length), `${file}:${position}:`)
        return true
      })
      assert.deepEqual(fs.readFileSync(file), Buffer.from(text))
      assert.deepEqual(fs.readdirSync(path.dirname(file)), ['settings.json'])
      assert.ok(!fs.existsSync(journal))
    })
})

test('a comment before a removed entry does not swallow what follows', () => {
  const [entry] = hookEntries
  const text = `{"hooks": {"Stop": [ // mine\n  ${JSON.stringify(entry?.value)}, 7] } }`
  const removed = removeEntries(text, listMissingEntries('{"hooks": {"Stop": [7]}}', hookEntries, 'x'), 'x')
  assert.equal(removed, '{"hooks": {"Stop": [ // mine\n   7] } }')
})

// --- internal ---

function isPlain(text: string): boolean {
  try {
    return Boolean(JSON.parse(text.replace('\ufeff', '')))
  } catch {
    return false
  }
}

/** Is `small` what remains of `large` when some characters are removed? */
function isSubsequence(small: string, large: string): boolean {
  let offset = 0
  for (const character of large)
    if (character === small.slice(offset, offset + character.length)) offset += character.length
  return offset === small.length
}

/** The text with empty objects and lists written without blanks. */
const closeEmpty = (text: string) => text.replace(/([{[])\s+([}\]])/g, '$1$2').trim()
