import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPacket, type PacketInput } from '#validator'
import { createEvidenceRecord, createGates, createPacketInput } from '../../fixtures/packet-examples.ts'

test('escapes, control, direction and zero-width characters are removed', () => {
  const report = 'a\u001b[31mred\u001b[0m b\u202ec d\u200be f\u0007g\rh \u{e0041}i'
  const outputTail = '\u001b]0;title\u0007done\u2066'
  const { packet } = buildPacket(
    createPacketInput({
      reports: [{ worker: 'w1', clauses: [], ending: 'reported', report }],
      gates: [
        {
          ...createGates()[0],
          evidence: [createEvidenceRecord({ outputTail, outputBytes: 20 })],
        } as PacketInput['gates'][number],
      ],
    }),
  )
  for (const character of '\u001b\u0007\r\u202e\u200b\u2066\u{e0041}') assert.ok(!packet.includes(character))
  assert.match(packet, /\| ared bc de fg\n\| h i/)
})

test('code and diffs are removed from a report, lists and tables are not', () => {
  const report = [
    'Done:',
    '- one thing',
    '- another thing',
    '',
    '+ plus',
    '',
    '```python',
    'print(1)',
    'print(2)',
    '```',
    '1. ~~~',
    'x',
    '~~~',
    '@@ -1,2 +1,2 @@',
    '-old',
    '+new',
    'Between.',
    '+import os',
    '+import sys',
    '',
    '| a | b |',
  ].join('\n')
  const { packet, withheld } = buildPacket(
    createPacketInput({ reports: [{ worker: 'w1', clauses: [], ending: 'reported', report }] }),
  )
  for (const removed of ['print(', 'import', '-old', '+new']) assert.ok(!packet.includes(removed), removed)
  for (const kept of [
    '- one thing',
    '+ plus',
    'Between.',
    '| a | b |',
    '[code withheld: 2 lines]',
    '[code withheld: 1 line]',
  ])
    assert.ok(packet.includes(kept), kept)
  assert.match(packet, /\[diff withheld: 3 lines\][\s\S]*\[diff withheld: 2 lines\]/)
  assert.equal(withheld, 4)
})

test('code in a fence that never closes is removed to the end', () => {
  const report = 'See:\n```\ncode\nmore code that is not anywhere else'
  const { packet } = buildPacket(
    createPacketInput({ reports: [{ worker: 'w', clauses: [], ending: 'reported', report }] }),
  )
  assert.match(packet, /\[code withheld: 2 lines\]/)
  assert.ok(!packet.includes('more code'))
})
