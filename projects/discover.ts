import fs from 'node:fs'
import path from 'node:path'
import { listNames } from '#host/fs'
import { tryGit } from '#host/git'

/** Where the work of a repository goes, as far as the repository says so. */
export interface Target {
  remote: string | null
  targetBranch: string | null
}

/** The remote of a repository (`origin`, or else its only one), and that one's main branch or else the current branch. */
export async function findTarget(repository: string): Promise<Target> {
  const read = async (...args: string[]) => (await tryGit(args, { cwd: repository })).stdout.trim()
  const remotes = (await read('remote')).split('\n').filter(Boolean)
  const remote = remotes.find(name => name === 'origin') ?? (remotes.length === 1 ? (remotes[0] ?? null) : null)
  const main = remote && (await read('symbolic-ref', '--quiet', '--short', `refs/remotes/${remote}/HEAD`))
  const branch = main ? main.slice(`${remote}/`.length) : await read('symbolic-ref', '--quiet', '--short', 'HEAD')
  return { remote, targetBranch: branch || null }
}

/**
 * The repositories below a folder that have this folder in them, such as `.agent-queue/inbox`, at most `MAX_DEPTH` levels down.
 * Links are not followed, and nothing is looked for inside a repository, nor in what may not be read.
 */
export function discoverRepositories(folder: string, marker: string): string[] {
  return walk(path.resolve(folder), marker, MAX_DEPTH).sort()
}

// --- internal ---

const MAX_DEPTH = 5
const skippedNames = ['node_modules', 'Library']

function walk(folder: string, marker: string, depth: number): string[] {
  if (fs.existsSync(path.join(folder, '.git'))) {
    const steps = marker.split('/').map((_, index, names) => path.join(folder, ...names.slice(0, index + 1)))
    return steps.every(isFolder) ? [folder] : []
  }
  if (depth === 0) return []
  return listReadableNames(folder)
    .filter(name => !name.startsWith('.') && !skippedNames.includes(name))
    .map(name => path.join(folder, name))
    .filter(isFolder)
    .flatMap(child => walk(child, marker, depth - 1))
}

function listReadableNames(folder: string): string[] {
  try {
    return listNames(folder)
  } catch {
    return []
  }
}

/** A folder itself, and no link to one. */
function isFolder(place: string): boolean {
  try {
    return fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    return false
  }
}
