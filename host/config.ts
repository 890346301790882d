import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type EnvFile, emptyEnv, maskName, readEnvFile } from './env-file.ts'
import { DispatchError, exits } from './error.ts'
import { allowed, isSetting, nearest, type Settings, settings, shown } from './settings.ts'

/** The settings, and the places of one DISPATCH_HOME. */
export interface Config extends Settings {
  home: string
  workspace: string
  /** The private Claude config, used when a key or a token is in the environment. */
  claude: string
  logs: string
  /** Our own install: the folder that holds `bin/`. */
  install: string
}

/** Where `npm run build` lays our programs: a folder of the install, beside the rooms. */
export const built = 'built'

export const install = path.resolve(import.meta.dirname, '..')

/** Does this process run from the build, or from the sources? */
export const isBuilt = path.basename(import.meta.dirname) === built

/**
 * The words that start a program of ours, such as `bin/runner`: its build where we ourselves run as one, else its source.
 */
export function ownProgram(name: string): [node: string, file: string] {
  return [process.execPath, path.join(install, isBuilt ? `${built}/${path.basename(name)}.js` : `${name}.ts`)]
}

/** Read the environment and `$DISPATCH_HOME/.env` once. The environment wins. Every problem is reported at once (exit 2). */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const home = homeOf(environment)
  return configOf(home, readEnvFile(path.join(home, '.env')), environment)
}

/** The settings of a process of ours that was handed all of them by `settingsIn`: `.env` is not read. */
export function readEnvironment(environment: NodeJS.ProcessEnv = process.env): Config {
  return configOf(homeOf(environment), emptyEnv(), environment)
}

/** The home with every setting at its default: to look around with where the settings do not read. */
export function readDefaults(environment: NodeJS.ProcessEnv = process.env): Config {
  return configOf(homeOf(environment), emptyEnv(), {})
}

/** Every setting as a variable, for a process of ours that shall go by the same ones. */
export function settingsIn(config: Settings): Record<string, string> {
  return Object.fromEntries(Object.keys(settings.shape).map(name => [name, String(config[name as keyof Settings])]))
}

/**
 * The settings as they are now. When `.env` has changed it is read again; one that does not read any more leaves the old
 * settings standing, and `warn` hears of it, once.
 */
export function freshConfig(first: Config, warn: (problem: string) => void, environment = process.env): () => Config {
  const file = path.join(first.home, '.env')
  let config = first
  let seen = stampOf(file)
  let looked = Date.now()
  return () => {
    if (Date.now() - looked < 1000) return config
    looked = Date.now()
    const stamp = stampOf(file)
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

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeMs } = fs.statSync(file)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return '' // Not there, or not for us to see: it has no stamp.
  }
}

/** The settings by the file and the environment, or every problem with them. */
function configOf(home: string, { found, flaws }: EnvFile, environment: NodeJS.ProcessEnv): Config {
  const file = path.join(home, '.env')
  const problems = [...flaws]
  for (const [name, { value, line }] of found) {
    const what = isSetting(name) ? undefined : strangerIn(name, value, { home, environment })
    if (what !== undefined) problems.push({ line, what })
  }
  const values: Record<string, unknown> = {}
  const outside: string[] = []
  for (const name of Object.keys(settings.shape).filter(isSetting)) {
    const entry = environment[name] === undefined ? found.get(name) : undefined
    const value = entry ? entry.value : environment[name]
    if (value === undefined || value === '') continue
    const parsed = settings.shape[name].safeParse(value)
    const what = `${shown(name, value)}: it must be ${allowed[name]}`
    if (parsed.success) values[name] = value
    else if (entry) problems.push({ line: entry.line, what })
    else outside.push(`environment: ${what}`)
  }
  if (problems.length + outside.length > 0) throw unreadable(file, problems, outside)
  const at = (folder: string) => path.join(home, folder)
  const places = { home, workspace: at('workspace'), claude: at('claude'), logs: at('logs'), install }
  return { ...settings.parse(values), ...places }
}

/** What is wrong with a name in the file that is no setting; undefined for a DISPATCH_HOME that names this very home. */
function strangerIn(
  name: string,
  value: string,
  { home, environment }: { home: string; environment: NodeJS.ProcessEnv },
): string | undefined {
  if (name === 'DISPATCH_HOME') {
    const own = value.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, environment['HOME'] ?? os.homedir())
    if (own === '' || realPath(path.resolve(own)) === home) return undefined
    return 'DISPATCH_HOME: this file lies in that folder, so it cannot move it; set it in the environment'
  }
  if (agentVariables.includes(name))
    return `${name} is read by claude and not by us; it belongs in the environment of your shell`
  const near = nearest(name)
  return `${maskName(name)} is not a setting of ours${near === undefined ? '' : `; did you mean ${near}?`}`
}

