import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTranscriptPrompts } from '#host/claude'

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
