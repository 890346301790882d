import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTopic, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'

/** Everyone who knows an ntfy topic can read it, so a topic that is easy to guess is refused. */

const environment = (topic: string) => ({ HOME: '/nowhere', DISPATCH_HOME: '/nowhere/dispatch', NTFY_TOPIC: topic })

const weak: [reason: string, topic: string][] = [
  ['a name', 'claude-dispatch'],
  ['19 characters', '9f86d081884c7d659a2'],
  ['9 different characters', 'abcdefgh1abcdefgh1abcdefgh1'],
  ['no digit', 'my-very-own-private-notices'],
  ['one letter, repeated', 'x'.repeat(64)],
  ['a telephone number', '4915123456789'],
]

for (const [reason, topic] of weak)
  test(`a weak topic is exit 2 and is not shown: ${reason}`, () => {
    assert.throws(
      () => readConfig(environment(topic)),
      (error: unknown) => {
        assert.ok(error instanceof DispatchError)
        assert.equal(error.exitCode, exitCodes.usage)
        assert.match(error.message, /environment: NTFY_TOPIC: it must be .*`dispatch notify setup`/)
        assert.ok(!error.message.includes(topic))
        return true
      },
    )
  })

test('20 characters, 10 different ones and a digit make a valid topic', () => {
  for (const topic of ['abcdefghi1abcdefghi1', crypto.randomUUID(), 'rehearsal-9f86d081884c7d659a2feaa0c55ad0'])
    assert.equal(readConfig(environment(topic)).NTFY_TOPIC, topic)
})

test('a new topic has 128 bits, differs every time, and is accepted', () => {
  const topics = Array.from({ length: 1000 }, createTopic)
  assert.equal(new Set(topics).size, 1000)
  for (const topic of topics) {
    assert.match(topic, /^[0-9a-f]{32}$/)
    assert.equal(readConfig(environment(topic)).NTFY_TOPIC, topic)
  }
})
