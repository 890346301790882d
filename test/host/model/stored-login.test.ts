import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readStoredLogin, renderPlaceholderLogin } from '#host/model/stored-login.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('the login of an agent has the plan and the placeholder, and no token', t => {
  const folder = createScratchFolder(t)
  const file = path.join(folder, 'user.json')
  const claudeAiOauth = {
    accessToken: 'access-0',
    refreshToken: 'refresh-0',
    expiresAt: Date.now() + 3_600_000,
    scopes: ['user:inference', 'user:profile'],
    subscriptionType: 'max',
  }
  fs.writeFileSync(file, JSON.stringify({ claudeAiOauth }))
  const login = readStoredLogin(file)
  assert.ok(login)
  const agent = path.join(folder, 'agent.json')
  fs.writeFileSync(agent, renderPlaceholderLogin(login, 'placeholder-1'))
  assert.doesNotMatch(fs.readFileSync(agent, 'utf8'), /access-|refresh/)
  const { accessToken, canBeRenewed, subscriptionType, scopes } = readStoredLogin(agent) ?? {}
  assert.deepEqual(
    { accessToken, canBeRenewed, subscriptionType, scopes },
    { accessToken: 'placeholder-1', canBeRenewed: false, subscriptionType: 'max', scopes: claudeAiOauth.scopes },
  )
})
