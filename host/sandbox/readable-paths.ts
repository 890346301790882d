import fs from 'node:fs'
import path from 'node:path'
import { isUnder } from './policy.ts'

/** The system itself: programs, libraries and what they read. Whatever else there is, is not there inside. */
const systemPaths = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/opt',
  '/nix',
  '/gnu',
  '/snap',
]

/** On macOS the system is spread too widely to be named; there, what is everybody's own is taken away instead. */
const darwinPrivatePaths = [
  '/Users',
  '/Volumes',
  '/private/var/root',
  '/private/var/folders',
  '/private/tmp',
  '/Network',
]

/** Where people's tools live in their home, and what in there is a secret all the same. */
const toolHomes = [
  '.rustup',
  '.local/lib',
  '.local/pipx',
  '.local/share/uv',
  '.local/share/pnpm',
  '.local/share/mise',
  '.local/share/fnm',
]
const toolSecrets = ['.cargo/credentials', '.cargo/credentials.toml']

/** What can be read at all, before a policy adds to it. */
export interface ReadablePaths {
  denied: string[]
  allowed: string[]
}

/** The readable world of every role: the system, and the tools on this PATH. Only what is there is named. */
export function listReadablePaths(
  searchPath: string,
  home: string,
  platform: NodeJS.Platform = process.platform,
): ReadablePaths {
  const tools = listToolFolders(searchPath, home)
  const allow = platform === 'darwin' ? tools : [...systemPaths, ...tools]
  const deny = platform === 'darwin' ? [...darwinPrivatePaths, home] : ['/', ...listRootOnlyPaths('/etc')]
  return {
    denied: [...deny, ...toolSecrets.map(name => path.join(home, name))].filter(isThere),
    allowed: allow.filter(isThere),
  }
}

/** The folders of PATH that the system does not hold, with what stands beside a `bin`; never a home itself. Pure. */
export function listToolFolders(searchPath: string, home: string): string[] {
  const named = searchPath
    .split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .map(folder => path.resolve(folder))
  const folders = named.flatMap(folder => {
    if (systemPaths.some(place => isUnder(folder, place)) || isUnder(home, folder)) return []
    const above = path.dirname(folder)
    const isTool =
      /^\.?(bin|sbin|shims)$/.test(path.basename(folder)) && !isUnder(home, above) && path.basename(above) !== '.local'
    return isTool ? [above] : [folder]
  })
  return [...new Set([...folders, ...toolHomes.map(name => path.join(home, name))])]
}

// --- internal ---

function isThere(file: string): boolean {
  return fs.existsSync(file)
}

/**
 * What nobody but root may read, two levels deep. Everybody else is held off by the modes themselves; for root, whom
 * modes do not hold, the sandbox does.
 */
function listRootOnlyPaths(folder: string, levels = 2): string[] {
  if (process.geteuid?.() !== 0) return []
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const file = path.join(folder, entry.name)
    if (entry.isSymbolicLink() || !(entry.isFile() || entry.isDirectory())) return []
    if ((fs.statSync(file).mode & 0o004) === 0) return [file]
    return entry.isDirectory() && levels > 1 ? listRootOnlyPaths(file, levels - 1) : []
  })
}
