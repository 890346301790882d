import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listKnownSecrets, parseAssignedSecrets } from '#host/secrets'

test('a variable is secret by its name, if its value is long and no plain word', () => {
  const secrets = listKnownSecrets(
    {},
    {
      MY_TOKEN: 'not-made-up-but-mine',
      ANTHROPIC_API_KEY: 'some key with blanks',
      DB_PASSWORD: 'rehearsal',
      PIN_SECRET: '1234',
      TOKEN_FILE: '/etc/passwd-of-mine-here',
      SSH_KEY: '/etc/passwd',
      PUBLIC_KEY: 'this-is-public-to-all',
      MONKEY: 'not-a-secret-at-all',
      DATABASE_URL: 'postgres://u:pass-of-mine@h/db',
      PATH: '/usr/bin:/bin',
    },
  )
  const unencoded = secrets.filter(value => /[-\s]/.test(value))
  assert.deepEqual(unencoded, ['not-made-up-but-mine', 'some key with blanks', 'pass-of-mine'])
})

test('values of an .env file are secret by their names', () => {
  const secrets = parseAssignedSecrets(
    [
      '# a comment',
      'PORT=3000',
      'NODE_ENV=development-mode',
      'export SESSION_SECRET="over the hills and far" # why',
      "STRIPE_KEY='quite-short'",
      '"api_token": "in-json-too",',
      'DATABASE_URL=mysql://root:rootrootroot9@db/x',
      'EMPTY_TOKEN=',
    ].join('\n'),
  )
  const unencoded = secrets.filter(value => /[-\s]|root/.test(value))
  assert.deepEqual(unencoded, ['over the hills and far', 'quite-short', 'in-json-too', 'rootrootroot9'])
})
