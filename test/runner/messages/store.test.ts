import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import {
  getMessageFile,
  listPendingMessages,
  readMessageReply,
  recordPaste,
  storeMessage,
  withdrawMessage,
  writeMessageReply,
} from '#runner/messages/store.ts'
import { createTestSession } from '../../fixtures/new-session.ts'

function prepare(t: TestContext) {
  const session = createTestSession(t)
  const { paths } = session
  const sender = { pid: 1, startTime: '1', bootId: '1', name: 'you' }
  const deadline = new Date().toISOString()
  const [first = '', second = '', third = ''] = ['one', 'two', 'three'].map(text =>
    storeMessage(session, { kind: 'say', text, deadline, sender }),
  )
  const listTexts = () => listPendingMessages(paths).map(message => (message.kind === 'say' ? message.text : ''))
  return { session, paths, first, second, third, listTexts }
}

it('messages are pending in their order until they have a reply', t => {
  const { session, paths, first, second, listTexts } = prepare(t)
  assert.deepEqual(listTexts(), ['one', 'two', 'three'])
  writeMessageReply(paths, first, { exitCode: 5, text: 'no\nbecause' })
  assert.deepEqual(readMessageReply(session, first), { exitCode: 5, text: 'no\nbecause' })
  assert.equal(readMessageReply(session, second), undefined)
  assert.deepEqual(listTexts(), ['two', 'three'])
})

it('files that are not messages are skipped', t => {
  const { paths, listTexts } = prepare(t)
  fs.writeFileSync(path.join(paths.messages, '1234567890123-000-deadbeef.json'), 'half')
  fs.writeFileSync(path.join(paths.messages, 'note.json'), '{}')
  assert.deepEqual(listTexts(), ['one', 'two', 'three'])
})

it('a message can be withdrawn until it is pasted', t => {
  const { session, paths, second, third, listTexts } = prepare(t)
  recordPaste(paths, second, 12)
  assert.equal(withdrawMessage(session, second), false)
  assert.equal(withdrawMessage(session, third), true)
  assert.deepEqual(listTexts(), ['one', 'two'])
})

it('only the owner can read a message', t => {
  const { paths, first } = prepare(t)
  assert.equal(fs.statSync(getMessageFile(paths, first)).mode & 0o777, 0o600)
  assert.equal(fs.statSync(paths.messages).mode & 0o777, 0o700)
})
