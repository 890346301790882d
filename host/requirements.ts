import fs from 'node:fs'
import path from 'node:path'
import { claudeInstall } from './claude.ts'
import type { Config } from './config.ts'
import { DispatchError, exits } from './error.ts'
import { makePrivate, readIfPresent, writeAtomic } from './files.ts'
import { programOf, type Ran, run } from './run.ts'

export { requireLogin } from './login.ts'

/**
 * The oldest versions that do. git: it heeds GIT_CONFIG_GLOBAL, without which your own configuration would reach into our
 * repositories (2.32). tmux: 3.0, of which only 3.3a was tried here. claude: the one that mended the hole in `deeplink`.
 */
export const oldest = { node: '22.22', git: '2.32', tmux: '3.0', claude: '2.1.118' }

/** What was wrong with every claude before that. */
export const claudeHole = 'a deep link could run a SessionStart hook of its own choice (mended in 2.1.118)'

/** A program as it was found: its version, or why it has none. */
export type Found = { version: string } | { why: string }

/** Ask a program for its version. */
export async function versionOf(program: string, option = '--version'): Promise<Found> {
  const ran = await run(program, [option], { deadline: 5000, keep: 10_000 })
  const [version] = /\d+(\.\d+)+[a-z]?/.exec(ran.stdout) ?? []
  return ran.code === 0 && version !== undefined ? { version } : { why: whyNot(program, ran) }
}

/** Is this version at least that one? Letters at the end (tmux 3.3a) do not count. Pure. */
export function isAtLeast(version: string, least: string): boolean {
  const own = version.split('.').map(part => Number.parseInt(part, 10))
  for (const [at, wanted] of least.split('.').map(Number).entries()) {
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
    why: `: ${claudeHole}`,
    install: claudeInstall,
    update: 'Update it: `claude update`, or `npm install -g @anthropic-ai/claude-code`.',
  })
}

/** The same of git and tmux, without which no session can begin: missing, broken or too old is exit 6. */
export async function requirePrograms(
  { home }: Pick<Config, 'home'>,
  searchPath = process.env['PATH'] ?? '',
): Promise<void> {
  const programs = (['git', 'tmux'] as const).map(name => ({ name, file: programOf(name, searchPath) }))
  const absent = programs.filter(({ file }) => file === '').map(({ name }) => name)
  const it = absent.length === 1 ? 'it' : 'them'
  if (absent.length > 0)
    throw new DispatchError(
      `${absent.join(' and ')} ${absent.length === 1 ? 'is' : 'are'} not installed, or not on PATH`,
      { exit: exits.dependency, remedy: `Install ${it}: ${installLine(absent)}.` },
    )
  const words = (name: string) => ({ why: '', install: `Install it: ${installLine([name])}.` })
  await Promise.all(
    programs.map(({ name, file }) => {
      const { why, install } = words(name)
      return requireVersion(name, file, home, { why, install, update: install.replace('Install', 'Update') })
    }),
  )
}

/** The processor a program was built for, by its first bytes (ELF, Mach-O); undefined for a script. Pure. */
export function builtFor(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head)
  if (bytes.length < 20) return undefined
  if (bytes.readUInt32BE(0) === 0x7f454c46)
    return `Linux on ${processors[bytes.readUInt16LE(18)] ?? 'another processor'}`
  if (bytes.readUInt32LE(0) === 0xfeedfacf)
    return `macOS on ${processors[bytes.readUInt32LE(4)] ?? 'another processor'}`
  return bytes.readUInt16BE(0) === 0x4d5a ? 'Windows' : undefined
}

// --- internal ---

interface Words {
  /** What is wrong with older ones. */
  why: string
  install: string
  update: string
}

async function requireVersion(
  name: 'claude' | 'git' | 'tmux',
  program: string,
  home: string,
  { why, install, update }: Words,
): Promise<void> {
  const note = path.join(home, 'cache', name)
  const asked = identityOf(program, oldest[name])
  if (asked !== undefined && readIfPresent(note) === asked) return
  const found = await versionOf(program, name === 'tmux' ? '-V' : '--version')
  if ('why' in found)
    throw new DispatchError(`${name} does not run: ${found.why}`, { exit: exits.dependency, remedy: install })
  if (!isAtLeast(found.version, oldest[name]))
    throw new DispatchError(`${name} ${found.version} is too old, ${oldest[name]} is needed${why}`, {
      exit: exits.dependency,
      remedy: update,
    })
  if (asked === undefined) return
  makePrivate(path.dirname(note))
  writeAtomic(note, asked)
}

function installLine(names: string[]): string {
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

const here = `${process.platform === 'darwin' ? 'macOS' : 'Linux'} on ${process.arch}`

function whyNot(program: string, { unstartable, timedOut, code, signal, stderr, stdout }: Ran): string {
  if (unstartable === 'ENOENT') return 'it is not on PATH'
  if (unstartable === 'EACCES') return `${program} is not executable`
  const built = builtFor(headOf(program))
  if (built !== undefined && built !== here) return `${program} is built for ${built}, and this is ${here}`
  if (unstartable !== undefined) return `${program} cannot be started (${unstartable})`
  if (timedOut) return `${program} does not answer in 5 s`
  const said = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? ''
  return `${program} ended with ${signal ?? `exit ${code}`}${said === '' ? '' : `: ${said.slice(0, 200)}`}`
}

/** Which file a compiled program is, and as of when; any update changes it. */
function identityOf(program: string, least: string): string | undefined {
  if (builtFor(headOf(program)) === undefined) return undefined
  const found = fs.statSync(program, { throwIfNoEntry: false })
  return found && [least, found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join(' ')
}

function headOf(program: string): Uint8Array {
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
