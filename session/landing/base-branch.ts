import fs from 'node:fs'
import type { Session } from '../manifest.ts'
import { findBaseBranch } from '../repository/repository.ts'

/** The user's branch that a session started from; null where it was a commit without one. An older session has it in its repository only. */
export async function readBaseBranch({ manifest, paths }: Session): Promise<string | null> {
  const recorded = manifest.repository?.branch
  if (recorded !== undefined) return recorded
  if (!fs.existsSync(paths.bareRepository)) return null
  return (await findBaseBranch(paths)) ?? null
}
