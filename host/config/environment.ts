import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'

/** Set in the definition of a service, so that its daemon knows that it is kept. No other process gets it. */
export const SERVICE_VARIABLE = 'DISPATCH_SERVICE'

/** The variables that every process inherits. None is a secret. */
export const plainVariableNames = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TERM',
  'TZ',
]

/** What an agent inherits: how to reach its model, and no secret of dispatch. tmux carries it, not an argument list. */
export const agentVariableNames = [
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_CUSTOM_HEADERS',
  'ANTHROPIC_BETAS',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CONFIG_DIR',
  'ANTHROPIC_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'ANTHROPIC_DEFAULT_FABLE_MODEL',
  'ANTHROPIC_SMALL_FAST_MODEL',
  'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
  'MAX_THINKING_TOKENS',
  'API_TIMEOUT_MS',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_SKIP_BEDROCK_AUTH',
  'ANTHROPIC_BEDROCK_BASE_URL',
  'AWS_BEARER_TOKEN_BEDROCK',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'CLAUDE_CODE_USE_VERTEX',
  'CLAUDE_CODE_SKIP_VERTEX_AUTH',
  'ANTHROPIC_VERTEX_BASE_URL',
  'ANTHROPIC_VERTEX_PROJECT_ID',
  'CLOUD_ML_REGION',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'CLOUDSDK_CONFIG',
  'CLAUDE_CODE_USE_FOUNDRY',
  'CLAUDE_CODE_SKIP_FOUNDRY_AUTH',
  'ANTHROPIC_FOUNDRY_BASE_URL',
  'ANTHROPIC_FOUNDRY_RESOURCE',
  'ANTHROPIC_FOUNDRY_API_KEY',
  'ANTHROPIC_FOUNDRY_AUTH_TOKEN',
  'CLAUDE_CODE_CLIENT_CERT',
  'CLAUDE_CODE_CLIENT_KEY',
  'CLAUDE_CODE_CLIENT_KEY_PASSPHRASE',
  'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
]

/** The named variables that are set and not empty. */
export function pickVariables(names: string[], environment = process.env): Record<string, string> {
  return Object.fromEntries(Object.entries(copyVariables(names, environment)).filter(([, value]) => value !== ''))
}

/** Those of the names that have no value here. */
export function listUnsetVariables(names: string[], environment = process.env): string[] {
  return names.filter(name => !environment[name])
}

/** The named variables that are set, also those that are empty. */
export function copyVariables(names: string[], environment = process.env): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]])))
}

/** The whole environment of a check: a PATH, an own home, a fixed language and time zone. Nothing else of the user. */
export function buildCheckEnvironment(home: string, platform = process.platform): Record<string, string> {
  const LANG = platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8' // A macOS before 15 does not have it.
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, TMPDIR: home, LANG, TZ: 'UTC', CI: '1' }
}

/**
 * The names of the variables here that commands which install dependencies get: those that the project names, proxies and
 * certificates, and what package tools are told by variables. A path leads into the user's home, so it is left out.
 */
export function listDependencyVariables(projectNames: string[], environment = process.env): string[] {
  const set = Object.entries(pickVariables(Object.keys(environment), environment))
  return set.flatMap(([name, value]) => {
    const isForTools = certificateVariables.test(name) || (toolVariables.test(name) && !isAbsolute(value))
    return isForTools || projectNames.includes(name) ? [name] : []
  })
}

/** The certificates that these variables name and that exist. What gets the variables must be able to read them. */
export function listCertificateFiles(variables: Record<string, string>): string[] {
  return Object.entries(variables).flatMap(([name, value]) =>
    certificateVariables.test(name) && isAbsolute(value) && existsSync(value) ? [value] : [],
  )
}

// --- internal ---

const certificateVariables =
  /^(ssl_cert_(file|dir)|node_extra_ca_certs|requests_ca_bundle|curl_ca_bundle|pip_cert|cargo_http_cainfo|git_ssl_cainfo|npm_config_cafile)$/i

/** Variables of package tools: registries, logins for them, and downloads that an install script makes or skips. */
const toolVariables = new RegExp(
  [
    /^(https?|all|no)_proxy$/,
    /^npm_config_(?!(user_agent|npm_version|yes|call)$)/,
    /^(pip|uv|bundle|bun_config|composer|corepack|poetry|pdm|pipenv|yarn|nuget)_/,
    /^cargo_(registry|registries|net|http|source)_/,
    /^go(proxy|private|noproxy|nosumdb|sumdb|insecure|flags|auth)$/,
    /_skip_(\w+_)?download$|_download_(host|base_url|mirror)$|_(mirror|binary_host)$/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
)
