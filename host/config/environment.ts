import { type Settings, settingNames } from './settings.ts'

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
  'ANTHROPIC_MODEL',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'AWS_PROFILE',
  'AWS_REGION',
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

/** The named variables that are set, also those that are empty. */
export function copyVariables(names: string[], environment = process.env): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]])))
}

/** Every setting as a variable, for a child process that must use the same settings. */
export function exportSettings(config: Settings): Record<string, string> {
  return Object.fromEntries(settingNames.map(name => [name, String(config[name])]))
}

/** The whole environment of a check: a PATH, an own home, a fixed language and time zone. Nothing else of the user. */
export function buildCheckEnvironment(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, TMPDIR: home, LANG: 'C.UTF-8', TZ: 'UTC', CI: '1' }
}

/** The environment of a short-lived child (the judge, a push): that of this process, the settings, and Node's proxy. */
export function buildChildEnvironment(config: Settings): Record<string, string> {
  const inherited = { ...pickVariables(Object.keys(process.env)), ...exportSettings(config) }
  const hasProxy = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => inherited[name])
  return hasProxy ? { ...inherited, NODE_USE_ENV_PROXY: '1' } : inherited
}

/** The environment of commands that install dependencies: a check's, proxies, registries, and what the project names. */
export function buildDependenciesEnvironment(home: string, variableNames: string[]): Record<string, string> {
  const proxies = agentVariableNames.filter(name => /proxy$|^SSL_CERT_FILE$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const registries = Object.keys(process.env).filter(name =>
    /^(npm_config_|PIP_|GOPROXY$|GONOSUMDB$|GOPRIVATE$)/i.test(name),
  )
  return { ...pickVariables([...proxies, ...registries, ...variableNames]), ...buildCheckEnvironment(home) }
}
