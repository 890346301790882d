import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { detectLogin, isTrusted, prepareLogin, readClaudeConfig } from '#host/claude'
import { DispatchError } from '#host/error.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a key or token gets the private config, unless the user names a folder', () => {
  const keyLogin = { kind: 'key', configDirectory: '/p', configFile: '/p/.claude.json' }
  const ownLogin = { kind: 'own', configDirectory: undefined, configFile: '/somewhere/.claude.json' }
  const namedLogin = { kind: 'own', configDirectory: '/n', configFile: '/n/.claude.json' }
  const table: [Record<string, string>, object][] = [
    [{}, ownLogin],
    [{ ANTHROPIC_API_KEY: '' }, ownLogin],
    [{ ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' }, ownLogin],
    [{ CLAUDE_CODE_USE_BEDROCK: '1' }, ownLogin],
    [{ ANTHROPIC_API_KEY: 'k' }, keyLogin],
    [{ ANTHROPIC_AUTH_TOKEN: 't' }, keyLogin],
    [{ CLAUDE_CODE_OAUTH_TOKEN: 't' }, keyLogin],
    [{ CLAUDE_CONFIG_DIR: '/n' }, namedLogin],
    [{ CLAUDE_CONFIG_DIR: '/n', ANTHROPIC_API_KEY: 'k' }, namedLogin],
    [{ CLAUDE_CONFIG_DIR: '', ANTHROPIC_API_KEY: 'k' }, keyLogin],
  ]
  for (const [environment, login] of table)
    assert.deepEqual(detectLogin('/p', { HOME: '/somewhere', ...environment }), login, JSON.stringify(environment))
  assert.equal(detectLogin('/p', {}).configFile, path.join(os.homedir(), '.claude.json'), 'never a relative path')
})

test('a private config is seeded without a change of the user’s', t => {
  const folder = createScratchFolder(t)
  const login = detectLogin(path.join(folder, 'claude'), { ANTHROPIC_API_KEY: 'k' })
  prepareLogin(login, '/w', 'k')
  assert.equal(fs.statSync(login.configFile).mode & 0o777, 0o600)
  assert.ok(isTrusted(readClaudeConfig(login.configFile), '/w'))
  const { mtimeNs } = fs.statSync(login.configFile, { bigint: true })
  prepareLogin(login, '/w', 'k')
  assert.equal(fs.statSync(login.configFile, { bigint: true }).mtimeNs, mtimeNs, 'what needs no change is not written')

  const ownLogin = detectLogin('/p', { CLAUDE_CONFIG_DIR: folder })
  assert.throws(
    () => prepareLogin(ownLogin, '/w', undefined),
    (error: unknown) =>
      error instanceof DispatchError && error.exitCode === 7 && /does not yet trust \/w/.test(error.message),
  )
  assert.ok(!fs.existsSync(ownLogin.configFile))
  fs.writeFileSync(ownLogin.configFile, JSON.stringify({ projects: { '/w': { hasTrustDialogAccepted: true } } }))
  prepareLogin(ownLogin, '/w/deeper', undefined)
})
