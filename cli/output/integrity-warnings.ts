import { createHash } from 'node:crypto'
import { readUntrusted } from '#host/fs'
import type { Session } from '#session'
import { hasCommit } from '#session/repository'
import type { SessionStatus } from '#session/status'

/** What of a session's record is gone or is not what was recorded, and what that means, in words. Empty for a whole one. */
export async function findIntegrityWarnings({ paths }: Session, status: SessionStatus): Promise<string[]> {
  return [...checkContractFile(paths.contract, status), ...(await checkRepository(paths, status))]
}

// --- internal ---

/** More than a contract may have. */
const MAX_CONTRACT_BYTES = 1024 * 1024

function checkContractFile(file: string, { contract }: SessionStatus): string[] {
  if (!contract) return []
  const bytes = readUntrusted(file, MAX_CONTRACT_BYTES)
  if (bytes && createHash('sha256').update(bytes).digest('hex') === contract.sha256) return []
  const how = bytes ? 'is NOT what was sealed: somebody has changed it' : 'is gone'
  return [`contract.md ${how}. The clauses below are those of the log, as they were sealed`]
}

async function checkRepository(
  paths: Session['paths'],
  { base, verdict, acceptedCommit }: SessionStatus,
): Promise<string[]> {
  const commit = verdict?.commit ?? acceptedCommit ?? base?.commit
  if (commit === undefined || (await hasCommit(paths, commit))) return []
  const lost = verdict
    ? 'What was judged cannot be fetched any more, nor compared with outputs/'
    : 'No work can be judged'
  return [`evidence/repository.git is gone or damaged (commit ${commit.slice(0, 10)}). ${lost}`]
}
