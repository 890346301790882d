/** The keychain of a Mac, with a stand-in for `security` that speaks its protocol. The real claude of Linux writes a file behind it. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { findClaude } from '#host/claude'
import { runProgram } from '#host/exec.ts'
import { requireReadableLogin } from '#host/model'
import { nameService, openLoginStore } from '#host/model/login-store.ts'
import { openModelRelay } from '#host/model/open-relay.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { authorityFile, renderLogin, startVendor } from '../../fixtures/vendor/vendor.ts'

const login = (accessToken: string) =>
  JSON.stringify({
    claudeAiOauth: { accessToken, refreshToken: 'r', expiresAt: null, scopes: [], subscriptionType: 'max' },
  })

/** A `security` for the account `ada`, whose items are files, by service. */
function createKeychain(folder: string, items: Record<string, string>): string {
  const program = path.join(folder, 'security')
  const cases = Object.entries(items).map(([service, file]) => `'${service}') file='${file}';;`)
  const text = `#!/bin/sh
[ "$1 $2 $3 $4 $5" = 'find-generic-password -a ada -w -s' ] || exit 2
file=
case $6 in
${cases.join('\n')}
esac
[ -e "$file" ] && exec cat "$file"
echo 'security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.' >&2
exit 44
`
  fs.writeFileSync(program, text, { mode: 0o755 })
  return program
}

function prepareUser(t: TestContext) {
  const home = createScratchFolder(t)
  fs.mkdirSync(path.join(home, '.claude'))
  const environment = { HOME: home, USER: 'ada', PATH: process.env['PATH'] ?? '' }
  const item = path.join(home, 'item')
  return { home, environment, item }
}

test('an item has the name that claude gives it', () => {
  assert.equal(nameService('-credentials', null), 'Claude Code-credentials')
  assert.equal(nameService('-credentials', '/opt/claude'), 'Claude Code-credentials-e660e0ab')
  assert.equal(nameService('', null), 'Claude Code')
})

test('the keychain counts before the file, and a Mac without an item has the file', async t => {
  const { home, environment, item } = prepareUser(t)
  const keychain = createKeychain(home, { 'Claude Code-credentials': item, 'Claude Code': path.join(home, 'key') })
  const readToken = async (program?: string) =>
    (await openLoginStore(null, environment, program).readLogin())?.accessToken
  assert.equal(await readToken(keychain), undefined)
  fs.writeFileSync(path.join(home, '.claude/.credentials.json'), login('of-the-file'))
  assert.equal(await readToken(keychain), 'of-the-file')
  fs.writeFileSync(item, login('of-the-keychain'))
  assert.equal(await readToken(keychain), 'of-the-keychain')
  assert.equal(await readToken(undefined), 'of-the-file')
  fs.writeFileSync(item, Buffer.from(login('with-ü')).toString('hex')) // As `security` prints what is not ASCII.
  assert.equal(await readToken(keychain), 'with-ü')
})

test('the key of a login to the console is there if no subscription is', async t => {
  const { home, environment, item } = prepareUser(t)
  const keychain = createKeychain(home, { 'Claude Code-credentials': item, 'Claude Code': path.join(home, 'key') })
  fs.writeFileSync(path.join(home, 'key'), 'sk-real\n')
  const store = openLoginStore(null, environment, keychain)
  assert.equal(await store.readKey(), 'sk-real')
  fs.writeFileSync(item, login('real'))
  assert.equal(await store.readKey(), undefined)
})

test('a start is refused if the keychain gives no login, and only where one is needed', async t => {
  const { home, environment, item } = prepareUser(t)
  const keychain = createKeychain(home, { 'Claude Code-credentials': item })
  const require = (isSandboxed: boolean, more = {}, program: string | undefined = keychain) =>
    requireReadableLogin(isSandboxed, { kind: 'own' }, program, { ...environment, ...more })
  await assert.rejects(require(true), { exitCode: 7, message: /"Claude Code-credentials"/, remedy: /setup --token/ })
  await require(false)
  await require(true, { CLAUDE_CODE_OAUTH_TOKEN: 'x' })
  await require(true, { CLAUDE_CODE_USE_BEDROCK: '1' })
  fs.writeFileSync(item, login('real'))
  await require(true)
})

test('an agent has a placeholder for a login in the keychain, which the user’s claude renews', async t => {
  const { home, environment } = prepareUser(t)
  const vendor = await startVendor()
  t.after(() => vendor.close())
  const file = path.join(home, '.claude/.credentials.json') // Where the claude of Linux keeps what the stand-in gives out.
  fs.writeFileSync(file, renderLogin(vendor, new Date(Date.now() + 60_000)), { mode: 0o600 })
  fs.writeFileSync(path.join(home, '.claude.json'), '{"hasCompletedOnboarding":true}')
  const keychain = createKeychain(home, { 'Claude Code-credentials': file })
  const policy = {
    placeholder: 'placeholder-1',
    claude: findClaude(),
    configDirectory: null,
    leaseFolder: path.join(home, 'lease'),
  }
  const outside = { ...environment, HTTPS_PROXY: vendor.proxyUrl, NODE_EXTRA_CA_CERTS: authorityFile }
  const relay = await openModelRelay(policy, outside, keychain)
  t.after(() => relay.close())
  relay.serve()
  const { ANTHROPIC_BASE_URL, ...variables } = relay.variables
  assert.deepEqual(variables, {
    CLAUDE_CODE_OAUTH_TOKEN: 'placeholder-1',
    CLAUDE_CODE_OAUTH_SCOPES: 'user:inference user:profile',
    CLAUDE_CODE_SUBSCRIPTION_TYPE: 'max',
  })
  const folder = path.join(home, 'agent')
  fs.mkdirSync(folder)
  fs.writeFileSync(path.join(folder, '.claude.json'), '{"hasCompletedOnboarding":true}')
  const env = {
    ...environment,
    ...relay.variables,
    CLAUDE_CONFIG_DIR: folder,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }
  await runProgram(policy.claude, ['-p', 'hello', '--model', 'haiku'], { env, cwd: home, input: '' })
  const asked = vendor.requests.filter(({ path }) => path.startsWith('/v1/messages'))
  assert.ok(
    asked.length > 0 && asked.every(({ login, status }) => login === 'access-1' && status === 200),
    JSON.stringify(asked),
  )
  assert.deepEqual([vendor.renewals, vendor.refusedRenewals], [1, 0])
})
