import fs from 'node:fs'
import { resolveRealPath } from '../fs/files.ts'
import { isUnder } from '../sandbox/policy.ts'

/** Why a folder may not be handed on; undefined if it may. `untrusted` are the folders that agents or other people write. */
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

/** False also for what cannot be read. */
export function isFolder(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory()
  } catch {
    return false
  }
}
