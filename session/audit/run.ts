import fs from 'node:fs'
import { isSettled } from '../status/status.ts'
import type { AuditReport } from './audit.ts'
import { auditEvidence } from './evidence.ts'
import { closeIsolatedRepository, openIsolatedRepository } from './isolated-git.ts'
import { auditChain } from './log.ts'
import { auditManifest } from './manifest.ts'
import { auditSeal, listContractVersions } from './seal.ts'
import { openSessionFiles } from './session-files.ts'
import { auditPacket, auditVerdict } from './verdict.ts'
import { auditGitIndex, auditWorktree } from './worktree.ts'

/** The audit itself; `session/audit/audit.ts` says what it is. */
export async function auditFolder(folder: string, head?: string): Promise<AuditReport> {
  const dossier = openSessionFiles(folder)
  const { paths, status, log, id } = dossier
  const lens = fs.existsSync(paths.bareRepository) ? await openIsolatedRepository(paths) : 'is gone'
  try {
    const versions = listContractVersions(dossier)
    const problems = [
      ...auditChain(dossier, head),
      ...auditManifest(dossier),
      ...auditSeal(dossier, versions),
      ...(await auditEvidence(dossier, versions, lens)),
      ...auditPacket(dossier),
      ...(await auditVerdict(dossier, versions, lens)),
      ...(await auditWorktree(dossier, lens)),
      ...(await auditGitIndex(dossier, lens)),
    ]
    const at = log.events.findLastIndex(({ type }) => type === 'verdict.given')
    return {
      id,
      folder: paths.folder,
      isSound: !problems.some(({ isDamage }) => isDamage),
      hasEnded: status.closed !== undefined || isSettled(status),
      phase: status.phase,
      eventCount: log.events.length,
      head: log.head,
      verdictHead: log.hashes[at] ?? null,
      problems,
    }
  } finally {
    if (typeof lens !== 'string') closeIsolatedRepository(lens)
  }
}
