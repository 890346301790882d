import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { resolveRealPath } from '../fs/files.ts'
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
  const homes = listHomes(home)
  const toolFolders = listToolFolders(searchPath, homes)
  const allowed = platform === 'darwin' ? toolFolders : [...systemPaths, ...toolFolders]
  const denied = platform === 'darwin' ? [...darwinPrivatePaths, ...homes] : ['/', ...listRootOnlyPaths('/etc')]
  return {
    denied: [...denied, ...listToolSecrets([...toolFolders, ...homes.map(each => path.join(each, '.cargo'))])].filter(
      file => fs.existsSync(file),
    ),
    allowed: allowed.filter(file => fs.existsSync(file)),
  }
}

/** The folders of PATH outside the system; for a `bin`, its parent with all beside it. Never a home itself. */
export function listToolFolders(searchPath: string, homes: string[]): string[] {
  const containsHome = (folder: string) =>
    homes.some(home => isUnder(resolveRealPath(home), resolveRealPath(folder)) || isUnder(home, folder))
  const searched = searchPath
    .split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .map(folder => path.resolve(folder))
  const folders = searched.flatMap(folder => {
    if (systemPaths.some(place => isUnder(folder, place)) || containsHome(folder)) return []
    const parent = path.dirname(folder)
    const isBinFolder = /^\.?(bin|sbin|shims)$/.test(path.basename(folder)) && path.basename(parent) !== '.local'
    return isBinFolder && !containsHome(parent) ? [parent] : [folder]
  })
  return [...new Set(folders)]
}

// --- internal ---

/** This home, which is often one that dispatch made, and that of the user, which PATH leads into: `~/bin`. */
function listHomes(home: string): string[] {
  return [...new Set([home, os.homedir(), readAccountHome()])].filter(place => path.isAbsolute(place))
}

/** The home that the system has for this user, whatever HOME says. Empty for a user whom the system does not know. */
function readAccountHome(): string {
  try {
    return os.userInfo().homedir
  } catch {
    return ''
  }
}

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
  // What Debian and Ubuntu install for Ruby, TeX and Haskell. All may read it.
  '/var/lib/gems',
  '/var/lib/texmf',
  '/var/lib/ghc',
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
