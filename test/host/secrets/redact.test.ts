import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { sha256 } from '#host/hash.ts'
import { findSecrets, listKnownSecrets, redactAll, redactSecrets } from '#host/secrets'
import { isGeneratedValue } from '#host/secrets/redact.ts'
import { assertGrowsLinearly } from '../../fixtures/growth.ts'
import { createRandom } from '../../fixtures/scratch.ts'
import { contextSecretKinds, embedSecret, secretKinds } from '../../fixtures/secret-kinds.ts'

const random = createRandom(12)

for (const kind of [...secretKinds, ...contextSecretKinds])
  test(`a secret is redacted in any surroundings: ${kind.name}`, () => {
    for (const [name, surround] of Object.entries(surroundings)) {
      const secret = kind.make(random)
      const text = `Before it.\n${surround(embedSecret(kind, secret))}\nAfter it.`
      const { text: redacted, redactionCount } = redactSecrets(text)
      assert.ok(redactionCount > 0, `${name}: ${text}`)
      assert.ok(!stripMarkup(redacted).includes(extractCore(secret)), `${name}: ${redacted}`)
      assert.match(redacted, /^Before it\.\n[\s\S]*\[secret withheld: [\w ]+\][\s\S]*\nAfter it\.$/, name)
      assert.equal(redacted.split('\n').length, text.split('\n').length)
      assert.deepEqual(findSecrets(redacted), [], `${name}: one pass is enough`)
    }
  })

const surroundings: Record<string, (text: string) => string> = {
  plain: text => text,
  'in a sentence': text => `The value is ${text}, as you see.`,
  quoted: text => `x = "${text}"`,
  'in backticks': text => `See \`${text}\`.`,
  'in JSON': text => JSON.stringify({ seen: `a\n${text}\nb` }),
  'in an escaped string': text => `"\\n${text}\\n"`,
  'zero width inside': text => `${text.slice(0, -6)}\u200b${text.slice(-6)}`,
  'zero width joiner inside': text => `${text.slice(0, -9)}\u200d${text.slice(-9)}`,
  'an escape inside': text => `${text.slice(0, -7)}\u001b[1m${text.slice(-7)}\u001b[0m`,
  'escaped characters inside': text => `${text.slice(0, -7)}\\u{200b}${text.slice(-7)}`,
  'a carriage return after it': text => `${text}\r`,
}

