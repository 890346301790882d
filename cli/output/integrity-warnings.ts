import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import type { Session } from '#session'
import { hasCommit } from '#session/repository'
import type { SessionStatus } from '#session/status'

/** What is missing from a session's record or was modified, and what that means. Empty for an intact record. */
export async function findIntegrityWarnings({ paths }: Session, status: SessionStatus): Promise<string[]> {
  return [...checkContractFile(paths.contract, status), ...(await checkRepository(paths, status))]
}

// --- internal ---

/** More than a contract can have. */
const MAX_CONTRACT_BYTES = 1024 * 1024

function checkContractFile(file: string, { contract }: SessionStatus): string[] {
  if (!contract) return []
  const content = readUntrusted(file, MAX_CONTRACT_BYTES)
  if (content && sha256(content) === contract.sha256) return []
  const problem = content ? 'was modified after it was sealed' : 'is missing'
  return [`contract.md ${problem}. The clauses below come from the log, as they were sealed`]
}

async function checkRepository(
  paths: Session['paths'],
  { base, verdict, acceptedCommit }: SessionStatus,
): Promise<string[]> {
  const commit = verdict?.commit ?? acceptedCommit ?? base?.commit
  if (commit === undefined || (await hasCommit(paths, commit))) return []
  const consequence = verdict
    ? 'The judged work cannot be fetched or compared with outputs/'
    : 'The work cannot be judged'
  return [`evidence/repository.git is missing or damaged (commit ${commit.slice(0, 10)}). ${consequence}`]
}
