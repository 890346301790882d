import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { parseInputLine, parseTranscriptPrompts } from '#host/claude'

/** Screens of the real binary (2.1.329), as `tmux capture-pane -e` gives them. */
const recorded = (name: string) =>
  fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/screens', `${name}.txt`), { encoding: 'utf8' })

describe('the input line on recorded screens', () => {
  it('is empty when nothing was typed, also where claude has put dim words of its own', () => {
    for (const name of ['idle', 'idle-after-paste', 'queued', 'not-logged-in'])
      assert.deepEqual(parseInputLine(recorded(name)), { kind: 'empty' }, name)
  })

  it('holds what somebody typed or pasted and has not sent', () => {
    const text = (name: string) => {
      const prompt = parseInputLine(recorded(name))
      assert.equal(prompt.kind, 'holds', `${name}: ${JSON.stringify(prompt)}`)
      return prompt.kind === 'holds' ? prompt.text : ''
    }
    assert.equal(text('draft'), 'half typed')
    assert.equal(text('slash-menu'), '/')
    assert.match(text('pasted-short'), /^A word from the human:\n {2}line 0\n {2}line 1$/)
    assert.match(text('pasted'), /^\[Pasted text #\d+ \+3 lines\]$/)
  })

  it('is hidden by whatever lies over it, and says by what', () => {
    const why: Record<string, RegExp> = {
      'permission-bash': /^claude asks for a permission: "Do you want to proceed\?"$/,
      'permission-write': /^claude asks for a permission: "Do you want to create w.txt\?"$/,
      trust: /trust the folder/,
      'api-key': /API key/,
      'login-method': /not logged in/,
      agents: /list of claude's sessions/,
      'transcript-view': /detailed transcript/,
      'model-menu': /a menu is open: ".*Esc to cancel"/,
      'config-menu': /a menu is open: ".*Esc to go back"/,
      rewind: /a menu is open/,
      history: /a menu is open/,
      'shell-mode': /shell mode/,
      shortcuts: /shortcuts/,
    }
    for (const [name, expected] of Object.entries(why)) {
      const prompt = parseInputLine(recorded(name))
      assert.equal(prompt.kind, 'hidden', `${name}: ${JSON.stringify(prompt)}`)
      assert.match(prompt.kind === 'hidden' ? prompt.reason : '', expected, name)
    }
  })

  it('nothing at all on the screen is hidden too', () => {
    assert.equal(parseInputLine('').kind, 'hidden')
    assert.equal(parseInputLine('$ ls\n❯ \n').kind, 'hidden')
  })
})

it('a transcript tells of prompts that began a turn, were queued, and were taken up; nothing else is one', () => {
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
    { kind: 'taken' },
    { kind: 'taken' },
  ])
})
