import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { SECOND_MS } from '../time.ts'
import { createEmptyEnv, type EnvFile, type EnvProblem, maskName, readEnvFile } from './env-file.ts'
import {
  formatSetting,
  isSettingName,
  type Settings,
  settingDescriptions,
  settingsSchema,
  suggestSetting,
} from './settings.ts'

/** The settings, and the folders of one DISPATCH_HOME. */
export interface Config extends Settings {
  home: string
  workspace: string
  /** The private config folder of claude, used when a key or token is in the environment. */
  claudeFolder: string
  logsFolder: string
  /** The install of dispatch: the folder that contains `bin/`. */
  installFolder: string
}

/** The folder of the install that `npm run build` writes the programs to. */
export const buildFolder = 'built'

export const installFolder = path.resolve(
  import.meta.dirname,
  path.basename(import.meta.dirname) === buildFolder ? '..' : '../..',
)

/** Does this process run from the build (true) or from the sources? */
export const isBuilt = path.basename(import.meta.dirname) === buildFolder

/**
 * The argv that starts a program of dispatch, such as `bin/processes/runner`: its build when this process is built,
 * else its source.
 */
export function buildProgramCommand(name: string): [node: string, file: string] {
  return [
    process.execPath,
    path.join(installFolder, isBuilt ? `${buildFolder}/${path.basename(name)}.js` : `${name}.ts`),
  ]
}

/** The settings in the environment and in `$DISPATCH_HOME/.env`. The environment wins. Exit 2 lists every problem. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const home = resolveHome(environment)
  return buildConfig(home, readEnvFile(path.join(home, '.env')), environment)
}

/** The settings of a child process that got all of them from `exportSettings`. `.env` is not read. */
export function readEnvironmentConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return buildConfig(resolveHome(environment), createEmptyEnv(), environment)
}

/** The config with every setting at its default, for commands that must work when the settings are invalid. */
export function readDefaultConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return buildConfig(resolveHome(environment), createEmptyEnv(), {})
}

/** Every setting as a variable, for a child process that must use the same settings. */
export function exportSettings(config: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settingsSchema.shape).map(name => [name, String(config[name as keyof Settings])]),
  )
}

/**
 * A function that returns the current settings: it reads `.env` again when the file has changed, at most once a second.
 * When the new file is invalid, the previous settings stay and `warn` is called once.
 */
export function createConfigReader(
  initial: Config,
  warn: (problem: string) => void,
  environment = process.env,
): () => Config {
  const file = path.join(initial.home, '.env')
  let config = initial
  let lastStamp = readStamp(file)
  let checkedAt = Date.now()
  return () => {
    if (Date.now() - checkedAt < SECOND_MS) return config
    checkedAt = Date.now()
    const stamp = readStamp(file)
    if (stamp === lastStamp) return config
    lastStamp = stamp
    try {
      config = readConfig(environment)
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      warn(`${error.message}\n  The previous settings stay in force.`)
    }
    return config
  }
}

/**
 * Create the home. Exit 2 (10 for a full disk) names the variable that leads to a folder where this is not possible.
 */
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
        remedy: 'Set DISPATCH_HOME to a folder that you may write.',
      },
    )
  }
}

/**
 * The variables that an agent inherits: how to reach its model, and no secret of dispatch. tmux carries the values, so
 * that they are in no argument list.
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

/** The named variables that are set and not empty. */
export function pickVariables(names: string[], environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (environment[name] ? [[name, environment[name]]] : [])))
}

/** The whole environment of a check: a PATH, an own home, a fixed language and time zone. Nothing else of the user. */
export function buildCheckEnvironment(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, TMPDIR: home, LANG: 'C.UTF-8', TZ: 'UTC', CI: '1' }
}

/**
 * The environment of a short-lived child (the judge, a push): that of this process, the settings, and Node's proxy
 * support where a proxy is set.
 */
export function buildChildEnvironment(config: Settings): Record<string, string> {
  const inherited = { ...pickVariables(Object.keys(process.env)), ...exportSettings(config) }
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => inherited[name])
    ? { ...inherited, NODE_USE_ENV_PROXY: '1' }
    : inherited
}

/**
 * The environment of commands that install dependencies: that of a check, proxies, registries, and what the project
 * names.
 */
