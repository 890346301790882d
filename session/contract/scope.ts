import { decideBrackets } from './brackets.ts'
import { type Contract, listScopeGlobs } from './clause.ts'
import { matchesGlob } from './glob.ts'
import type { WorkDiff } from './pins.ts'

/** The changes that no scope of the contract allows. The scopes of a contract add up. Pure. */
export function listChangesOutsideScopes(contract: Contract, { baseFiles, changes }: WorkDiff): WorkDiff['changes'] {
  const globs = decideBrackets(listScopeGlobs(contract), baseFiles)
  return changes.filter(({ path }) => !globs.some(glob => matchesGlob(glob, path)))
}
