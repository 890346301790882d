import type { AddressInfo } from 'node:net'
import { credentialVariables } from '../claude/credential-variables.ts'
import { keychainProgram } from '../system-program.ts'
import { openWaitingServer, type WaitingServer } from '../waiting-server.ts'
import type { ModelPolicy } from './policy.ts'

/** A server on loopback through which one agent reaches its model. It answers when it is told to serve. */
interface ModelRelay extends Pick<WaitingServer, 'serve' | 'close'> {
  /** `127.0.0.1:<port>`. */
  host: string
  /** The variables by which the agent reaches it: the address, and a placeholder where the user has a credential. */
  variables: Record<string, string>
}

/**
 * Open the relay of one agent, with the login that the user's own claude would use in this environment. What answers is loaded
 * when it is told to serve.
 */
export async function openModelRelay(
  policy: ModelPolicy,
  environment = process.env,
  keychain = keychainProgram,
): Promise<ModelRelay> {
  const known = credentialVariables.filter(name => environment[name])
  const keyProgram = await findKeyProgram(policy, environment)
  const { address, serve, close } = await openWaitingServer({ port: 0, host: '127.0.0.1' }, async () => {
    const { createModelRelay } = await import('./serve-relay.ts')
    return createModelRelay(policy, keyProgram, environment, keychain)
  })
  const host = `127.0.0.1:${(address as AddressInfo).port}`
  const names = known.length === 0 && keyProgram ? ['ANTHROPIC_AUTH_TOKEN'] : known
  const placeholders = Object.fromEntries(names.map(name => [name, policy.placeholder]))
  const stored = keychain && names.length === 0 ? await listKeychainVariables(policy, environment, keychain) : {}
  return { host, serve, close, variables: { ANTHROPIC_BASE_URL: `http://${host}`, ...placeholders, ...stored } }
}

// --- internal ---

/**
 * The program of the administrator's or the user's settings that prints the key. An API key or a token in the environment counts
 * before it.
 */
async function findKeyProgram(policy: ModelPolicy, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (environment['ANTHROPIC_API_KEY'] || environment['ANTHROPIC_AUTH_TOKEN']) return undefined
  const [{ locateClaudeFiles }, { readManagedSettings, readUserSettings }] = await Promise.all([
    import('../claude/config.ts'),
    import('../claude/user-settings.ts'),
  ])
  const managed = readManagedSettings().findLast(({ keyProgram }) => keyProgram !== undefined)
  return (
    managed?.keyProgram ?? readUserSettings(locateClaudeFiles(policy.configDirectory, environment).settings).keyProgram
  )
}

/**
 * The placeholder for a login in the keychain, with the user's plan. It is a variable, because claude on a Mac would look for a
 * file in the keychain first.
 */
async function listKeychainVariables(
  { configDirectory, placeholder }: ModelPolicy,
  environment: NodeJS.ProcessEnv,
  keychain: string,
): Promise<Record<string, string>> {
  const { openLoginStore } = await import('./login-store.ts')
  const store = openLoginStore(configDirectory, environment, keychain)
  const login = await store.readLogin()
  if (login === undefined) return (await store.readKey()) === undefined ? {} : { ANTHROPIC_API_KEY: placeholder }
  return {
    CLAUDE_CODE_OAUTH_TOKEN: placeholder,
    ...(login.scopes.length === 0 ? {} : { CLAUDE_CODE_OAUTH_SCOPES: login.scopes.join(' ') }),
    ...(login.subscriptionType === null ? {} : { CLAUDE_CODE_SUBSCRIPTION_TYPE: login.subscriptionType }),
  }
}
