import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { claudeVariables } from '../claude/arguments.ts'
import { readClaudeConfig } from '../claude/config.ts'
import { credentialVariables } from '../claude/login.ts'
import { readUserSettings } from '../claude/user-settings.ts'
import { agentVariableNames, pickVariables, plainVariableNames } from '../config/environment.ts'
import { type Credential, createFixedCredential, createProgramCredential } from './credential.ts'
import type { ModelPolicy } from './policy.ts'
import { getApiAddress } from './provider.ts'
import { type Relay, startRelay, type Upstream } from './relay.ts'
import { createStoredCredential, readStoredLogin } from './stored-login.ts'

/** Variables that an agent behind a relay does not inherit. */
export const relayedVariableNames = [
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'CLAUDE_CODE_CLIENT_CERT',
  'CLAUDE_CODE_CLIENT_KEY',
  'CLAUDE_CODE_CLIENT_KEY_PASSPHRASE',
  ...credentialVariables,
]

/** Start the relay of one agent, with the login that the user's own claude would use in this environment. */
export function startModelRelay(policy: ModelPolicy, environment = process.env): Promise<Relay> {
  return startRelay(policy.placeholder, createCredential(policy, environment), createUpstream(environment))
}

/** The variables that an agent behind a relay gets: placeholders where the user has credentials, and the relay's address. */
export function buildRelayVariables(
  policy: ModelPolicy,
  { url }: Relay,
  environment = process.env,
): Record<string, string> {
  const names = credentialVariables.filter(name => environment[name])
  const { keyProgram } = readUserSettings(findFile(policy, environment, 'settings.json'))
  const used = names.length === 0 && keyProgram ? ['ANTHROPIC_AUTH_TOKEN'] : names
  return { ANTHROPIC_BASE_URL: url, ...Object.fromEntries(used.map(name => [name, policy.placeholder])) }
}

// --- internal ---

/** The credential in the order in which claude looks for one. */
function createCredential(policy: ModelPolicy, environment: NodeJS.ProcessEnv): Credential {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_AUTH_TOKEN: token, CLAUDE_CODE_OAUTH_TOKEN: yearToken } = environment
  if (key || token)
    return createFixedCredential({
      ...(key ? { 'x-api-key': key } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    })
  const outside = buildOutsideEnvironment(policy, environment)
  const { keyProgram } = readUserSettings(findFile(policy, environment, 'settings.json'))
  if (keyProgram) return createProgramCredential(keyProgram, outside)
  if (yearToken) return createFixedCredential({ authorization: `Bearer ${yearToken}` })
  const file = findFile(policy, environment, '.credentials.json')
  const configFile = path.join(policy.configDirectory ?? (environment['HOME'] || os.homedir()), '.claude.json')
  const { primaryApiKey } = readStoredLogin(file) ? {} : readClaudeConfig(configFile)
  if (typeof primaryApiKey === 'string') return createFixedCredential({ 'x-api-key': primaryApiKey })
  return createStoredCredential({ file, claude: policy.claude, environment: outside, leaseFolder: policy.leaseFolder })
}

/** A file in the user's folder of claude. */
function findFile({ configDirectory }: ModelPolicy, environment: NodeJS.ProcessEnv, name: string): string {
  return path.join(configDirectory ?? path.join(environment['HOME'] || os.homedir(), '.claude'), name)
}

/** The environment of the user's own claude and of the program that prints the key. */
function buildOutsideEnvironment(
  { configDirectory }: ModelPolicy,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const names = [...plainVariableNames, ...agentVariableNames].filter(name => !credentialVariables.includes(name))
  const { CLAUDE_CONFIG_DIR: _agent, ...others } = pickVariables(names, environment)
  return { ...others, ...claudeVariables, ...(configDirectory === null ? {} : { CLAUDE_CONFIG_DIR: configDirectory }) }
}

function createUpstream(environment: NodeJS.ProcessEnv): Upstream {
  const readFiles = (...names: string[]) =>
    names.flatMap(name => {
      const file = environment[name]
      return file ? [fs.readFileSync(file, 'utf8')] : []
    })
  const ca = readFiles('NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE')
  const [cert] = readFiles('CLAUDE_CODE_CLIENT_CERT')
  const [key] = readFiles('CLAUDE_CODE_CLIENT_KEY')
  const passphrase = environment['CLAUDE_CODE_CLIENT_KEY_PASSPHRASE']
  return {
    address: getApiAddress(environment),
    headers: parseHeaders(environment['ANTHROPIC_CUSTOM_HEADERS'] ?? ''),
    environment,
    tls: {
      ...(ca.length > 0 ? { ca: [...tls.rootCertificates, ...ca] } : {}),
      ...(cert && key ? { cert, key, ...(passphrase ? { passphrase } : {}) } : {}),
    },
  }
}

/** One `Name: value` a line. */
function parseHeaders(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap(line => {
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? []
    return name && value ? [[name.toLowerCase(), value] as const] : []
  })
  return Object.fromEntries(pairs)
}