test('base64, hex and percent escapes are decoded', () => {
  for (const kind of [...secretKinds, ...contextSecretKinds]) {
    const secret = kind.make(random)
    const content = embedSecret(kind, secret)
    for (const encoded of [
      Buffer.from(content).toString('base64'),
      Buffer.from(content).toString('base64url'),
      Buffer.from(`user:${content}`).toString('base64'),
      (
        Buffer.from(`{"a": "${content}"}`)
          .toString('base64')
          .match(/.{1,76}/g) ?? []
      ).join('\n'),
      Buffer.from(content).toString('hex'),
      encodeURIComponent(`a b ${content}`),
      content.replace(/./gs, character => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`),
    ]) {
      const { text } = redactSecrets(`data: ${encoded} end`)
      assert.ok(!text.includes(encoded), `${kind.name}: ${encoded} in ${text}`)
      assert.match(text, /^data: [\s\S]*\[secret withheld/)
    }
  }
})

test('a private key without its first or last line is redacted, a mention is not', () => {
  const key = secretKinds.find(({ name }) => name === 'SSH key')?.make(random) ?? ''
  const lines = key.split('\n')
  for (const part of [lines.slice(2), lines.slice(0, 4)]) {
    const { text } = redactSecrets(`ok 1\n${part.join('\n')}\nok 2`)
    assert.match(text, /^ok 1\n\[secret withheld: private key\]\n+ok 2$/)
  }
  for (const mention of [`it begins with ${lines[0]}\nok 1\nok 2`, `${lines[0]}...${lines.at(-1)}`])
    assert.deepEqual(redactSecrets(mention), { text: mention, redactionCount: 0 })
})

test('a token that was cut by an ellipsis is redacted', () => {
  for (const kind of secretKinds.filter(({ name }) =>
    ['GitHub', 'Anthropic', 'GitLab', 'Stripe', 'npm'].includes(name),
  )) {
    const stub = kind.make(random).slice(0, 19)
    assert.ok(!redactSecrets(`it says ${stub}…`).text.includes(stub), stub)
  }
})

// --- harmless texts ---

const sha1 = createHash('sha1').update('x').digest('hex')
const hash = sha256('x')
const sha512 = createHash('sha512').update('x').digest('base64')
const image = Buffer.from(Array.from({ length: 900 }, () => Math.floor(random() * 256))).toString('base64')
const uuid = '6f1c2a94-0b53-4d0e-9a77-2f4f2f0a9b11'

const harmlessTexts = [
  `commit ${sha1}`,
  `HEAD is now at ${sha1.slice(0, 9)} Merge branch 'token-refresh'`,
  `sha256:${hash}`,
  `${hash}  dist/app.tar.gz`,
  `"integrity": "sha512-${sha512}",`,
  `resolved with integrity sha512-${sha512} and 3 more`,
  `request id ${uuid} took 12 ms`,
  `ETag: "${sha1}"`,
  `data:image/png;base64,${image}`,
  image.match(/.{1,76}/g)?.join('\n') ?? '',
  'src/authentication/token/refresh_token_provider_implementation.test.ts',
  'node_modules/@google/genai/dist/node/index.mjs:10242:17',
  'A wrong password must not say which half was wrong.',
  'The secret: write less code. The key: read more of it.',
  'password: must have at least 12 characters',
  'Password: ********',
  'token: string; secret: string; apiKey?: string',
  'const token = process.env.GITHUB_TOKEN',
  'const password = await getPassword2(user)',
  ['export API_KEY=$MY_API_KEY2 SECRET=$', '{SECRET_V2}'].join(''),
  'password = <your-password-1>',
  'api_key: your-api-key-123456',
  'SyntaxError: Unexpected token: IDENTIFIER1',
  'tokens: 12345678, tokens/s: 1234.5678',
  'next token: 2026-11-20T10:00:00.000Z',
  'token=utf8_general_ci2',
  'class="sk-fading-circle sk-fading-circle-container-wide"',
  'task-01-rename-the-function-and-its-tests risk-assessment-2026-11-20-final-version-2',
  'https://example.com/a/very/long/path/with/many/parts/and-1234567890/index.html?page=2#section-3',
  'git@github.com:someone/some-repository.git',
  'mailto:someone@example.com and http://localhost:8080/x@y',
  '2026-11-20T10:00:00.000Z [info] listening on 127.0.0.1:7777 pid 12345',
  '0 1 1 2 3 5 8 13 21 34 55 89 144 233 377 610 987 1597 2584 4181',
  'ok 12 - C2 keeps C1 and C10 apart (0.123 ms) # 1234567890',
  'key-value pairs: key-1, key-2; keyboard=qwerty123',
  'AKIA is how an AWS key begins; sk_live_ is Stripe, ghp_ is GitHub, xoxb- is Slack',
  'SKU AC0123 costs 12.50 USD; npm_config_cache=/tmp/cache; npm_lifecycle_event=test',
  `evidence round-2-C1: ${hash.slice(0, 12)}, tree ${sha1}`,
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz',
  'at Object.<anonymous> (internal/modules/cjs/loader.js:1063:30)',
  '-rw-r--r-- 1 me me 123456 Nov 20 10:00 fixtures/private-key-parser.ts',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1vJ8m0kYpX0m7rX9a0j1w2l3k4h5g6f7d8s9a0p1q2 me@here',
  '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUVx1y2z3A4B5C6D7E8F9G0H\n-----END CERTIFICATE-----',
  'login works and password is checked; Authorization: Bearer token is required',
  `cache key: node-24-linux-${hash}`,
  'Bearer authentication is described in RFC 6750, section 2.1',
]

test(`${harmlessTexts.length} harmless texts stay as they are`, t => {
  const redacted = harmlessTexts.filter(text => redactSecrets(text).redactionCount > 0)
  t.diagnostic(`${redacted.length} of ${harmlessTexts.length} redacted`)
  assert.deepEqual(
    redacted.map(text => redactSecrets(text).text),
    [],
  )
})

test('a generated value is recognized', () => {
  for (const value of [
    'correct-horse',
    'password1',
    'production-2',
    'v1.2.3-beta',
    '12345678',
    'Token.Kind1',
    'utf8_bin',
  ])
    assert.ok(!isGeneratedValue(value), value)
  for (const value of ['k9XY42qq77z', 'Pa$$w0rd-of-mine', 'a8f5f167f44f4964e6c998dee827110c', 'p#Q-vw!rst'])
    assert.ok(isGeneratedValue(value), value)
})

// --- known values ---

test('each text in a value is redacted, and all else stays', () => {
  const value = { reason: 'it ended with p#Q&vw@rst', places: [{ title: 'p#Q&vw@rst' }], count: 2, url: null }
  assert.deepEqual(redactAll(value, ['p#Q&vw@rst']), {
    reason: 'it ended with [secret withheld: known value]',
    places: [{ title: '[secret withheld: known value]' }],
    ...{ count: 2, url: null },
  })
})

test('a known value is redacted, also encoded or split', () => {
  const value = `plain-words.and~signs/${'x'.repeat(3)}!Q`
  const knownSecrets = listKnownSecrets(
    { NTFY_TOPIC: 'some-topic-of-mine' },
    { DEPLOY_TOKEN: value, LANG: 'en_GB.UTF-8-and-more' },
  )
  for (const form of [
    value,
    `a ${value}, b`,
    `${value.slice(0, 9)}\n| ${value.slice(9)}`,
    `${value.slice(0, 5)}**${value.slice(5)}`,
    `${value.slice(0, 5)}\u001b[0m\u200b${value.slice(5)}`,
    Buffer.from(value).toString('base64'),
    Buffer.from(`abc${value}xyz12`).toString('base64'),
    Buffer.from(`abcd${value}xyz`).toString('base64'),
    Buffer.from(value).toString('hex'),
    encodeURIComponent(value),
    'some-topic-of-mine',
  ]) {
    const { text, redactionCount } = redactSecrets(`It is <${form}>.`, knownSecrets)
    assert.ok(redactionCount > 0, form)
    assert.ok(!stripMarkup(text).includes(stripMarkup(form)), text)
  }
  assert.equal(redactSecrets('en_GB.UTF-8-and-more', knownSecrets).redactionCount, 0)
})

// --- cost ---

const MEBIBYTE = 1024 * 1024
const floods: Record<string, string> = {
  'one letter': 'a',
  digits: '0123456789',
  base64: 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldY',
  'sk- again and again': 'sk-',
  'eyJ- again and again': 'eyJ-',
  'eyJ. again and again': 'eyJaaaaaaaaa.',
  'SG. again and again': 'SG.',
  addresses: '://a:',
  'addresses with @': 'x://u:p@',
  assignments: 'token=',
  'assignments with blanks': 'secret = ',
  'heroku again': 'heroku ',
  'starts of keys': `-----BEGIN ${'PRIVATE KEY-----'}`,
  'starts and lines of keys': `-----BEGIN ${'PRIVATE KEY-----'}\n${'A'.repeat(64)}\n`,
  'ends of keys': `${'A'.repeat(64)}\n-----END ${'PRIVATE KEY-----'}\n`,
  dashes: '-----',
  escapes: '\u001b[1m',
  'open escapes': '\u001b]0;',
  'zero width': 'a\u200b',
  percent: '%41',
  hex: 'deadbeef',
  'words and blanks': 'ghp_ AKIA sk_live_ xoxb- ',
  backslashes: '\\n',
  'N and dots': 'Naaaaaaaaaaaaaaaaaaaaaaaa.',
  lines: 'password:\n',
  'aws without a value': 'aws_secret',
}

test('the cost of a search grows with the text, not with its square', () => {
  const knownSecrets = listKnownSecrets(
    {},
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`TOKEN_${index}`, `${hash}${index}`])),
  )
  for (const [name, piece] of Object.entries(floods))
    assertGrowsLinearly(name, MEBIBYTE, size => {
      redactSecrets(piece.repeat(Math.ceil(size / piece.length)).slice(0, size), knownSecrets)
    })
})

// --- internal ---

/** A text without styles, blanks, quotes and markup. */
function stripMarkup(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a color
  return text.replace(/\u001b\[\d*m|\\u\{[0-9a-f]+\}|[\s\p{Cf}`"'*\\|]/gu, '')
}

/** The last characters of a secret, without which it is useless. */
function extractCore(secret: string): string {
  const plain = stripMarkup(secret.replaceAll('\\n', '')).replace(/-----[A-Z ]+-----|-----[A-Z]+-----/g, '')
  return plain.slice(-12)
}
