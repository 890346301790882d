/** A hundred inputs that a hook may find on stdin. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { it } from 'node:test'
import { drainHookInbox, type HookEvent } from '#runner/orchestrator/hook-inbox.ts'
import { createHookFolder, endInput, listInboxFiles, patientHooksFolder, runHook } from '../fixtures/run-hook.ts'

const events = ['SessionStart', 'Stop', 'StopFailure', 'SubagentStop', 'Notification', 'PermissionDenied', 'SessionEnd']
const typical = {
  session_id: 's',
  transcript_path: '/t',
  cwd: '/c',
  hook_event_name: 'UserPromptSubmit',
  prompt: 'Begin.',
}
const whole = JSON.stringify(typical)

/** The bytes, and the event that they name (undefined: none). */
const payloads: [about: string, bytes: string | Buffer, event: string | undefined][] = [
  ['nothing', '', undefined],
  ...[
    ' ',
    '\n',
    '\0',
    'null',
    'true',
    '0',
    '""',
    '[]',
    '{}',
    '{}{}',
    '[{}]',
    '{,}',
    '{:}',
    '\r\n',
    'undefined',
    '{',
    '}',
    '[',
    '"',
    '\\',
    '{"',
    '{"a',
    '{"a"',
    '{"a":',
  ].map(text => [`only ${JSON.stringify(text)}`, text, undefined] as [string, string, undefined]),
  ...Array.from({ length: 30 }, (_, at): [string, string, string | undefined] => {
    const cut = whole.slice(0, Math.round((whole.length * at) / 30))
    return [`cut after ${cut.length}`, cut, cut.includes('UserPromptSubmit"') ? 'UserPromptSubmit' : cutName(cut)]
  }),
  ...events.map((event): [string, string, string] => [
    event,
    JSON.stringify({ ...typical, hook_event_name: event }),
    event,
  ]),
  ['an unknown event', '{"hook_event_name":"Tomorrow","x":{"y":[1]}}', 'Tomorrow'],
  ['an event without a name', '{"session_id":"s"}', undefined],
  ['a name that is not a string', '{"hook_event_name":7}', undefined],
  ['fields of other kinds', '{"hook_event_name":"Stop","session_id":1,"prompt":[],"error":{"a":1}}', 'Stop'],
  ['a byte order mark', `\ufeff${whole}`, 'UserPromptSubmit'],
  ['a comment', `// hi\n${whole}`, 'UserPromptSubmit'],
  ['two in one', whole + whole, 'UserPromptSubmit'],
  ['lines', whole.replaceAll(',', ',\n'), 'UserPromptSubmit'],
  ['a proto', '{"__proto__":{"a":1},"hook_event_name":"Stop"}', 'Stop'],
  [
    'no UTF-8',
    Buffer.concat([Buffer.from('{"hook_event_name":"Stop","x":"'), Buffer.from([0xff, 0xfe, 0xc3]), Buffer.from('"}')]),
    'Stop',
  ],
  ['lone surrogates', '{"hook_event_name":"Stop","x":"\\ud800"}', 'Stop'],
  ['escapes of a terminal', '{"hook_event_name":"Stop","x":"\u001b]0;hi\u0007"}', 'Stop'],
  ['shell', '{"hook_event_name":"Stop","x":"$(touch /tmp/x) `id` ; rm -rf / \'"}', 'Stop'],
  ['random bytes', Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 7919 + (at >> 3)) % 256)), undefined],
  ['ten MiB of one sign', 'x'.repeat(10 * 1024 * 1024), undefined],
  ['a prompt of 1 MiB', JSON.stringify({ ...typical, prompt: 'p"\\\n'.repeat(262_144) }), 'UserPromptSubmit'],
  [
    'a result of 1 MiB in front',
    JSON.stringify({ ...typical, effort: { level: 'x', deep: [{ a: '}"' }] }, prompt: 'q'.repeat(1e6) }),
    'UserPromptSubmit',
  ],
  ['depth', `{"hook_event_name":"Stop","x":${'['.repeat(200_000)}`, undefined],
  [
    'many keys',
    `{"hook_event_name":"Stop",${Array.from({ length: 20_000 }, (_, at) => `"k${at}":${at}`).join(',')}`,
    'Stop',
  ],
  ['a key without an end', `{"hook_event_name":"Stop","${'k'.repeat(100_000)}`, 'Stop'],
  ['64 KiB to the byte', whole.padEnd(65_536), 'UserPromptSubmit'],
  ['one more', whole.padEnd(65_537), 'UserPromptSubmit'],
  ...Array.from({ length: 18 }, (_, at): [string, string, string] => {
    const long = JSON.stringify({
      ...typical,
      effort: { level: 'medium' },
      prompt: `${'é\\"\u2028'.repeat(9000)}${'z'.repeat(at)}`,
    })
    return [`cut at 64 KiB within a sign, ${at}`, long, 'UserPromptSubmit']
  }),
]

it(`${payloads.length} payloads: exit 0, no output, and each event is read back`, async t => {
  assert.ok(payloads.length >= 100, String(payloads.length))
  const folder = createHookFolder(t)
  const inbox = path.join(folder, 'hook-inbox')
  const outside = () => [
    fs.readdirSync(folder),
    fs.readdirSync(os.tmpdir()).filter(name => /^x$|dispatch-hook/.test(name)),
  ]
  const before = outside()
  for (const [about, bytes, event] of payloads) {
    const ended = await runHook(
      '/bin/sh "$DISPATCH_HOOKS/record"',
      { DISPATCH_HOOKS: patientHooksFolder, DISPATCH_HOOK_INBOX: inbox, DISPATCH_WORKER: 's/w' },
      endInput(bytes),
    )
    assert.deepEqual([ended.code, ended.output], [0, ''], about)
    const [name = 'none', ...more] = listInboxFiles(inbox)
    assert.deepEqual(more, [], about)
    const recorded = fs.readFileSync(path.join(inbox, name))
    assert.deepEqual(recorded, Buffer.from(bytes).subarray(0, 65_536), about)
    const hookEvents: HookEvent[] = []
    drainHookInbox(inbox, hookEvent => hookEvents.push(hookEvent))
    assert.deepEqual(
      hookEvents.map(({ hook_event_name, origin }) => [hook_event_name, origin.worker]),
      event === undefined ? [] : [[event, 'w']],
      about,
    )
    assert.deepEqual(fs.readdirSync(inbox), [], about)
  }
  assert.deepEqual(outside(), before)
})

/** A name that was cut is still an event. */
function cutName(cut: string): string | undefined {
  return /"hook_event_name":"(\w*)$/.exec(cut)?.[1]
}
