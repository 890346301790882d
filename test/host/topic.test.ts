import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { test } from 'node:test'
import { DispatchError, exits, newTopic, readConfig } from '../../host/index.ts'
import { isWeakTopic } from '../../host/topic.ts'

/** Whoever knows an ntfy topic can read along, so one that can be guessed is refused. */

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
  ['a word, often', 'passwordpasswordpasswordpassword'],
  ['a word, often, in all its forms', 'p4ssw0rd-P4ssw0rd-P4SSW0RD-p4ssw0rd1'],
  ['hexadecimal words, often', 'deadbeefdeadbeefdeadbeefdeadbeef'],
  ['hexadecimal words, and all the digits', 'deadbeefcafebabe0123456789abcdef'],
  ['all hexadecimal digits, twice', '0123456789abcdef0123456789abcdef'],
  ['all hexadecimal digits, each twice', '00112233445566778899aabbccddeeff'],
  ['two letters in turn', 'abababababababababababababababab'],
  ['two digits in turn', '12121212121212121212121212121212'],
  ['a letter and a digit in turn', 'x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1'],
  ['a digit and a letter in turn', '0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a'],
  ['as long as a topic may be', 'x9'.repeat(32)],
  ['a short random one, often', '9f86d081-9f86d081-9f86d081-9f86d081'],
  ['a block that comes back later', 'x7kq2mb9-dispatch-x7kq2mb9-phone-x7kq2mb9'],
  ['letters and digits in their order, in turn', 'a1b2c3d4e5f6g7h8i9j0'],
  ['two rows on the keyboard, in turn', '1q2w3e4r5t6y7u8i9o0p'],
  ['a row on the keyboard and digits, twice', 'qwertz123456qwertz123456'],
  ['what it is for, and for whom', 'my-dispatch-notifications-for-john'],
  ['words around a year', 'dispatch2026notifications99'],
  ['a program, a machine and a year', 'claude-dispatch-johns-macbook-pro-2026'],
  ['a machine with numbers in its name', 'johns-iphone-15-pro-max-alerts-2026'],
  ['a name, a place and a year of birth', 'marias_laptop_alerts_berlin_1987'],
  ['German words and a year', 'benachrichtigungen-vom-rechner-2026'],
  ['a host, its versions and its number', 'ubuntu-2204-worker-node-17-build-alerts'],
  ['a region of a cloud', 'github-actions-runner-03-prod-eu-west-1'],
  ['camel case and a year', 'ClaudeCodeFinishedOnMyMac2026'],
  ['long camel case', 'ClaudeDispatchNotificationsForJohnsMacBookPro'],
  ['camel case around a year', 'PasswordForMyPhone2026AndMyLaptop'],
  ['many words with their letters exchanged', 'd1sp4tch-n0t1f1c4t10ns-f0r-j0hn-2026'],
  ['five words and a number', 'correct-horse-battery-staple-42'],
  ['words and a date', 'dispatch-notices-since-2026-11-21'],
  ['words and a telephone number', 'call-me-at-0049-151-2345678'],
  ['digits of pi', '3141592653589793238462643383279502'],
]

test('the table has 52 topics', () => assert.equal(new Set(weak.map(([, topic]) => topic)).size, 52))

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

const lower = 'abcdefghijklmnopqrstuvwxyz0123456789'
const both = `${lower}ABCDEFGHIJKLMNOPQRSTUVWXYZ`

/** How many of 2,000 may be refused. Measured: of hexadecimal ones none in 100,000, of the others 1 to 8 in 2,000. */
const strong: [by: string, most: number, make: (bytes: (many: number) => Buffer) => string][] = [
  ['`openssl rand -hex 16`', 4, bytes => bytes(16).toString('hex')],
  ['the same in capitals', 4, bytes => bytes(16).toString('hex').toUpperCase()],
  ['a UUID', 4, bytes => bytes(16).toString('hex').replace(uuid, '$1-$2-4$3-a$4-$5')],
  ['a UUID without dashes', 4, bytes => bytes(16).toString('hex').replace(uuid, '$1$24$3a$4$5')],
  ['base64url of 18 bytes', 20, bytes => bytes(18).toString('base64url')],
  ['22 letters, digits, - and _', 20, bytes => of(`${both}-_`, bytes(22))],
  ['24 small letters and digits', 40, bytes => of(lower, bytes(24))],
  ['16 letters and digits', 40, bytes => of(both, bytes(16))],
  ['32 letters and digits', 20, bytes => of(both, bytes(32))],
]

const uuid = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/

for (const [by, most, make] of strong)
  test(`random topics are taken: ${by}`, () => {
    const bytes = stream(by)
    const refused = Array.from({ length: 2000 }, () => make(bytes)).filter(isWeakTopic)
    assert.ok(refused.length <= most, `${refused.length} of 2,000, such as ${refused[0]}`)
  })

test('what setup makes, and what is as good, is taken as a setting', () => {
  for (const topic of [newTopic(), crypto.randomUUID()])
    if (!isWeakTopic(topic)) assert.equal(readConfig(environment(topic)).NTFY_TOPIC, topic)
})

test('setup’s topics have 128 bits, and are never the same', () => {
  const made = Array.from({ length: 1000 }, newTopic)
  assert.equal(new Set(made).size, 1000)
  for (const topic of made) assert.match(topic, /^[0-9a-f]{32}$/)
})

/** The same bytes at each run, as random as a cipher makes them. */
function stream(seed: string): (many: number) => Buffer {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16))
  return many => cipher.update(Buffer.alloc(many))
}

function of(signs: string, bytes: Buffer): string {
  return [...bytes].map(byte => signs[byte % signs.length]).join('')
}
