import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readManagedSettings, type UserSettings } from '../claude/user-settings.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { relayedVariableNames } from './placeholder.ts'

type Environment = NodeJS.ProcessEnv

/** Who serves the model: Anthropic's API or a gateway that speaks it, or a cloud with its own login. */
export type ModelProvider = 'anthropic' | keyof typeof clouds

/** The provider that claude uses with these variables. */
export function detectProvider(environment: Environment = process.env): ModelProvider {
  const names = Object.keys(clouds) as (keyof typeof clouds)[]
  return names.find(name => isSet(environment[clouds[name].variable])) ?? 'anthropic'
}

/** The address of the API that claude uses with these variables. Exit 2 for a gateway whose address is not one. */
export function getApiAddress(environment: Environment): URL {
  return parseAddress(environment, 'ANTHROPIC_BASE_URL') ?? new URL('https://api.anthropic.com')
}

/** The hosts that claude itself must reach with these variables, as `name:port`. */
export function listModelHosts(environment: Environment = process.env): string[] {
  const provider = detectProvider(environment)
  if (provider !== 'anthropic') {
    const { addressVariable, listHosts } = clouds[provider]
    const address = parseAddress(environment, addressVariable)
    return address ? [formatHost(address)] : listHosts(environment)
  }
  const address = getApiAddress(environment)
  const renewalHosts = ['platform.claude.com:443', 'console.anthropic.com:443']
  return address.hostname === 'api.anthropic.com' ? [formatHost(address), ...renewalHosts] : [formatHost(address)]
}

/** Files with a login that claude itself must be able to read: that of a cloud, and a client certificate. */
export function listLoginFiles(environment: Environment = process.env): string[] {
  const cloudLogin = detectProvider(environment) === 'vertex' ? findGoogleLogin(environment) : undefined
  const files = [environment['CLAUDE_CODE_CLIENT_CERT'], environment['CLAUDE_CODE_CLIENT_KEY'], cloudLogin]
  return files.filter(file => file !== undefined && path.isAbsolute(file) && fs.existsSync(file)) as string[]
}

/**
 * Variables that no agent in a sandbox may have, because they lead to a login that is hidden there: with AWS_PROFILE, claude passes
 * over the keys in the environment.
 */
export function listHiddenLoginVariables(environment: Environment = process.env): string[] {
  return detectProvider(environment) === 'bedrock' && clouds.bedrock.hasLogin(environment) ? ['AWS_PROFILE'] : []
}

/**
 * Refuse a way to the model that cannot work, before anything is created: exit 2 for an address that is not one, exit 7 for a
 * cloud's login that no agent in a sandbox can use, and for an address or a key in settings that lead claude around its relay.
 */
export function requireModelAccess(
  isSandboxed: boolean,
  environment: Environment = process.env,
  managed = readManagedSettings(),
): void {
  const hosts = listModelHosts(environment)
  const provider = detectProvider(environment)
  if (!isSandboxed) return
  if (provider === 'anthropic') return requireNoDetour(managed, hosts[0] ?? '')
  const { title, skipVariable, hasLogin, remedy } = clouds[provider]
  if (isSet(environment[skipVariable]) || hasLogin(environment)) return
  throw new DispatchError(
    `in a sandbox, agents cannot reach ${title} (${hosts.join(', ')}): its login is not in the environment`,
    {
      exitCode: exitCodes.login,
      remedy: `${remedy} Or run without a sandbox: --sandbox off.`,
    },
  )
}

// --- internal ---

/** What the administrator sets overrides the relay's own address and placeholder inside. */
function requireNoDetour(managed: UserSettings[], host: string): void {
  for (const { file, variables } of managed) {
    const name = relayedVariableNames.find(each => each in variables)
    if (name === undefined) continue
    throw new DispatchError(
      `in a sandbox, agents cannot reach the model at ${host}: ${file} sets ${name} for every claude`,
      {
        exitCode: exitCodes.login,
        remedy: 'Run without a sandbox: --sandbox off. Or set it in your own settings.json or in the shell instead.',
      },
    )
  }
}

/** What is known of a cloud. `hasLogin`: a login that works without files that the sandbox hides. */
interface Cloud {
  title: string
  variable: string
  skipVariable: string
  addressVariable: string
  listHosts(environment: Environment): string[]
  hasLogin(environment: Environment): boolean
  remedy: string
}

const clouds = {
  bedrock: {
    title: 'Amazon Bedrock',
    variable: 'CLAUDE_CODE_USE_BEDROCK',
    skipVariable: 'CLAUDE_CODE_SKIP_BEDROCK_AUTH',
    addressVariable: 'ANTHROPIC_BEDROCK_BASE_URL',
    listHosts: environment => {
      const region = environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'] || 'us-east-1'
      return ['bedrock-runtime', 'bedrock', 'sts'].map(name => `${name}.${region}.amazonaws.com:443`)
    },
    hasLogin: environment =>
      isSet(environment['AWS_BEARER_TOKEN_BEDROCK']) ||
      (isSet(environment['AWS_ACCESS_KEY_ID']) && isSet(environment['AWS_SECRET_ACCESS_KEY'])),
    remedy:
      'Put keys into it: `eval "$(aws configure export-credentials --format env)"`, or set AWS_BEARER_TOKEN_BEDROCK.',
  },
  vertex: {
    title: 'Vertex AI',
    variable: 'CLAUDE_CODE_USE_VERTEX',
    skipVariable: 'CLAUDE_CODE_SKIP_VERTEX_AUTH',
    addressVariable: 'ANTHROPIC_VERTEX_BASE_URL',
    listHosts: () => ['*.googleapis.com:443'],
    hasLogin: environment => fs.existsSync(findGoogleLogin(environment)),
    remedy: 'Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file.',
  },
  foundry: {
    title: 'Microsoft Foundry',
    variable: 'CLAUDE_CODE_USE_FOUNDRY',
    skipVariable: 'CLAUDE_CODE_SKIP_FOUNDRY_AUTH',
    addressVariable: 'ANTHROPIC_FOUNDRY_BASE_URL',
    listHosts: environment => [`${environment['ANTHROPIC_FOUNDRY_RESOURCE'] || '*'}.services.ai.azure.com:443`],
    hasLogin: environment =>
      isSet(environment['ANTHROPIC_FOUNDRY_API_KEY']) || isSet(environment['ANTHROPIC_FOUNDRY_AUTH_TOKEN']),
    remedy: 'Set ANTHROPIC_FOUNDRY_API_KEY.',
  },
} satisfies Record<string, Cloud>

/** Is a variable set to something other than no? */
function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase())
}

/** Where Google's libraries look for a login. */
function findGoogleLogin(environment: Environment): string {
  const home = environment['HOME'] || os.homedir()
  const folder = environment['CLOUDSDK_CONFIG'] || path.join(home, '.config/gcloud')
  return environment['GOOGLE_APPLICATION_CREDENTIALS'] || path.join(folder, 'application_default_credentials.json')
}

/** The address in a variable; undefined if it is not set. A wrong one must not lead the login to another host. */
function parseAddress(environment: Environment, name: string): URL | undefined {
  const address = environment[name]
  if (!address) return undefined
  const url = URL.parse(address)
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new DispatchError(`${name} is not the address of a server: ${JSON.stringify(address)}`, {
    exitCode: exitCodes.usage,
    remedy: 'It begins with https:// or http://. Look in your shell and in the `env` of your claude settings.json.',
  })
}

function formatHost({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'http:' ? 80 : 443)}`
}
