import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { askLoginPath, mergeSearchPaths, planEnvironment } from '#host/user-service'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a service has the way to the model, and neither a secret nor a setting of this shell', async t => {
  const home = createScratchFolder(t)
  fs.writeFileSync(path.join(home, '.env'), 'ROUNDS=2\n', { mode: 0o600 })
  const { variables, withheld } = await planEnvironment(home, {
    HOME: home,
    PATH: '/usr/bin:/bin',
    ANTHROPIC_BASE_URL: 'https://gateway.example',
    ANTHROPIC_API_KEY: 'anything',
    ANTHROPIC_MODEL: 'opus',
    HTTPS_PROXY: 'http://me:hush@proxy.example:3128',
    https_proxy: 'me:hush@proxy.example:3128',
    ALL_PROXY: 'http://me:hu/sh@proxy.example:3128',
    HTTP_PROXY: 'http://proxy.example:3128',
    SSL_CERT_FILE: '/etc/ca.pem',
    AWS_REGION: `AKIA${'A2B3C4D5E6F7G2H3'}`,
    GEMINI_API_KEY: 'judge',
    ROUNDS: '3',
    MAX_SESSIONS: '1',
    OTHER: 'x',
  })
  const { ANTHROPIC_BASE_URL, HTTP_PROXY, SSL_CERT_FILE, ANTHROPIC_MODEL } = variables
  assert.deepEqual(
    [ANTHROPIC_BASE_URL, HTTP_PROXY, SSL_CERT_FILE, ANTHROPIC_MODEL],
    ['https://gateway.example', 'http://proxy.example:3128', '/etc/ca.pem', 'opus'],
  )
  assert.deepEqual([variables['DISPATCH_HOME'], variables['DISPATCH_SERVICE']], [home, '1'])
  const env = path.join(home, '.env')
  const claude = 'the `env` of your claude settings.json'
  const expected = {
    GEMINI_API_KEY: env,
    MAX_SESSIONS: env,
    ANTHROPIC_API_KEY: claude,
    AWS_REGION: claude,
    HTTPS_PROXY: claude,
    https_proxy: claude,
    ALL_PROXY: claude,
  }
  assert.deepEqual(Object.fromEntries(withheld.map(({ name, place }) => [name, place])), expected)
  for (const name of [...Object.keys(expected), 'ROUNDS', 'OTHER']) assert.equal(variables[name], undefined, name)
})

test('the agent of SSH that a Mac starts at each login is left to the Mac', async t => {
  const home = createScratchFolder(t)
  const socket = '/private/tmp/com.apple.launchd.Ab12Cd34Ef/Listeners'
  const plan = async (SSH_AUTH_SOCK: string, platform: NodeJS.Platform) =>
    (await planEnvironment(home, { HOME: home, PATH: '/usr/bin:/bin', SSH_AUTH_SOCK }, platform)).variables[
      'SSH_AUTH_SOCK'
    ]
  assert.deepEqual([await plan(socket, 'darwin'), await plan(socket, 'linux')], [undefined, socket])
  assert.equal(await plan('/opt/me/agent', 'darwin'), '/opt/me/agent')
})

test('PATH is that of this shell, then what a login adds', async t => {
  const home = createScratchFolder(t)
  const added = path.join(home, 'bin')
  fs.mkdirSync(added)
  fs.writeFileSync(path.join(home, '.bash_profile'), `echo welcome; PATH="${added}:$PATH"\n`)
  const login = await askLoginPath({ HOME: home, SHELL: '/bin/bash', PATH: '/nowhere' })
  assert.ok(login.split(':').includes(added), login)
  assert.ok(!login.includes('/nowhere'))
  const own = path.join(home, 'project/node_modules/.bin')
  fs.mkdirSync(own, { recursive: true })
  assert.equal(mergeSearchPaths(`/usr/bin:.:${own}:/not/there:/bin`, `/bin:${added}`), `/usr/bin:/bin:${added}`)
  assert.equal(await askLoginPath({ HOME: home, SHELL: '/bin/false' }), '')
  assert.equal(await askLoginPath({ HOME: home }), '')
})
