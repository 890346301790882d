import { claudeVariables } from '../claude/arguments.ts'
import { credentialVariables } from '../claude/credential-variables.ts'
import { agentVariableNames, pickVariables, plainVariableNames } from '../config/environment.ts'
import { readIfPresent } from '../fs/files.ts'
import type { Responder } from '../waiting-server.ts'
import { type Credential, createFixedCredential, createProgramCredential } from './credential.ts'
import { openLoginStore } from './login-store.ts'
import type { ModelPolicy } from './policy.ts'
import { getApiAddress } from './provider.ts'
import { createRelay, type Upstream } from './relay.ts'
import { createStoredCredential } from './renew-login.ts'

/** What answers an agent in place of its model, with the login and to the address that the user's own claude would use. */
export async function createModelRelay(
  policy: ModelPolicy,
  keyProgram: string | undefined,
  environment: NodeJS.ProcessEnv,
  keychain: string | undefined,
): Promise<Responder> {
  const credential = await createCredential(policy, keyProgram, environment, keychain)
  return createRelay(policy.placeholder, credential, createUpstream(environment))
}

// --- internal ---

/** The credential in the order in which claude looks for one. */
async function createCredential(
  policy: ModelPolicy,
  keyProgram: string | undefined,
  environment: NodeJS.ProcessEnv,
  keychain: string | undefined,
): Promise<Credential> {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_AUTH_TOKEN: token, CLAUDE_CODE_OAUTH_TOKEN: yearToken } = environment
  if (key || token)
    return createFixedCredential({
      ...(key ? { 'x-api-key': key } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    })
  const outside = buildOutsideEnvironment(policy, environment)
  if (keyProgram) return createProgramCredential(keyProgram, outside)
  if (yearToken) return createFixedCredential({ authorization: `Bearer ${yearToken}` })
  const store = openLoginStore(policy.configDirectory, environment, keychain)
  const consoleKey = await store.readKey()
  if (consoleKey !== undefined) return createFixedCredential({ 'x-api-key': consoleKey })
  return createStoredCredential({ store, claude: policy.claude, environment: outside, leaseFolder: policy.leaseFolder })
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
  // As claude does, the relay goes on without a file that is missing.
  const readFiles = (...names: string[]) =>
    names.flatMap(name => {
      const file = environment[name]
      return file ? (readIfPresent(file) ?? []) : []
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
      ...(ca.length > 0 ? { ca } : {}),
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
