import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import type { Session } from '#session'
import { hasCommit } from '#session/repository'
import type { SessionStatus } from '#session/status'
import { MAX_CONTRACT_BYTES } from './contract-view.ts'

/** What is missing from a session's record or was modified, and what that means. Empty for an intact record. */
export async function findIntegrityWarnings({ paths }: Session, status: SessionStatus): Promise<string[]> {
  const { contract, base, verdict, acceptedCommit } = status
  const warnings: string[] = []
  const content = readUntrusted(paths.contract, MAX_CONTRACT_BYTES)
  if (contract && (!content || sha256(content) !== contract.sha256)) {
    const problem = content ? 'was modified after it was sealed' : 'is missing'
    warnings.push(`contract.md ${problem}. The clauses below come from the log, as they were sealed`)
  }
  const commit = verdict?.commit ?? acceptedCommit ?? base?.commit
  if (commit !== undefined && !(await hasCommit(paths, commit))) {
    const consequence = verdict
      ? 'The judged work cannot be fetched or compared with outputs/'
      : 'The work cannot be judged'
    warnings.push(`evidence/repository.git is missing or damaged (commit ${commit.slice(0, 10)}). ${consequence}`)
  }
  return warnings
}
