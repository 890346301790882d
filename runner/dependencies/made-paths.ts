import fs from 'node:fs'
import path from 'node:path'
import { decodeNames, encodeName } from '#host/file-name.ts'
import { matchesEntry, type Project } from '#host/project'

const dependencyFolders =
  /^(node_modules|\.venv|venv|vendor|\.bundle|bower_components|Pods|deps|\.pnp\..*|.*\.egg-info)$/

/**
 * The paths that install commands made and that fit any tree with the same lock files: folders of dependencies. Anything else
 * (`dist/`, the output of a `prepare` script) comes from the sources of one tree; a check builds it for its own tree.
 */
export function listSharedPaths(tree: string, trackedFiles: string[], { makes }: Project): string[] {
  const untracked = listUntrackedPaths(tree, new Set(trackedFiles))
  // With Yarn's Plug'n'Play the packages are in .yarn; without, they are in node_modules, and .yarn has them a second time.
  const isPlugAndPlay = untracked.some(name => /(^|\/)\.pnp\.c?js$/.test(name))
  const isDependency = (name: string) =>
    name.split('/').some(step => dependencyFolders.test(step) || (isPlugAndPlay && step === '.yarn'))
  return untracked.filter(name => isDependency(name) || makes.some(entry => isMade(name, entry)))
}

/** A folder is made as a whole, or not. */
function isMade(name: string, entry: string): boolean {
  return entry.includes('*') ? matchesEntry(entry, name) : name === entry
}

/** The topmost paths of a tree that are not tracked. */
function listUntrackedPaths(tree: string, tracked: Set<string>): string[] {
  const trackedFolders = new Set([...tracked].flatMap(listParents))
  const walk = (folder: string): string[] =>
    fs.readdirSync(encodeName(path.join(tree, folder)), { withFileTypes: true, encoding: 'buffer' }).flatMap(entry => {
      const name = path.posix.join(folder, decodeNames(entry.name.toString('latin1')))
      if (tracked.has(name)) return []
      return entry.isDirectory() && trackedFolders.has(name) ? walk(name) : [name]
    })
  return walk('').sort()
}

/** `a/b/c.txt` -> `a`, `a/b`. */
function listParents(file: string): string[] {
  const steps = file.split('/').slice(0, -1)
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
}