export function buildDependenciesEnvironment(home: string, variableNames: string[]): Record<string, string> {
  const proxies = agentVariableNames.filter(name => /proxy$|^SSL_CERT_FILE$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const registries = Object.keys(process.env).filter(name =>
    /^(npm_config_|PIP_|GOPROXY$|GONOSUMDB$|GOPRIVATE$)/i.test(name),
  )
  return { ...pickVariables([...proxies, ...registries, ...variableNames]), ...buildCheckEnvironment(home) }
}

// --- internal ---

/** Changes whenever the file is written or replaced. */
function readStamp(file: string): string {
  try {
    const { ino, size, mtimeMs } = fs.statSync(file)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return '' // It does not exist, or may not be read.
  }
}

/** The settings in these variables and this file, or exit 2 with every problem. */
function buildConfig(
  home: string,
  { entries, problems: fileProblems }: EnvFile,
  environment: NodeJS.ProcessEnv,
): Config {
  const file = path.join(home, '.env')
  const problems = [...fileProblems]
  for (const [name, { value, line }] of entries) {
    const message = isSettingName(name) ? undefined : describeUnknownName(name, value, { home, environment })
    if (message !== undefined) problems.push({ line, message })
  }
  const values: Record<string, unknown> = {}
  const environmentProblems: string[] = []
  for (const name of Object.keys(settingsSchema.shape).filter(isSettingName)) {
    const entry = environment[name] === undefined ? entries.get(name) : undefined
    const value = entry ? entry.value : environment[name]
    if (value === undefined || value === '') continue
    const parsed = settingsSchema.shape[name].safeParse(value)
    const message = `${formatSetting(name, value)}: it must be ${settingDescriptions[name]}`
    if (parsed.success) values[name] = value
    else if (entry) problems.push({ line: entry.line, message })
    else environmentProblems.push(`environment: ${message}`)
  }
  if (problems.length + environmentProblems.length > 0) throw createSettingsError(file, problems, environmentProblems)
  return {
    ...settingsSchema.parse(values),
    home,
    workspace: path.join(home, 'workspace'),
    claudeFolder: path.join(home, 'claude'),
    logsFolder: path.join(home, 'logs'),
    installFolder,
  }
}

/**
 * What is wrong with a name in the file that is not a setting; undefined for a DISPATCH_HOME that is this very home.
 */
function describeUnknownName(
  name: string,
  value: string,
  { home, environment }: { home: string; environment: NodeJS.ProcessEnv },
): string | undefined {
  if (name === 'DISPATCH_HOME') {
    const folder = value.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, environment['HOME'] ?? os.homedir())
    if (folder === '' || resolveRealPath(path.resolve(folder)) === home) return undefined
    return 'DISPATCH_HOME: this file is inside that folder, so it cannot move it; set it in the environment'
  }
  if (agentVariableNames.includes(name))
    return `${name} is a variable of claude, not a setting; set it in the environment of your shell`
  const suggestion = suggestSetting(name)
  return `${maskName(name)} is not a setting${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`
}

function createSettingsError(file: string, problems: EnvProblem[], environmentProblems: string[]): DispatchError {
  const fileProblems = problems
    .toSorted((a, b) => a.line - b.line)
    .map(({ line, message }) => `${file}${line > 0 ? `:${line}` : ''}: ${message}`)
  return new DispatchError(`invalid settings:\n  ${[...fileProblems, ...environmentProblems].join('\n  ')}`, {
    exitCode: exitCodes.usage,
    remedy: `${path.join(installFolder, '.env.example')} lists every setting.`,
  })
}

/** `$DISPATCH_HOME`, or `~/.claude-dispatch`: absolute, without links and line breaks. Exit 2 otherwise. */
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

/** One folder at a time: Node's recursive mkdir never returns where the system always answers ENOENT, as in /proc. */
function makeFolders(folder: string): void {
  if (fs.existsSync(folder)) return
  if (!fs.existsSync(path.dirname(folder))) makeFolders(path.dirname(folder))
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error // Another start made it at the same moment.
  }
}

/**
 * The path without links, as far as it exists. claude and git report paths in this form, and guards compare with them.
 */
function resolveRealPath(folder: string): string {
  try {
    return fs.realpathSync(folder)
  } catch {
    return folder === path.dirname(folder)
      ? folder
      : path.join(resolveRealPath(path.dirname(folder)), path.basename(folder))
  }
}
