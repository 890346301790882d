import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { claudeVariables, findClaude } from '#host/claude'
import { readStoredLogin } from '#host/model'
import { createStoredCredential } from '#host/model/renew-login.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { authorityFile, renderLogin, startVendor } from '../../fixtures/vendor/vendor.ts'

const inMs = (ms: number) => new Date(Date.now() + ms)

/** A user's home with a login, the real claude, and the vendor that renews it. */
async function prepareUser(t: TestContext, expiresAt: Date, programText?: string) {
  const home = createScratchFolder(t)
  const vendor = await startVendor()
  t.after(() => vendor.close())
  const file = path.join(home, '.claude/.credentials.json')
  fs.mkdirSync(path.dirname(file))
  fs.writeFileSync(file, renderLogin(vendor, expiresAt), { mode: 0o600 })
  fs.writeFileSync(path.join(home, '.claude.json'), '{"hasCompletedOnboarding":true}')
  const claude = programText === undefined ? findClaude() : path.join(home, 'claude')
  if (programText !== undefined) fs.writeFileSync(claude, `#!/bin/sh\n${programText}\n`, { mode: 0o755 })
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    HTTPS_PROXY: vendor.proxyUrl,
    NODE_EXTRA_CA_CERTS: authorityFile,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...claudeVariables,
  }
  const store = { readLogin: async () => readStoredLogin(file) }
  const source = { store, claude, environment, leaseFolder: path.join(home, 'lease') }
  return { home, vendor, file, source }
}

test('a login that is valid for long is read and not renewed', async t => {
  const { vendor, source } = await prepareUser(t, inMs(3_600_000), 'echo used >"$HOME/used"')
  const credential = createStoredCredential(source)
  assert.deepEqual(await credential.read(), { authorization: 'Bearer access-0' })
  assert.equal(vendor.renewals, 0)
  assert.ok(!fs.existsSync(path.join(source.environment.HOME, 'used')))
})

test('a login that is about to expire is renewed once, however many ask', async t => {
  const { vendor, file, source } = await prepareUser(t, inMs(60_000))
  const credentials = [1, 2, 3].map(() => createStoredCredential(source))
  const headers = await Promise.all(credentials.map(credential => credential.read()))
  assert.deepEqual(headers, Array(3).fill({ authorization: 'Bearer access-1' }))
  assert.deepEqual([vendor.renewals, vendor.refusedRenewals], [1, 0])
  const stored = JSON.parse(fs.readFileSync(file, 'utf8')).claudeAiOauth
  assert.deepEqual([stored.accessToken, stored.refreshToken], ['access-1', 'refresh-1'])
})

test('a login that the model refuses before its time is renewed once', async t => {
  const { vendor, source } = await prepareUser(t, inMs(3_600_000))
  vendor.revokeAccess()
  const credentials = [1, 2].map(() => createStoredCredential(source))
  const refused = { authorization: 'Bearer access-0' }
  const renewed = await Promise.all(credentials.map(credential => credential.renew(refused)))
  assert.deepEqual(renewed, [true, true])
  assert.deepEqual([vendor.renewals, vendor.refusedRenewals], [1, 0])
  assert.deepEqual(await credentials[0]?.read(), { authorization: 'Bearer access-1' })
})

test('a login that another program has renewed is read again', async t => {
  const { vendor, file, source } = await prepareUser(t, inMs(3_600_000), 'echo used >"$HOME/used"')
  const credential = createStoredCredential(source)
  await credential.read()
  fs.writeFileSync(`${file}.new`, renderLogin(vendor, inMs(3_600_000)).replaceAll('-0', '-7'))
  fs.renameSync(`${file}.new`, file)
  assert.equal(await credential.renew({ authorization: 'Bearer access-0' }), true)
  assert.deepEqual(await credential.read(), { authorization: 'Bearer access-7' })
  assert.ok(!fs.existsSync(path.join(source.environment.HOME, 'used')))
})

test('a renewal that fails is not repeated at once', async t => {
  const { source, home } = await prepareUser(t, inMs(60_000), 'echo "$*" >>"$HOME/used"; exit 1')
  const credential = createStoredCredential(source)
  assert.deepEqual(await credential.read(), { authorization: 'Bearer access-0' }, 'the old token is still worth a try')
  assert.equal(await createStoredCredential(source).renew({ authorization: 'Bearer access-0' }), false)
  const calls = fs.readFileSync(path.join(home, 'used'), 'utf8').trim().split('\n')
  assert.deepEqual(
    calls.map(line => line.split(' ')[0]),
    ['auth', '-p'],
  )
})

test('without a login file the last known login is used', async t => {
  const { file, source } = await prepareUser(t, inMs(3_600_000), 'exit 1')
  const credential = createStoredCredential(source)
  await credential.read()
  fs.rmSync(file)
  assert.deepEqual(await credential.read(), { authorization: 'Bearer access-0' })
})
