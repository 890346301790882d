import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { DispatchError, exits, newTopic, readConfig } from '../../host/index.ts'

/** Whoever knows an ntfy topic can read along, so one that can be guessed is refused (reliability.md T7). */

const environment = (topic: string) => ({ HOME: '/nowhere', DISPATCH_HOME: '/nowhere/dispatch', NTFY_TOPIC: topic })

const weak: [why: string, topic: string][] = [
  ['one word', 'telephone'],
  ['our own name', 'claude-dispatch'],
  ['words and a year', 'claude-dispatch-2026'],
  ['a name and a purpose', 'marias_laptop_alerts'],
  ['many plain words', 'my-very-own-private-notices'],
  ['words that run together', 'notificationsformyphone'],
  ['capitals', 'MYDISPATCHNOTICES'],
  ['words in camel case', 'MyDispatchNoticesHere'],
  ['a telephone number', '4915123456789'],
  ['a date', '2026-11-21'],
  ['a date and a time', '20261121093000'],
  ['one letter, often', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['one digit, often', '00000000000000000000000000000000'],
  ['digits in their order', '12345678901234567890123456789012'],
  ['letters in their order', 'abcdefghijklmnopqrstuvwxyz'],
  ['a row on the keyboard', 'qwertyuiopasdfgh'],
  ['a short random one', '9f86d081'],
  ['a random one of 12', 'x7Kq2Mb9Zp4R'],
  ['a word with its letters exchanged', 'd1sp4tch-m41l'],
  ['a host and a user', 'ubuntu-server-01-root'],
]

test('the table has 20 topics', () => assert.equal(new Set(weak.map(([, topic]) => topic)).size, 20))

for (const [why, topic] of weak)
  test(`a topic that can be guessed is refused with exit 2, and is not shown: ${why}`, () => {
    assert.throws(
      () => readConfig(environment(topic)),
      (error: unknown) => {
        assert.ok(error instanceof DispatchError)
        assert.equal(error.exit, exits.usage)
        assert.match(error.message, /environment: NTFY_TOPIC: it must be .*hard to guess.*`dispatch notify setup`/)
        assert.ok(!error.message.includes(topic))
        return true
      },
    )
  })

const strong: [by: string, make: () => string][] = [
  ['setup', newTopic],
  ['`openssl rand -hex 16`', () => randomBytes(16).toString('hex')],
  ['32 letters and digits', () => alphanumeric(32)],
  ['a UUID', () => crypto.randomUUID()],
  ['base64url of 18 bytes', () => randomBytes(18).toString('base64url')],
]

for (const [by, make] of strong)
  test(`random topics are taken: ${by}`, () => {
    const refused = Array.from({ length: 500 }, make).filter(topic => {
      try {
        return readConfig(environment(topic)).NTFY_TOPIC !== topic
      } catch {
        return true
      }
    })
    assert.ok(refused.length <= 10, `${refused.length} of 500, such as ${refused[0]}`)
  })

test('setup’s topics have 128 bits, and are never the same', () => {
  const made = Array.from({ length: 1000 }, newTopic)
  assert.equal(new Set(made).size, 1000)
  for (const topic of made) assert.match(topic, /^[0-9a-f]{32}$/)
})

function alphanumeric(length: number): string {
  const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return [...crypto.getRandomValues(new Uint32Array(length))].map(number => signs[number % signs.length]).join('')
}
