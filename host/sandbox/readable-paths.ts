import fs from 'node:fs'
import path from 'node:path'
import { isUnder } from './policy.ts'

/** What can be read before a policy adds to it. */
export interface ReadablePaths {
  denied: string[]
  allowed: string[]
}

/** What every role can read: the system, and the tools on this PATH. Only paths that exist are listed. */
export function listReadablePaths(
  searchPath: string,
  home: string,
  platform: NodeJS.Platform = process.platform,
): ReadablePaths {
  const toolFolders = listToolFolders(searchPath, home)
  const allowed = platform === 'darwin' ? toolFolders : [...systemPaths, ...toolFolders]
  const denied = platform === 'darwin' ? [...darwinPrivatePaths, home] : ['/', ...listRootOnlyPaths('/etc')]
  return {
    denied: [...denied, ...listToolSecrets([...toolFolders, path.join(home, '.cargo')])].filter(file =>
      fs.existsSync(file),
    ),
    allowed: allowed.filter(file => fs.existsSync(file)),
  }
}

/** The folders of PATH outside the system; for a `bin`, its parent with all beside it. Never a home itself. Pure. */
export function listToolFolders(searchPath: string, home: string): string[] {
  const searched = searchPath
    .split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .map(folder => path.resolve(folder))
  const folders = searched.flatMap(folder => {
    if (systemPaths.some(place => isUnder(folder, place)) || isUnder(home, folder)) return []
    const parent = path.dirname(folder)
    const isBinFolder = /^\.?(bin|sbin|shims)$/.test(path.basename(folder)) && path.basename(parent) !== '.local'
    return isBinFolder && !isUnder(home, parent) ? [parent] : [folder]
  })
  return [...new Set(folders)]
}

// --- internal ---

/** The system: programs, libraries and what they read. On Linux nothing else exists inside. */
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

/** The system of macOS is in too many places to list, so the private folders are denied instead. */
const darwinPrivatePaths = [
  '/Users',
  '/Volumes',
  '/private/var/root',
  '/private/var/folders',
  '/private/tmp',
  '/Network',
]

/** Logins that tools keep beside their programs. The home of a check is another one, so the folder of the tool counts. */
const toolSecrets = [
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.docker/config.json',
  '.fly/config.yml',
  '.gem/credentials',
  '.pulumi/credentials.json',
]

function listToolSecrets(toolFolders: string[]): string[] {
  const files = toolFolders.flatMap(folder =>
    toolSecrets
      .filter(name => path.dirname(name) === path.basename(folder))
      .map(name => path.join(path.dirname(folder), name)),
  )
  return [...new Set(files)]
}

/** What only root may read, two levels deep. Root ignores file modes, so for root the sandbox must hide it. */
function listRootOnlyPaths(folder: string, levels = 2): string[] {
  if (process.geteuid?.() !== 0) return []
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const file = path.join(folder, entry.name)
    if (entry.isSymbolicLink() || !(entry.isFile() || entry.isDirectory())) return []
    if ((fs.statSync(file).mode & 0o004) === 0) return [file]
    return entry.isDirectory() && levels > 1 ? listRootOnlyPaths(file, levels - 1) : []
  })
}