function unreadable(file: string, problems: { line: number; what: string }[], outside: string[]): DispatchError {
  const inside = problems
    .toSorted((a, b) => a.line - b.line)
    .map(({ line, what }) => `${file}${line > 0 ? `:${line}` : ''}: ${what}`)
  return new DispatchError(`the settings do not read:\n  ${[...inside, ...outside].join('\n  ')}`, {
    exit: exits.usage,
    remedy: `${path.join(install, '.env.example')} lists every setting.`,
  })
}

/** `$DISPATCH_HOME`, or `~/.claude-dispatch`; absolute, and free of line breaks. */
function homeOf(environment: NodeJS.ProcessEnv): string {
  const home = environment['DISPATCH_HOME'] || path.join(environment['HOME'] || os.homedir(), '.claude-dispatch')
  if (!path.isAbsolute(home) || /[\n\r\0]/.test(home)) {
    const name = environment['DISPATCH_HOME'] ? 'DISPATCH_HOME' : 'HOME'
    throw new DispatchError(`${name} must be an absolute path without line breaks: ${JSON.stringify(home)}`, {
      exit: exits.usage,
    })
  }
  return realPath(path.resolve(home))
}

/** Make the home, or say which variable leads to a place where that cannot be done (exit 2). */
export function prepareHome({ home }: Config, environment = process.env): void {
  try {
    makeEach(home)
    fs.accessSync(home, fs.constants.W_OK | fs.constants.X_OK)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    const name = environment['DISPATCH_HOME'] ? 'DISPATCH_HOME' : 'HOME'
    throw new DispatchError(
      `${name} leads to ${home}, and user ${process.getuid?.() ?? '?'} cannot write there (${error.code})`,
      {
        exit: error.code === 'ENOSPC' || error.code === 'EDQUOT' ? exits.storage : exits.usage,
        remedy: 'Set DISPATCH_HOME to a folder of yours.',
      },
    )
  }
}

/** Each folder by itself: Node's recursive mkdir never returns where the system says ENOENT for ever, as in /proc. */
function makeEach(folder: string): void {
  if (fs.existsSync(folder)) return
  if (!fs.existsSync(path.dirname(folder))) makeEach(path.dirname(folder))
  fs.mkdirSync(folder, { mode: 0o700 })
}

/** The path without links, as far as it exists: claude and git name files by it, and our guards compare with them. */
function realPath(folder: string): string {
  try {
    return fs.realpathSync(folder)
  } catch {
    return folder === path.dirname(folder) ? folder : path.join(realPath(path.dirname(folder)), path.basename(folder))
  }
}

/**
 * What an agent's process inherits besides what we set: the way to its model, and nothing of ours. Names only; tmux
 * carries the values (they never stand in an argument list).
 */
export const agentVariables = [
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
export function variables(names: string[], environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (environment[name] ? [[name, environment[name]]] : [])))
}

/** What a check is given: a path, a home of its own, a plain language. Nothing else of the user's. */
export function checkEnvironment(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, TMPDIR: home, LANG: 'C.UTF-8', TZ: 'UTC', CI: '1' }
}

/** What a short-lived process of ours (the judge, a push) is given: all that this one has, these settings, and Node's own way through a proxy. */
export function ownEnvironment(config: Settings): Record<string, string> {
  const own = { ...variables(Object.keys(process.env)), ...settingsIn(config) }
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => own[name])
    ? { ...own, NODE_USE_ENV_PROXY: '1' }
    : own
}

/** What the commands are given that fetch a project's dependencies: as a check, and the way out, and what the user has named. */
export function setupEnvironment(home: string, named: string[]): Record<string, string> {
  const proxies = agentVariables.filter(name => /proxy$|^SSL_CERT_FILE$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const settings = Object.keys(process.env).filter(name =>
    /^(npm_config_|PIP_|GOPROXY$|GONOSUMDB$|GOPRIVATE$)/i.test(name),
  )
  return { ...variables([...proxies, ...settings, ...named]), ...checkEnvironment(home) }
}
