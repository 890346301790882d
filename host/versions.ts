import fs from 'node:fs'
import path from 'node:path'
import { currentPlatform, readBuildPlatform } from './build-platform.ts'
import { claudeInstallHint } from './claude/find.ts'
import type { Config } from './config/config.ts'
import { DispatchError, exitCodes } from './error.ts'
import { findProgram, type RunResult, runProgram } from './exec.ts'
import { makePrivateFolder, readIfPresent, writeAtomic } from './fs/files.ts'
import { SECOND_MS } from './time.ts'

/**
 * The oldest versions that work. git 2.32 reads GIT_CONFIG_GLOBAL; without it the user's configuration would apply to
 * the repositories of dispatch. tmux 3.0; only 3.3a was tested. claude 2.1.118 fixes `claudeVulnerability`.
 */
export const minVersions = { node: '22.22', git: '2.32', tmux: '3.0', claude: '2.1.118' }

/** The oldest git that lands: `git merge-tree --write-tree` is from there. Sessions, `apply` and pull requests do without. */
export const minGitToLand = '2.38'

/** How to get that git where the system has an older one. */
export const newerGitFix = {
  mac: '`brew install git`',
  linux: 'a newer git, on Ubuntu: `add-apt-repository ppa:git-core/ppa`, `apt-get update`, then `apt-get install git`',
}

/** What is wrong with every older claude. */
export const claudeVulnerability = 'a deep link could run a SessionStart hook of its choice (fixed in 2.1.118)'

/** The version of a program, or why it has none. */
export type VersionResult = { version: string } | { reason: string }

/** Run a program with its version option and parse the version. */
export async function readVersion(program: string, option = '--version'): Promise<VersionResult> {
  const result = await runProgram(program, [option], { timeoutMs: VERSION_TIMEOUT_MS, maxOutputBytes: 10_000 })
  const [version] = /\d+(\.\d+)+[a-z]?/.exec(result.stdout) ?? []
  return result.exitCode === 0 && version !== undefined ? { version } : { reason: describeFailure(program, result) }
}

/** Is this version at least `minimum`? Letters at the end (tmux 3.3a) are ignored. Pure. */
export function isAtLeast(version: string, minimum: string): boolean {
  const parts = version.split('.').map(part => Number.parseInt(part, 10))
  for (const [index, required] of minimum.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0
    if (part !== required) return part > required
  }
  return true
}

/**
 * Exit 6, before anything is created, when claude does not run or is too old to be safe. A version check takes 30 ms,
 * so its result is cached until the program changes. A script is checked each time, because what it runs may change.
 */
export async function requireClaude(claude: string, { home }: Pick<Config, 'home'>): Promise<void> {
  await requireVersion('claude', claude, home)
}

/** The same for git and tmux, which every session needs: exit 6 when one is missing, broken or too old. */
export async function requirePrograms({ home }: Pick<Config, 'home'>): Promise<void> {
  const programs = (['git', 'tmux'] as const).map(name => ({ name, file: findProgram(name) }))
  const missing = programs.filter(({ file }) => file === '').map(({ name }) => name)
  const [are, them] = missing.length === 1 ? ['is', 'it'] : ['are', 'them']
  if (missing.length > 0)
    throw createDependencyError(
      `${missing.join(' and ')} ${are} not installed, or not on PATH`,
      `Install ${them}: ${formatInstallHint(missing)}.`,
    )
  await Promise.all(programs.map(({ name, file }) => requireVersion(name, file, home)))
}

/** Exit 6 where the git of this machine is enough for sessions, and too old to land. */
export async function requireGitToLand({ home }: Pick<Config, 'home'>): Promise<void> {
  await requireVersion('git', findProgram('git') || 'git', home, {
    minimum: minGitToLand,
    cacheName: 'git-to-land',
    purpose: ' to land',
    update: `Update it: ${newerGitFix[process.platform === 'darwin' ? 'mac' : 'linux']}. \`dispatch apply\` works with this one.`,
  })
}

// --- internal ---

const VERSION_TIMEOUT_MS = 5 * SECOND_MS

/** What is needed where it is more than a session needs: its version, the file of its cached result, and words for the error. */
interface VersionNeed {
  minimum: string
  cacheName: string
  purpose: string
  update: string
}

async function requireVersion(
  name: 'claude' | 'git' | 'tmux',
  program: string,
  home: string,
  { minimum = minVersions[name], cacheName = name, purpose = '', update }: Partial<VersionNeed> = {},
): Promise<void> {
  const cacheFile = path.join(home, 'cache', cacheName)
  const fingerprint = fingerprintProgram(program, minimum)
  if (fingerprint !== undefined && readIfPresent(cacheFile) === fingerprint) return
  const result = await readVersion(program, name === 'tmux' ? '-V' : '--version')
  const isClaude = name === 'claude'
  const hint = formatInstallHint([name])
  if ('reason' in result)
    throw createDependencyError(
      `${name} does not run: ${result.reason}`,
      isClaude ? claudeInstallHint : `Install it: ${hint}.`,
    )
  if (!isAtLeast(result.version, minimum))
    throw createDependencyError(
      `${name} ${result.version} is too old${purpose}, ${minimum} is needed${isClaude ? `: ${claudeVulnerability}` : ''}`,
      update ?? `Update it: ${isClaude ? '`claude update`, or `npm install -g @anthropic-ai/claude-code`' : hint}.`,
    )
  if (fingerprint === undefined) return
  makePrivateFolder(path.dirname(cacheFile))
  writeAtomic(cacheFile, fingerprint)
}

function createDependencyError(message: string, remedy: string): DispatchError {
  return new DispatchError(message, { exitCode: exitCodes.dependency, remedy })
}

function formatInstallHint(names: string[]): string {
  return `\`brew install ${names.join(' ')}\` or \`apt-get install ${names.join(' ')}\``
}

function describeFailure(program: string, result: RunResult): string {
  const { startError, timedOut, exitCode, signal, stderr, stdout } = result
  if (startError === 'ENOENT') return 'it is not on PATH'
  if (startError === 'EACCES') return `${program} is not executable`
  const platform = readBuildPlatform(program)
  if (platform !== undefined && platform !== currentPlatform)
    return `${program} is built for ${platform}, and this machine is ${currentPlatform}`
  if (startError !== undefined) return `${program} cannot be started (${startError})`
  if (timedOut) return `${program} did not answer within ${VERSION_TIMEOUT_MS / SECOND_MS} s`
  const lastLine = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? ''
  return `${program} ended with ${signal ?? `exit ${exitCode}`}${lastLine === '' ? '' : `: ${lastLine.slice(0, 200)}`}`
}

/** Identifies a compiled program and its state, so that any update changes it; undefined for a script. */
function fingerprintProgram(program: string, minVersion: string): string | undefined {
  if (readBuildPlatform(program) === undefined) return undefined
  const stats = fs.statSync(program, { throwIfNoEntry: false })
  return stats && [minVersion, stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(' ')
}
