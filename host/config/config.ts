import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { type EnvFile, emptyEnv, maskName, readEnvFile } from './env-file.ts'
import {
  formatSetting,
  isSettingName,
  type Settings,
  settingDescriptions,
  settingsSchema,
  suggestSetting,
} from './settings.ts'

/** The settings, and the places of one DISPATCH_HOME. */
export interface Config extends Settings {
  home: string
  workspace: string
  /** The private Claude config, used when a key or a token is in the environment. */
  claudeFolder: string
  logsFolder: string
  /** Our own install: the folder that holds `bin/`. */
  installFolder: string
}

/** Where `npm run build` lays our programs: a folder of the install, beside the rooms. */
export const buildFolder = 'built'

export const installFolder = path.resolve(
  import.meta.dirname,
  path.basename(import.meta.dirname) === buildFolder ? '..' : '../..',
)

/** Does this process run from the build, or from the sources? */
export const isBuilt = path.basename(import.meta.dirname) === buildFolder

/**
 * The words that start a program of ours, such as `bin/runner`: its build where we ourselves run as one, else its source.
 */
export function buildProgramCommand(name: string): [node: string, file: string] {
  return [
    process.execPath,
    path.join(installFolder, isBuilt ? `${buildFolder}/${path.basename(name)}.js` : `${name}.ts`),
  ]
}

/** Read the environment and `$DISPATCH_HOME/.env` once. The environment wins. Every problem is reported at once (exit 2). */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const home = resolveHome(environment)
  return buildConfig(home, readEnvFile(path.join(home, '.env')), environment)
}

/** The settings of a process of ours that was handed all of them by `settingsIn`: `.env` is not read. */
export function readEnvironmentConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return buildConfig(resolveHome(environment), emptyEnv(), environment)
}

/** The home with every setting at its default: to look around with where the settings do not read. */
export function readDefaultConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return buildConfig(resolveHome(environment), emptyEnv(), {})
}

/** Every setting as a variable, for a process of ours that shall go by the same ones. */
export function exportSettings(config: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settingsSchema.shape).map(name => [name, String(config[name as keyof Settings])]),
  )
}

/**
 * The settings as they are now. When `.env` has changed it is read again; one that does not read any more leaves the old
 * settings standing, and `warn` hears of it, once.
 */
export function createConfigReader(
  first: Config,
  warn: (problem: string) => void,
  environment = process.env,
): () => Config {
  const file = path.join(first.home, '.env')
  let config = first
  let seen = readStamp(file)
  let looked = Date.now()
  return () => {
    if (Date.now() - looked < 1000) return config
    looked = Date.now()
    const stamp = readStamp(file)
    if (stamp === seen) return config
    seen = stamp
    try {
      config = readConfig(environment)
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      warn(`${error.message}\n  The settings from before stay in force.`)
    }
    return config
  }
}

function readStamp(file: string): string {
  try {
    const { ino, size, mtimeMs } = fs.statSync(file)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return '' // Not there, or not for us to see: it has no stamp.
  }
}

/** The settings by the file and the environment, or every problem with them. */
function buildConfig(home: string, { found, flaws }: EnvFile, environment: NodeJS.ProcessEnv): Config {
  const file = path.join(home, '.env')
  const problems = [...flaws]
  for (const [name, { value, line }] of found) {
    const what = isSettingName(name) ? undefined : describeUnknownName(name, value, { home, environment })
    if (what !== undefined) problems.push({ line, what })
  }
  const values: Record<string, unknown> = {}
  const outside: string[] = []
  for (const name of Object.keys(settingsSchema.shape).filter(isSettingName)) {
    const entry = environment[name] === undefined ? found.get(name) : undefined
    const value = entry ? entry.value : environment[name]
    if (value === undefined || value === '') continue
    const parsed = settingsSchema.shape[name].safeParse(value)
    const what = `${formatSetting(name, value)}: it must be ${settingDescriptions[name]}`
    if (parsed.success) values[name] = value
    else if (entry) problems.push({ line: entry.line, what })
    else outside.push(`environment: ${what}`)
  }
  if (problems.length + outside.length > 0) throw unreadable(file, problems, outside)
  const at = (folder: string) => path.join(home, folder)
  const places = { home, workspace: at('workspace'), claudeFolder: at('claude'), logsFolder: at('logs'), installFolder }
  return { ...settingsSchema.parse(values), ...places }
}

