import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import type { InputLine } from '#host/claude'
import {
  getMessageFile,
  listPendingMessages,
  readMessageReply,
  recordPaste,
  storeMessage,
  withdrawMessage,
  writeMessageReply,
} from '#runner/messages/store.ts'
import { frameMessage, type Keyboard, matchDelivery, typeMessage } from '#runner/messages/type-into-terminal.ts'
import type { Session } from '#session'
import { resolveSessionPaths } from '#session/paths.ts'

const empty: InputLine = { kind: 'empty' }
const menu: InputLine = { kind: 'hidden', reason: 'a menu is open' }
const draft: InputLine = { kind: 'holds', text: 'half a thought' }

/** A terminal whose input line stands at each of these in turn (the last for ever), and that shows a word after so many Enters. */
function terminal(prompts: (InputLine | undefined)[], enters = 1) {
  const did: string[] = []
  let clock = 0
  let pasted: string | undefined
  const count = (what: string) => did.filter(each => each === what).length
  const keyboard: Keyboard = {
    async readInputLine() {
      if (pasted !== undefined && prompts.length <= 1) return { kind: 'holds', text: pasted }
      return prompts.length > 1 ? prompts.shift() : prompts[0]
    },
    async paste(text) {
      did.push('paste')
      pasted = text
    },
    async pressEnter() {
      did.push('Enter')
    },
    getTranscriptEnd: () => 7,
    findDelivery: () => (count('Enter') >= enters ? { mode: 'began a turn', isUnchanged: true } : undefined),
    async pause(milliseconds) {
      clock += milliseconds
    },
    now: () => clock,
  }
  const typing = {
    text: frameMessage('hello', 'x-12345678'),
    deadlineMs: 5000,
    pasteOffset: undefined,
    recordPaste: () => did.push('mark'),
  }
  return { did, keyboard, typing }
}

describe('typing a word into the orchestrator', () => {
  it('marks it, pastes it once, presses Enter, and again while it still stands there', async () => {
    for (const enters of [1, 3]) {
      const { did, keyboard, typing } = terminal([empty], enters)
      assert.deepEqual(await typeMessage(keyboard, typing), { ok: true, mode: 'began a turn', isUnchanged: true })
      assert.deepEqual(did, ['mark', 'paste', ...Array(enters).fill('Enter')])
    }
  })

  it('waits for a dialog to close and for a draft to go, and types nothing before', async () => {
    const { did, keyboard, typing } = terminal([menu, menu, draft, empty])
    assert.ok((await typeMessage(keyboard, typing)).ok)
    assert.deepEqual(did.slice(0, 2), ['mark', 'paste'])
    for (const [stays, why] of [
      [menu, 'a menu is open, and it stayed so'],
      [draft, 'somebody has begun to type in its input line, and it stayed so'],
    ] as const) {
      const never = terminal([stays])
      assert.deepEqual(await typeMessage(never.keyboard, never.typing), { ok: false, exit: 124, reason: why })
      assert.deepEqual(never.did, [])
    }
  })

  it('never presses Enter in a dialog that opened over it, and then says that it does not know', async () => {
    const { did, keyboard, typing } = terminal([empty, menu, menu])
    const look = keyboard.readInputLine
    const typed = await typeMessage(
      { ...keyboard, readInputLine: async () => (did.includes('paste') ? menu : look()) },
      typing,
    )
    assert.ok(!typed.ok && /unknown: .*may have arrived/.test(typed.reason))
    assert.deepEqual(did, ['mark', 'paste'])
  })

  it('a terminal that is gone is said at once', async () => {
    const { did, keyboard, typing } = terminal([undefined])
    assert.deepEqual(await typeMessage(keyboard, typing), { ok: false, exit: 5, reason: 'the orchestrator is gone' })
    assert.deepEqual(did, [])
  })

  it('what a runner before us has pasted is looked for, sent if it still stands there, and never pasted again', async () => {
    const left = terminal([{ kind: 'holds', text: '[Pasted text #3 +9 lines]' }])
    assert.ok((await typeMessage(left.keyboard, { ...left.typing, pasteOffset: 3 })).ok)
    assert.deepEqual(left.did, ['Enter'])
    const lost = terminal([empty])
    const typed = await typeMessage(lost.keyboard, { ...lost.typing, pasteOffset: 3 })
    assert.ok(!typed.ok && typed.exit === 124)
    assert.deepEqual(lost.did, [])
    const foreign = terminal([draft])
    await typeMessage(foreign.keyboard, { ...foreign.typing, pasteOffset: 3 })
    assert.deepEqual(foreign.did, [], 'somebody else’s draft was sent')
  })
})

it('a prompt is known for our word by its last line, and for whole but for what claude does to every paste', () => {
  const text = frameMessage('/help é\n\ttabs\u200b and </pasted_content>\n- four', '1-2-deadbeef')
  const shown =
    '\n\n<pasted_content id="c1ab">\nA word from the human:\n/help é\n    tabs and <\\/pasted_content>\n- four\n(end of word deadbeef)\n</pasted_content id="c1ab">\n'
  assert.deepEqual(matchDelivery(text, shown), { isUnchanged: true })
  assert.deepEqual(matchDelivery(text, shown.replace('four', 'for')), { isUnchanged: false })
  assert.equal(matchDelivery(text, shown.replace('deadbeef', 'deadbee0')), undefined)
  assert.equal(matchDelivery(text, 'A word from the human:\n/help'), undefined)
})

it('words wait in their order until they are answered, and one can be taken back until it is touched', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-human-'))
  try {
    const paths = resolveSessionPaths(folder)
    const session = { id: 'x', paths } as Session
    const deadline = new Date().toISOString()
    const sender = { pid: 1, startTime: '1', bootId: '1', name: 'you' }
    const ids = ['one', 'two', 'three'].map(text => storeMessage(session, { kind: 'say', text, deadline, sender }))
    fs.writeFileSync(path.join(paths.messages, '1234567890123-000-deadbeef.json'), 'half')
    fs.writeFileSync(path.join(paths.messages, 'note.json'), '{}')
    const waiting = () => listPendingMessages(paths).map(word => (word.kind === 'say' ? word.text : ''))
    assert.deepEqual(waiting(), ['one', 'two', 'three'])
    const [first = '', second = '', third = ''] = ids
    writeMessageReply(paths, first, { exit: 5, text: 'no\nbecause' })
    assert.deepEqual(readMessageReply(session, first), { exit: 5, text: 'no\nbecause' })
    assert.equal(readMessageReply(session, second), undefined)
    recordPaste(paths, second, 12)
    assert.equal(withdrawMessage(session, second), false)
    assert.equal(withdrawMessage(session, third), true)
    assert.deepEqual(waiting(), ['two'])
    assert.equal(fs.statSync(getMessageFile(paths, second)).mode & 0o777, 0o600)
    assert.equal(fs.statSync(paths.messages).mode & 0o777, 0o700)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
