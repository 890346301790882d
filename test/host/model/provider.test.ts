import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  detectProvider,
  listHiddenLoginVariables,
  listLoginFiles,
  listModelHosts,
  requireModelAccess,
} from '#host/model'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('the provider and its hosts follow the environment', () => {
  const cases: [Record<string, string>, string, string[]][] = [
    [{}, 'anthropic', ['api.anthropic.com:443', 'platform.claude.com:443', 'console.anthropic.com:443']],
    [{ ANTHROPIC_BASE_URL: 'http://127.0.0.1:8080/v1' }, 'anthropic', ['127.0.0.1:8080']],
    [{ ANTHROPIC_BASE_URL: 'https://gateway.example/claude' }, 'anthropic', ['gateway.example:443']],
    [
      { CLAUDE_CODE_USE_BEDROCK: '0' },
      'anthropic',
      ['api.anthropic.com:443', 'platform.claude.com:443', 'console.anthropic.com:443'],
    ],
    [
      { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'eu-west-1' },
      'bedrock',
      [
        'bedrock-runtime.eu-west-1.amazonaws.com:443',
        'bedrock.eu-west-1.amazonaws.com:443',
        'sts.eu-west-1.amazonaws.com:443',
      ],
    ],
    [
      { CLAUDE_CODE_USE_BEDROCK: 'true', ANTHROPIC_BEDROCK_BASE_URL: 'https://llm.corp.example/bedrock' },
      'bedrock',
      ['llm.corp.example:443'],
    ],
    [{ CLAUDE_CODE_USE_VERTEX: '1' }, 'vertex', ['*.googleapis.com:443']],
    [
      { CLAUDE_CODE_USE_FOUNDRY: '1', ANTHROPIC_FOUNDRY_RESOURCE: 'mine' },
      'foundry',
      ['mine.services.ai.azure.com:443'],
    ],
  ]
  for (const [environment, provider, hosts] of cases) {
    assert.equal(detectProvider(environment), provider)
    assert.deepEqual(listModelHosts(environment), hosts)
  }
})

test('a cloud whose login no sandbox can see is refused with exit 7', t => {
  const home = createScratchFolder(t)
  const refused: [Record<string, string>, RegExp, RegExp][] = [
    [
      { CLAUDE_CODE_USE_BEDROCK: '1', AWS_PROFILE: 'work' },
      /Amazon Bedrock \(bedrock-runtime\.us-east-1/,
      /export-credentials/,
    ],
    [{ CLAUDE_CODE_USE_VERTEX: '1', HOME: home }, /Vertex AI/, /application-default login/],
    [
      { CLAUDE_CODE_USE_FOUNDRY: '1', ANTHROPIC_FOUNDRY_RESOURCE: 'r' },
      /Microsoft Foundry \(r\.services/,
      /ANTHROPIC_FOUNDRY_API_KEY/,
    ],
  ]
  for (const [environment, message, remedy] of refused)
    assert.throws(() => requireModelAccess(true, environment), { exitCode: 7, message, remedy })
  const key = path.join(home, 'key.json')
  fs.writeFileSync(key, '{}')
  const accepted: Record<string, string>[] = [
    {},
    { CLAUDE_CODE_USE_BEDROCK: '1', AWS_BEARER_TOKEN_BEDROCK: 't' },
    { CLAUDE_CODE_USE_BEDROCK: '1', AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 's' },
    { CLAUDE_CODE_USE_BEDROCK: '1', CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' },
    { CLAUDE_CODE_USE_VERTEX: '1', GOOGLE_APPLICATION_CREDENTIALS: key },
    { CLAUDE_CODE_USE_FOUNDRY: '1', ANTHROPIC_FOUNDRY_API_KEY: 'k' },
  ]
  for (const environment of accepted) requireModelAccess(true, environment)
})

test('agents get no AWS_PROFILE beside keys: claude would pass over the keys', () => {
  const keys = { AWS_PROFILE: 'work', AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 's' }
  assert.deepEqual(listHiddenLoginVariables({ ...keys, CLAUDE_CODE_USE_BEDROCK: '1' }), ['AWS_PROFILE'])
  assert.deepEqual(listHiddenLoginVariables(keys), [])
  assert.deepEqual(listHiddenLoginVariables({ CLAUDE_CODE_USE_BEDROCK: '1', AWS_PROFILE: 'work' }), [])
})

test('an address in managed settings is refused in a sandbox, because claude follows it around the relay', () => {
  const file = '/etc/claude-code/managed-settings.json'
  const settings = (variables: Record<string, string>) => [
    { file, variables, keyProgram: '/bin/key', kept: {}, leftOut: [] },
  ]
  const address = { ANTHROPIC_BASE_URL: 'https://llm.corp' }
  assert.throws(() => requireModelAccess(true, address, settings(address)), {
    exitCode: 7,
    message: /llm\.corp:443: .*managed-settings\.json sets ANTHROPIC_BASE_URL/,
    remedy: /--sandbox off/,
  })
  requireModelAccess(false, address, settings(address))
  requireModelAccess(true, {}, settings({ MAX_THINKING_TOKENS: '8000' }))
  const cloud = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_BEARER_TOKEN_BEDROCK: 't' }
  requireModelAccess(true, cloud, settings(cloud))
})

test('without a sandbox a cloud’s login may be anywhere', () => {
  requireModelAccess(false, { CLAUDE_CODE_USE_BEDROCK: '1', AWS_PROFILE: 'work' })
})

test('a wrong address is refused, and leads no login to another host', () => {
  for (const address of ['gateway.example', 'gateway.example:8080', 'ftp://gateway.example', 'http://', ' '])
    assert.throws(
      () => requireModelAccess(false, { ANTHROPIC_BASE_URL: address, ANTHROPIC_AUTH_TOKEN: 't' }),
      { exitCode: 2, message: /ANTHROPIC_BASE_URL is not the address of a server/ },
      address,
    )
})

test('the login of Google is readable for Vertex AI only', t => {
  const file = path.join(createScratchFolder(t), 'google.json')
  fs.writeFileSync(file, '')
  assert.deepEqual(listLoginFiles({ GOOGLE_APPLICATION_CREDENTIALS: file }), [])
  assert.deepEqual(listLoginFiles({ CLAUDE_CODE_USE_VERTEX: '1', GOOGLE_APPLICATION_CREDENTIALS: file }), [file])
})