/** What is wrong with a name in the file that is no setting; undefined for a DISPATCH_HOME that names this very home. */
function describeUnknownName(
  name: string,
  value: string,
  { home, environment }: { home: string; environment: NodeJS.ProcessEnv },
): string | undefined {
  if (name === 'DISPATCH_HOME') {
    const own = value.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, environment['HOME'] ?? os.homedir())
    if (own === '' || resolveRealPath(path.resolve(own)) === home) return undefined
    return 'DISPATCH_HOME: this file lies in that folder, so it cannot move it; set it in the environment'
  }
  if (agentVariableNames.includes(name))
    return `${name} is read by claude and not by us; it belongs in the environment of your shell`
  const near = suggestSetting(name)
  return `${maskName(name)} is not a setting of ours${near === undefined ? '' : `; did you mean ${near}?`}`
}

function unreadable(file: string, problems: { line: number; what: string }[], outside: string[]): DispatchError {
  const inside = problems
    .toSorted((a, b) => a.line - b.line)
    .map(({ line, what }) => `${file}${line > 0 ? `:${line}` : ''}: ${what}`)
  return new DispatchError(`the settings do not read:\n  ${[...inside, ...outside].join('\n  ')}`, {
    exitCode: exitCodes.usage,
    remedy: `${path.join(installFolder, '.env.example')} lists every setting.`,
  })
}

/** `$DISPATCH_HOME`, or `~/.claude-dispatch`; absolute, and free of line breaks. */
function resolveHome(environment: NodeJS.ProcessEnv): string {
  const home = environment['DISPATCH_HOME'] || path.join(environment['HOME'] || os.homedir(), '.claude-dispatch')
  if (!path.isAbsolute(home) || /[\n\r\0]/.test(home)) {
    const name = environment['DISPATCH_HOME'] ? 'DISPATCH_HOME' : 'HOME'
    throw new DispatchError(`${name} must be an absolute path without line breaks: ${JSON.stringify(home)}`, {
      exitCode: exitCodes.usage,
    })
  }
  return resolveRealPath(path.resolve(home))
}

/** Make the home, or say which variable leads to a place where that cannot be done (exit 2). */
export function prepareHome({ home }: Config, environment = process.env): void {
  try {
    makeFolders(home)
    fs.accessSync(home, fs.constants.W_OK | fs.constants.X_OK)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    const name = environment['DISPATCH_HOME'] ? 'DISPATCH_HOME' : 'HOME'
    throw new DispatchError(
      `${name} leads to ${home}, and user ${process.getuid?.() ?? '?'} cannot write there (${error.code})`,
      {
        exitCode: error.code === 'ENOSPC' || error.code === 'EDQUOT' ? exitCodes.storage : exitCodes.usage,
        remedy: 'Set DISPATCH_HOME to a folder of yours.',
      },
    )
  }
}

/** Each folder by itself: Node's recursive mkdir never returns where the system says ENOENT for ever, as in /proc. */
function makeFolders(folder: string): void {
  if (fs.existsSync(folder)) return
  if (!fs.existsSync(path.dirname(folder))) makeFolders(path.dirname(folder))
  fs.mkdirSync(folder, { mode: 0o700 })
}

/** The path without links, as far as it exists: claude and git name files by it, and our guards compare with them. */
function resolveRealPath(folder: string): string {
  try {
    return fs.realpathSync(folder)
  } catch {
    return folder === path.dirname(folder)
      ? folder
      : path.join(resolveRealPath(path.dirname(folder)), path.basename(folder))
  }
}

/**
 * What an agent's process inherits besides what we set: the way to its model, and nothing of ours. Names only; tmux
 * carries the values (they never stand in an argument list).
 */
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

/** The values of the named variables that are set now. */
export function pickVariables(names: string[], environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (environment[name] ? [[name, environment[name]]] : [])))
}

/** What a check is given: a path, a home of its own, a plain language. Nothing else of the user's. */
export function buildCheckEnvironment(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, TMPDIR: home, LANG: 'C.UTF-8', TZ: 'UTC', CI: '1' }
}

/** What a short-lived process of ours (the judge, a push) is given: all that this one has, these settings, and Node's own way through a proxy. */
export function buildChildEnvironment(config: Settings): Record<string, string> {
  const own = { ...pickVariables(Object.keys(process.env)), ...exportSettings(config) }
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => own[name])
    ? { ...own, NODE_USE_ENV_PROXY: '1' }
    : own
}

/** What the commands are given that fetch a project's dependencies: as a check, and the way out, and what the user has named. */
export function buildDependenciesEnvironment(home: string, named: string[]): Record<string, string> {
  const proxies = agentVariableNames.filter(name => /proxy$|^SSL_CERT_FILE$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const settings = Object.keys(process.env).filter(name =>
    /^(npm_config_|PIP_|GOPROXY$|GONOSUMDB$|GOPRIVATE$)/i.test(name),
  )
  return { ...pickVariables([...proxies, ...settings, ...named]), ...buildCheckEnvironment(home) }
}
