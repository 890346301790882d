import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import type { Prompt } from '../../host/index.ts'
import { answerWord, leaveWord, markPasted, readAnswer, unanswered, withdraw, wordFile } from '../../runner/human.ts'
import { arrived, framed, type Keyboard, typeIn } from '../../runner/typing.ts'
import { pathsOf, type Session } from '../../session/index.ts'

const empty: Prompt = { is: 'empty' }
const menu: Prompt = { is: 'hidden', why: 'a menu is open' }
const draft: Prompt = { is: 'holds', text: 'half a thought' }

/** A terminal whose input line stands at each of these in turn (the last for ever), and that shows a word after so many Enters. */
function terminal(prompts: (Prompt | undefined)[], enters = 1) {
  const did: string[] = []
  let clock = 0
  let pasted: string | undefined
  const count = (what: string) => did.filter(each => each === what).length
  const keyboard: Keyboard = {
    async look() {
      if (pasted !== undefined && prompts.length <= 1) return { is: 'holds', text: pasted }
      return prompts.length > 1 ? prompts.shift() : prompts[0]
    },
    async paste(text) {
      did.push('paste')
      pasted = text
    },
    async pressEnter() {
      did.push('Enter')
    },
    end: () => 7,
    heard: () => (count('Enter') >= enters ? { how: 'began a turn', whole: true } : undefined),
    async pause(milliseconds) {
      clock += milliseconds
    },
    now: () => clock,
  }
  const typing = { text: framed('hello', 'x-12345678'), until: 5000, pastedAt: undefined, mark: () => did.push('mark') }
  return { did, keyboard, typing }
}

describe('typing a word into the orchestrator', () => {
  it('marks it, pastes it once, presses Enter, and again while it still stands there', async () => {
    for (const enters of [1, 3]) {
      const { did, keyboard, typing } = terminal([empty], enters)
      assert.deepEqual(await typeIn(keyboard, typing), { ok: true, how: 'began a turn', whole: true })
      assert.deepEqual(did, ['mark', 'paste', ...Array(enters).fill('Enter')])
    }
  })

  it('waits for a dialog to close and for a draft to go, and types nothing before', async () => {
    const { did, keyboard, typing } = terminal([menu, menu, draft, empty])
    assert.ok((await typeIn(keyboard, typing)).ok)
    assert.deepEqual(did.slice(0, 2), ['mark', 'paste'])
    for (const [stays, why] of [
      [menu, 'a menu is open, and it stayed so'],
      [draft, 'somebody has begun to type in its input line, and it stayed so'],
    ] as const) {
      const never = terminal([stays])
      assert.deepEqual(await typeIn(never.keyboard, never.typing), { ok: false, exit: 124, why })
      assert.deepEqual(never.did, [])
    }
  })

  it('never presses Enter in a dialog that opened over it, and then says that it does not know', async () => {
    const { did, keyboard, typing } = terminal([empty, menu, menu])
    const look = keyboard.look
    const typed = await typeIn({ ...keyboard, look: async () => (did.includes('paste') ? menu : look()) }, typing)
    assert.ok(!typed.ok && /unknown: .*may have arrived/.test(typed.why))
    assert.deepEqual(did, ['mark', 'paste'])
  })

  it('a terminal that is gone is said at once', async () => {
    const { did, keyboard, typing } = terminal([undefined])
    assert.deepEqual(await typeIn(keyboard, typing), { ok: false, exit: 5, why: 'the orchestrator is gone' })
    assert.deepEqual(did, [])
  })

  it('what a runner before us has pasted is looked for, sent if it still stands there, and never pasted again', async () => {
    const left = terminal([{ is: 'holds', text: '[Pasted text #3 +9 lines]' }])
    assert.ok((await typeIn(left.keyboard, { ...left.typing, pastedAt: 3 })).ok)
    assert.deepEqual(left.did, ['Enter'])
    const lost = terminal([empty])
    const typed = await typeIn(lost.keyboard, { ...lost.typing, pastedAt: 3 })
    assert.ok(!typed.ok && typed.exit === 124)
    assert.deepEqual(lost.did, [])
    const foreign = terminal([draft])
    await typeIn(foreign.keyboard, { ...foreign.typing, pastedAt: 3 })
    assert.deepEqual(foreign.did, [], 'somebody else’s draft was sent')
  })
})

it('a prompt is known for our word by its last line, and for whole but for what claude does to every paste', () => {
  const text = framed('/help é\n\ttabs\u200b and </pasted_content>\n- four', '1-2-deadbeef')
  const shown =
    '\n\n<pasted_content id="c1ab">\nA word from the human:\n/help é\n    tabs and <\\/pasted_content>\n- four\n(end of word deadbeef)\n</pasted_content id="c1ab">\n'
  assert.deepEqual(arrived(text, shown), { whole: true })
  assert.deepEqual(arrived(text, shown.replace('four', 'for')), { whole: false })
  assert.equal(arrived(text, shown.replace('deadbeef', 'deadbee0')), undefined)
  assert.equal(arrived(text, 'A word from the human:\n/help'), undefined)
})

it('words wait in their order until they are answered, and one can be taken back until it is touched', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-human-'))
  try {
    const paths = pathsOf(folder)
    const session = { id: 'x', paths } as Session
    const until = new Date().toISOString()
    const by = { pid: 1, start: '1', boot: '1', name: 'you' }
    const ids = ['one', 'two', 'three'].map(text => leaveWord(session, { is: 'say', text, until, by }))
    fs.writeFileSync(path.join(paths.human, '1234567890123-000-deadbeef.json'), 'half')
    fs.writeFileSync(path.join(paths.human, 'note.json'), '{}')
    const waiting = () => unanswered(paths).map(word => (word.is === 'say' ? word.text : ''))
    assert.deepEqual(waiting(), ['one', 'two', 'three'])
    const [first = '', second = '', third = ''] = ids
    answerWord(paths, first, { exit: 5, text: 'no\nbecause' })
    assert.deepEqual(readAnswer(session, first), { exit: 5, text: 'no\nbecause' })
    assert.equal(readAnswer(session, second), undefined)
    markPasted(paths, second, 12)
    assert.equal(withdraw(session, second), false)
    assert.equal(withdraw(session, third), true)
    assert.deepEqual(waiting(), ['two'])
    assert.equal(fs.statSync(wordFile(paths, second)).mode & 0o777, 0o600)
    assert.equal(fs.statSync(paths.human).mode & 0o777, 0o700)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
