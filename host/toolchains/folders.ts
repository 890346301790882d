import fs from 'node:fs'
import path from 'node:path'
import { resolveRealPath } from '../fs/files.ts'
import { isUnder } from '../sandbox/policy.ts'

/** Why a folder may not be passed on; undefined if it may. `untrusted` are the folders that agents or other people write. */
export function explainUnusable(
  folder: string,
  { home, untrusted }: { home: string; untrusted: string[] },
): string | undefined {
  const real = resolveRealPath(folder)
  if (isUnder(resolveRealPath(home), real)) return 'contains your home folder'
  if (untrusted.some(place => isUnder(real, place))) return 'lies where agents write'
  if (untrusted.some(place => isUnder(place, real))) return 'contains the repository'
  return undefined
}

/**
 * Where a place of a home is, by its path from there; undefined if it does not exist, or if a link is anywhere on the way: what
 * runs in a setup can make one that leads to other files of the user.
 */
export function resolveInHome(home: string, place: string): string | undefined {
  const file = path.join(home, place)
  const hasNoLink = resolveRealPath(file) === path.join(resolveRealPath(home), place)
  return hasNoLink && fs.existsSync(file) ? file : undefined
}

/** False also for what cannot be read. */
export function isFolder(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory()
  } catch {
    return false
  }
}
