import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasEndedTurn, parseTranscriptPrompts } from '#host/claude'

test('a transcript lists prompts that began, were queued, or left the queue', () => {
  const lines = [
    { type: 'user', message: { role: 'user', content: 'Begin.' }, promptSource: 'typed' },
    { type: 'user', message: { role: 'user', content: 'Stop hook feedback:\nGo on.' }, isMeta: true },
    { type: 'user', message: { role: 'user', content: [{ type: 'tool_result', content: 'Begin.' }] } },
    { type: 'assistant', message: { role: 'assistant', content: [{ type: 'text', text: 'Begin.' }] } },
    { type: 'queue-operation', operation: 'enqueue', content: 'and this' },
    { type: 'queue-operation', operation: 'remove', content: 'and this', reason: 'absorbed_mid_turn' },
    { type: 'queue-operation', operation: 'dequeue' },
  ]
  const text = `${lines.map(line => JSON.stringify(line)).join('\n')}\n{"type":"user","mess`
  assert.deepEqual(parseTranscriptPrompts(text), [
    { kind: 'began', text: 'Begin.' },
    { kind: 'queued', text: 'and this' },
    { kind: 'dequeued' },
    { kind: 'dequeued' },
  ])
})

test('a turn has ended with words, and not while a tool may follow or run', () => {
  const part = (stop_reason: string | null | undefined, ...kinds: string[]) => ({
    type: 'assistant',
    message: { role: 'assistant', stop_reason, content: kinds.map(type => ({ type })) },
  })
  const asked = { type: 'user', message: { role: 'user', content: 'Begin.' } }
  const hasEnded = (...entries: object[]) => hasEndedTurn(entries.map(entry => JSON.stringify(entry)).join('\n'))
  // As claude 2.1.329 writes one message with thoughts, words and a tool.
  const parts = ['thinking', 'text', 'tool_use'].map(kind => part('tool_use', kind))
  for (const count of [1, 2, 3]) assert.equal(hasEnded(asked, ...parts.slice(0, count)), false, `${count} parts`)
  assert.equal(hasEnded(asked, part('end_turn', 'thinking'), part('end_turn', 'text')), true)
  assert.equal(hasEnded(asked, part('end_turn', 'text'), { type: 'last-prompt' }), true)
  assert.equal(hasEnded(part('end_turn', 'text'), asked), false)
  assert.equal(hasEnded(part('pause_turn', 'text')), false)
  for (const unknown of [null, undefined]) {
    assert.equal(hasEnded(asked, part(unknown, 'thinking')), false, 'it may still write the call of a tool')
    assert.equal(hasEnded(asked, part(unknown, 'text', 'tool_use')), false)
    assert.equal(hasEnded(asked, part(unknown, 'text')), true)
  }
})
