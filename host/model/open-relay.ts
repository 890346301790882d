import type { AddressInfo } from 'node:net'
import { credentialVariables } from '../claude/credential-variables.ts'
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
export async function openModelRelay(policy: ModelPolicy, environment = process.env): Promise<ModelRelay> {
  const known = credentialVariables.filter(name => environment[name])
  const keyProgram = await findKeyProgram(policy, environment)
  const { address, serve, close } = await openWaitingServer({ port: 0, host: '127.0.0.1' }, async () => {
    const { createModelRelay } = await import('./serve-relay.ts')
    return createModelRelay(policy, keyProgram, environment)
  })
  const host = `127.0.0.1:${(address as AddressInfo).port}`
  const names = known.length === 0 && keyProgram ? ['ANTHROPIC_AUTH_TOKEN'] : known
  const placeholders = Object.fromEntries(names.map(name => [name, policy.placeholder]))
  return { host, serve, close, variables: { ANTHROPIC_BASE_URL: `http://${host}`, ...placeholders } }
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
