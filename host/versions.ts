import fs from 'node:fs'
import path from 'node:path'
import { claudeInstallHint } from './claude/find.ts'
import type { Config } from './config/config.ts'
import { DispatchError, exitCodes } from './error.ts'
import { findProgram, type RunResult, runProgram } from './exec.ts'
import { makePrivateFolder, readIfPresent, writeAtomic } from './fs/files.ts'

/**
 * The oldest versions that do. git: it heeds GIT_CONFIG_GLOBAL, without which your own configuration would reach into our
 * repositories (2.32). tmux: 3.0, of which only 3.3a was tried here. claude: the one that mended the hole in `deeplink`.
 */
export const minVersions = { node: '22.22', git: '2.32', tmux: '3.0', claude: '2.1.118' }

/** What was wrong with every claude before that. */
export const claudeVulnerability = 'a deep link could run a SessionStart hook of its own choice (mended in 2.1.118)'

/** A program as it was found: its version, or why it has none. */
export type VersionResult = { version: string } | { reason: string }

/** Ask a program for its version. */
export async function readVersion(program: string, option = '--version'): Promise<VersionResult> {
  const ran = await runProgram(program, [option], { timeoutMs: 5000, maxOutputChars: 10_000 })
  const [version] = /\d+(\.\d+)+[a-z]?/.exec(ran.stdout) ?? []
  return ran.exitCode === 0 && version !== undefined ? { version } : { reason: describeFailure(program, ran) }
}

/** Is this version at least that one? Letters at the end (tmux 3.3a) do not count. Pure. */
export function isAtLeast(version: string, minimum: string): boolean {
  const own = version.split('.').map(part => Number.parseInt(part, 10))
  for (const [at, wanted] of minimum.split('.').map(Number).entries()) {
    const part = own[at] ?? 0
    if (part !== wanted) return part > wanted
  }
  return true
}

/**
 * Refuse a claude that does not run, or is too old to be safe (exit 6), before anything is made. Asking costs 30 ms of a
 * start, so a program is asked once, and again when it has changed; a script is asked each time, for what it runs may change.
 */
export async function requireClaude(claude: string, { home }: Pick<Config, 'home'>): Promise<void> {
  await requireVersion('claude', claude, home, {
    reason: `: ${claudeVulnerability}`,
    install: claudeInstallHint,
    update: 'Update it: `claude update`, or `npm install -g @anthropic-ai/claude-code`.',
  })
}

/** The same of git and tmux, without which no session can begin: missing, broken or too old is exit 6. */
export async function requirePrograms(
  { home }: Pick<Config, 'home'>,
  searchPath = process.env['PATH'] ?? '',
): Promise<void> {
  const programs = (['git', 'tmux'] as const).map(name => ({ name, file: findProgram(name, searchPath) }))
  const absent = programs.filter(({ file }) => file === '').map(({ name }) => name)
  const it = absent.length === 1 ? 'it' : 'them'
  if (absent.length > 0)
    throw new DispatchError(
      `${absent.join(' and ')} ${absent.length === 1 ? 'is' : 'are'} not installed, or not on PATH`,
      { exitCode: exitCodes.dependency, remedy: `Install ${it}: ${formatInstallHint(absent)}.` },
    )
  const words = (name: string) => ({ reason: '', install: `Install it: ${formatInstallHint([name])}.` })
  await Promise.all(
    programs.map(({ name, file }) => {
      const { reason, install } = words(name)
      return requireVersion(name, file, home, { reason, install, update: install.replace('Install', 'Update') })
    }),
  )
}

/** The processor a program was built for, by its first bytes (ELF, Mach-O); undefined for a script. Pure. */
export function detectBuildPlatform(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head)
  if (bytes.length < 20) return undefined
  if (bytes.readUInt32BE(0) === 0x7f454c46)
    return `Linux on ${processors[bytes.readUInt16LE(18)] ?? 'another processor'}`
  if (bytes.readUInt32LE(0) === 0xfeedfacf)
    return `macOS on ${processors[bytes.readUInt32LE(4)] ?? 'another processor'}`
  return bytes.readUInt16BE(0) === 0x4d5a ? 'Windows' : undefined
}

// --- internal ---

interface ProgramMessages {
  /** What is wrong with older ones. */
  reason: string
  install: string
  update: string
}

async function requireVersion(
  name: 'claude' | 'git' | 'tmux',
  program: string,
  home: string,
  { reason, install, update }: ProgramMessages,
): Promise<void> {
  const note = path.join(home, 'cache', name)
  const asked = fingerprintProgram(program, minVersions[name])
  if (asked !== undefined && readIfPresent(note) === asked) return
  const found = await readVersion(program, name === 'tmux' ? '-V' : '--version')
  if ('reason' in found)
    throw new DispatchError(`${name} does not run: ${found.reason}`, {
      exitCode: exitCodes.dependency,
      remedy: install,
    })
  if (!isAtLeast(found.version, minVersions[name]))
    throw new DispatchError(`${name} ${found.version} is too old, ${minVersions[name]} is needed${reason}`, {
      exitCode: exitCodes.dependency,
      remedy: update,
    })
  if (asked === undefined) return
  makePrivateFolder(path.dirname(note))
  writeAtomic(note, asked)
}

function formatInstallHint(names: string[]): string {
  return `\`brew install ${names.join(' ')}\` or \`apt-get install ${names.join(' ')}\``
}

/** The numbers by which ELF and Mach-O tell a processor. */
const processors: Record<number, string> = {
  62: 'x64',
  183: 'arm64',
  40: 'arm',
  3: 'ia32',
  243: 'riscv64',
  16777223: 'x64',
  16777228: 'arm64',
}

const currentPlatform = `${process.platform === 'darwin' ? 'macOS' : 'Linux'} on ${process.arch}`

function describeFailure(
  program: string,
  { startError, timedOut, exitCode, signal, stderr, stdout }: RunResult,
): string {
  if (startError === 'ENOENT') return 'it is not on PATH'
  if (startError === 'EACCES') return `${program} is not executable`
  const built = detectBuildPlatform(readHeadBytes(program))
  if (built !== undefined && built !== currentPlatform)
    return `${program} is built for ${built}, and this is ${currentPlatform}`
  if (startError !== undefined) return `${program} cannot be started (${startError})`
  if (timedOut) return `${program} does not answer in 5 s`
  const said = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? ''
  return `${program} ended with ${signal ?? `exit ${exitCode}`}${said === '' ? '' : `: ${said.slice(0, 200)}`}`
}

/** Which file a compiled program is, and as of when; any update changes it. */
function fingerprintProgram(program: string, least: string): string | undefined {
  if (detectBuildPlatform(readHeadBytes(program)) === undefined) return undefined
  const found = fs.statSync(program, { throwIfNoEntry: false })
  return found && [least, found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join(' ')
}

function readHeadBytes(program: string): Uint8Array {
  try {
    const fd = fs.openSync(program, 'r')
    try {
      const head = Buffer.alloc(64)
      return head.subarray(0, fs.readSync(fd, head, 0, 64, 0))
    } finally {
      fs.closeSync(fd)
    }
  } catch {
    return Buffer.alloc(0) // A bare name, or not for us to read: nothing to tell.
  }
}
