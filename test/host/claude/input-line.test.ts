import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { parseInputLine } from '#host/claude'

/** Screens of the real binary (2.1.329), captured by `tmux capture-pane -e`. */
const readScreen = (name: string) =>
  fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/screens', `${name}.txt`), { encoding: 'utf8' })

describe('the input line on recorded screens', () => {
  it('is empty when nothing was typed, even where claude shows dim text', () => {
    for (const name of ['idle', 'idle-after-paste', 'queued', 'not-logged-in'])
      assert.deepEqual(parseInputLine(readScreen(name)), { kind: 'empty' }, name)
  })

  it('holds a text that was typed or pasted and not sent', () => {
    const textIn = (name: string) => {
      const input = parseInputLine(readScreen(name))
      assert.equal(input.kind, 'holds', `${name}: ${JSON.stringify(input)}`)
      return input.kind === 'holds' ? input.text : ''
    }
    assert.equal(textIn('draft'), 'half typed')
    assert.equal(textIn('slash-menu'), '/')
    assert.match(textIn('pasted-short'), /^A word from the human:\n {2}line 0\n {2}line 1$/)
    assert.match(textIn('pasted'), /^\[Pasted text #\d+ \+3 lines\]$/)
  })

  it('names what hides it', () => {
    const reasons: Record<string, RegExp> = {
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
    for (const [name, reason] of Object.entries(reasons)) {
      const input = parseInputLine(readScreen(name))
      assert.equal(input.kind, 'hidden', `${name}: ${JSON.stringify(input)}`)
      assert.match(input.kind === 'hidden' ? input.reason : '', reason, name)
    }
  })

  it('is hidden on an empty screen, and in a plain shell', () => {
    assert.equal(parseInputLine('').kind, 'hidden')
    assert.equal(parseInputLine('$ ls\n❯ \n').kind, 'hidden')
  })
})
