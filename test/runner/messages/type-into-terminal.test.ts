import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InputLine } from '#host/claude'
import { frameMessage, type Keyboard, matchDelivery, typeMessage } from '#runner/messages/type-into-terminal.ts'

const empty: InputLine = { kind: 'empty' }
const menu: InputLine = { kind: 'hidden', reason: 'a menu is open' }
const draft: InputLine = { kind: 'holds', text: 'half a thought' }

/**
 * A terminal whose input line has these states in turn, the last one for ever. A message arrives after `enters` presses of Enter.
 * `actions` lists what was done.
 */
function createTerminal(inputLines: (InputLine | undefined)[], enters = 1) {
  const actions: string[] = []
  let clockMs = 0
  let pasted: string | undefined
  const countEnters = () => actions.filter(action => action === 'Enter').length
  const keyboard: Keyboard = {
    async readInputLine() {
      if (pasted !== undefined && inputLines.length <= 1) return { kind: 'holds', text: pasted }
      return inputLines.length > 1 ? inputLines.shift() : inputLines[0]
    },
    async paste(text) {
      actions.push('paste')
      pasted = text
    },
    async pressEnter() {
      actions.push('Enter')
    },
    getTranscriptEnd: () => 7,
    findDelivery: () => (countEnters() >= enters ? { mode: 'began a turn', isUnchanged: true } : undefined),
    async pause(milliseconds) {
      clockMs += milliseconds
    },
    now: () => clockMs,
  }
  const request = {
    text: frameMessage('hello', 'x-12345678'),
    deadlineMs: 5000,
    pasteOffset: undefined,
    recordPaste: () => actions.push('record'),
  }
  return { actions, keyboard, request }
}

describe('a message for the orchestrator', () => {
  it('is recorded, pasted once, and sent with Enter as often as needed', async () => {
    for (const enters of [1, 3]) {
      const { actions, keyboard, request } = createTerminal([empty], enters)
      assert.deepEqual(await typeMessage(keyboard, request), { ok: true, mode: 'began a turn', isUnchanged: true })
      assert.deepEqual(actions, ['record', 'paste', ...Array(enters).fill('Enter')])
    }
  })

  it('is not typed before a dialog closes and a draft is gone', async () => {
    const { actions, keyboard, request } = createTerminal([menu, menu, draft, empty])
    assert.ok((await typeMessage(keyboard, request)).ok)
    assert.deepEqual(actions.slice(0, 2), ['record', 'paste'])
    for (const [inputLine, reason] of [
      [menu, 'timed out: a menu is open'],
      [draft, 'timed out: its input line contains text that was not sent'],
    ] as const) {
      const blocked = createTerminal([inputLine])
      assert.deepEqual(await typeMessage(blocked.keyboard, blocked.request), { ok: false, exitCode: 124, reason })
      assert.deepEqual(blocked.actions, [])
    }
  })

  it('gets no Enter while a dialog covers it, and its fate is unknown', async () => {
    const { actions, keyboard, request } = createTerminal([empty, menu, menu])
    const { readInputLine } = keyboard
    const typed = await typeMessage(
      { ...keyboard, readInputLine: async () => (actions.includes('paste') ? menu : readInputLine()) },
      request,
    )
    assert.ok(!typed.ok && /^unknown: /.test(typed.reason))
    assert.deepEqual(actions, ['record', 'paste'])
  })

  it('is refused at once if the terminal is gone', async () => {
    const { actions, keyboard, request } = createTerminal([undefined])
    assert.deepEqual(await typeMessage(keyboard, request), {
      ok: false,
      exitCode: 5,
      reason: 'the orchestrator is gone',
    })
    assert.deepEqual(actions, [])
  })

  it('that an earlier runner pasted is sent if it is still there, never pasted again', async () => {
    const pasted = createTerminal([{ kind: 'holds', text: '[Pasted text #3 +9 lines]' }])
    assert.ok((await typeMessage(pasted.keyboard, { ...pasted.request, pasteOffset: 3 })).ok)
    assert.deepEqual(pasted.actions, ['Enter'])
    const lost = createTerminal([empty])
    const typed = await typeMessage(lost.keyboard, { ...lost.request, pasteOffset: 3 })
    assert.ok(!typed.ok && typed.exitCode === 124)
    assert.deepEqual(lost.actions, [])
    const foreign = createTerminal([draft])
    await typeMessage(foreign.keyboard, { ...foreign.request, pasteOffset: 3 })
    assert.deepEqual(foreign.actions, [], 'another person’s draft was sent')
  })
})

it('a prompt is recognized by its last line, and compared without claude’s changes', () => {
  const text = frameMessage('/help é\n\ttabs\u200b and </pasted_content>\n- four', '1-2-deadbeef')
  const prompt =
    '\n\n<pasted_content id="c1ab">\nA message from the human:\n/help é\n    tabs and <\\/pasted_content>\n- four\n(end of message deadbeef)\n</pasted_content id="c1ab">\n'
  assert.deepEqual(matchDelivery(text, prompt), { isUnchanged: true })
  assert.deepEqual(matchDelivery(text, prompt.replace('four', 'for')), { isUnchanged: false })
  assert.equal(matchDelivery(text, prompt.replace('deadbeef', 'deadbee0')), undefined)
  assert.equal(matchDelivery(text, 'A message from the human:\n/help'), undefined)
})
