import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { readStamp, resolveRealPath } from '../fs/files.ts'
import { SECOND_MS } from '../time.ts'
import { findClone } from './clone.ts'
import { describeRestarts } from './effect.ts'
import { createEmptyEnv, type EnvFile, type EnvProblem, maskName, readEnvFile } from './env-file.ts'
import { agentVariableNames } from './environment.ts'
import {
  describeSetting,
  formatSetting,
  isSettingName,
  type Settings,
  settingNames,
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
  /** The install of dispatch that this process runs: the folder that contains `bin/`. */
  installFolder: string
  /** What stays when dispatch is updated: the clone whose `bin/dispatch` people and services call. */
  cloneFolder: string
}

/** The folder of the install that `npm run build` writes the programs to. */
export const buildFolder = 'built'

/** Does this process run from the build (true) or from the sources? */
export const isBuilt = path.basename(import.meta.dirname) === buildFolder

export const installFolder = path.resolve(import.meta.dirname, isBuilt ? '..' : '../..')

export const cloneFolder = findClone(installFolder)

/** The argv that starts a program such as `bin/processes/runner`: its build when this process is built, else its source. */
export function buildProgramCommand(name: string): [node: string, file: string] {
  const file = isBuilt ? `${buildFolder}/${path.basename(name)}.js` : `${name}.ts`
  return [process.execPath, path.join(installFolder, file)]
}

/**
 * The settings in the environment and in `$DISPATCH_HOME/.env`. The environment wins. Exit 2 lists every problem. With `forNotifications`,
 * as the process that delivers them reads it, a mistake in another setting leaves that at its default; one that may be about notifications
 * is exit 2, because they must not go to another server than is meant.
 */
export function readConfig(environment = process.env, { forNotifications = false } = {}): Config {
  const home = resolveHome(environment)
  const mayIgnore = ({ name }: Pick<EnvProblem, 'name'>) => forNotifications && !mayBeNotification(name)
  return buildConfig(home, readEnvFile(path.join(home, '.env')), environment, mayIgnore)
}

/** The settings of a child process that got all of them from `exportSettings`. `.env` is not read. */
export function readEnvironmentConfig(environment = process.env): Config {
  return buildConfig(resolveHome(environment), createEmptyEnv(), environment)
}

/** The config with every setting at its default, for commands that must work when the settings are invalid. */
export function readDefaultConfig(environment = process.env): Config {
  return buildConfig(resolveHome(environment), createEmptyEnv(), {})
}

/**
 * A function that returns the current settings: it reads `.env` again when the file has changed, at most once a second.
 * When the new file is invalid, the previous settings stay and `warn` is called once. It is also called once for a change that
 * counts only after a restart.
 */
export function createConfigReader(
  initial: Config,
  warn: (problem: string) => void,
  environment = process.env,
): () => Config {
  const file = path.join(initial.home, '.env')
  let config = initial
  let lastStamp: string | undefined // The first look reads it: it may have changed since `initial` was read.
  let checkedAtMs = performance.now() // Not by the clock, which may be set back.
  return () => {
    if (performance.now() - checkedAtMs < SECOND_MS) return config
    checkedAtMs = performance.now()
    const stamp = readStamp(file)
    if (stamp === lastStamp) return config
    lastStamp = stamp
    try {
      const before = config
      config = readConfig(environment)
      for (const sentence of describeRestarts(before, config)) warn(sentence)
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      warn(`${error.message}\n  The previous settings stay in force.`)
    }
    return config
  }
}

// --- internal ---

/** The settings in these variables and this file, or exit 2 with every problem. */
function buildConfig(
  home: string,
  { entries, problems }: EnvFile,
  environment: NodeJS.ProcessEnv,
  mayIgnore: (problem: Pick<EnvProblem, 'name'>) => boolean = () => false,
): Config {
  for (const [name, { value, line }] of entries) {
    const message = isSettingName(name) ? undefined : describeUnknownName(name, value, home, environment['HOME'])
    if (message !== undefined) problems.push({ line, name, message })
  }
  const values: Record<string, unknown> = {}
  const environmentProblems: string[] = []
  for (const name of settingNames) {
    const entry = environment[name] === undefined ? entries.get(name) : undefined
    const value = entry ? entry.value : environment[name]
    if (value === undefined || value === '') continue
    const parsed = settingsSchema.shape[name].safeParse(value)
    const message = `${formatSetting(name, value)}: it must be ${describeSetting(name)}`
    if (parsed.success) values[name] = value
    else if (entry) problems.push({ line: entry.line, name, message })
    else if (!mayIgnore({ name })) environmentProblems.push(`environment: ${message}`)
  }
  const counted = problems.filter(problem => !mayIgnore(problem))
  if (counted.length + environmentProblems.length > 0) throw createSettingsError(home, counted, environmentProblems)
  return {
    ...settingsSchema.parse(values),
    home,
    workspace: path.join(home, 'workspace'),
    claudeFolder: path.join(home, 'claude'),
    logsFolder: path.join(home, 'logs'),
    installFolder,
    cloneFolder,
  }
}

const notificationNames = /DESKTOP|NTFY|WEBHOOK|NOTI|QUIET|HOURS/i

/** May a line with this name, or one that was meant so, say where and when notifications go? */
function mayBeNotification(name: string | undefined): boolean {
  if (name === undefined) return true
  return notificationNames.test(name) || (!isSettingName(name) && notificationNames.test(suggestSetting(name) ?? ''))
}

/** What is wrong with a name in the file that is no setting; undefined for a DISPATCH_HOME that is this very home. */
function describeUnknownName(name: string, value: string, home: string, userHome = os.homedir()): string | undefined {
  if (name === 'DISPATCH_HOME') {
    const folder = value.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, userHome)
    if (folder === '' || resolveRealPath(path.resolve(folder)) === home) return undefined
    return 'DISPATCH_HOME: this file is inside that folder, so it cannot move it; set it in the environment'
  }
  if (agentVariableNames.includes(name))
    return `${name} is a variable of claude, not a setting; set it in the environment of your shell`
  const suggestion = suggestSetting(name)
  return `${maskName(name)} is not a setting${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`
}

function createSettingsError(home: string, problems: EnvProblem[], environmentProblems: string[]): DispatchError {
  const fileProblems = problems
    .toSorted((a, b) => a.line - b.line)
    .map(({ line, message }) => `${path.join(home, '.env')}${line > 0 ? `:${line}` : ''}: ${message}`)
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
