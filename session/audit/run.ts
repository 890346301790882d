import fs from 'node:fs'
import { isSettled } from '../status/status.ts'
import { auditEvidence } from './evidence.ts'
import { closeIsolatedRepository, openIsolatedRepository } from './isolated-git.ts'
import { auditLog } from './log.ts'
import { auditManifest } from './manifest.ts'
import type { AuditProblem } from './problem.ts'
import { auditSeal, listContractVersions } from './seal.ts'
import { GONE, openSessionFiles } from './session-files.ts'
import { auditPacket, auditVerdict } from './verdict.ts'
import { auditGitIndex, auditWorktree } from './worktree.ts'

/** The result of an audit. */
export interface AuditReport {
  id: string
  folder: string
  isSound: boolean
  /** Has the session ended, or was it audited while it runs? */
  hasEnded: boolean
  phase: string
  eventCount: number
  head: string | null
  /** The head of the log at the last verdict. Its first 16 digits were sent with the notification. */
  verdictHead: string | null
  problems: AuditProblem[]
}

/**
 * Cross-check the parts of a session's record: log, manifest, seal, evidence, packet, verdict, working tree and index.
 * Only the folder counts, which may come from anywhere: nothing in it is run, changed or waited for. `head` is the head
 * of the log, or its first digits, from another source.
 */
export async function auditSession(folder: string, head?: string): Promise<AuditReport> {
  const files = openSessionFiles(folder)
  const { paths, status, log, id } = files
  const opened = fs.existsSync(paths.bareRepository) ? await openIsolatedRepository(paths) : GONE
  const repository = typeof opened === 'string' ? undefined : opened
  try {
    const versions = listContractVersions(files)
    const problems = [
      ...auditLog(files, head),
      ...auditManifest(files),
      ...auditSeal(files, versions),
      ...(await auditEvidence(files, versions, repository)),
      ...auditPacket(files),
      ...(await auditVerdict(files, versions, repository)),
      ...(await auditWorktree(files, opened)),
      ...(await auditGitIndex(files, repository)),
    ]
    const verdictIndex = log.events.findLastIndex(({ type }) => type === 'verdict.given')
    return {
      id,
      folder: paths.folder,
      isSound: !problems.some(({ isDamage }) => isDamage),
      hasEnded: status.closed !== undefined || isSettled(status),
      phase: status.phase,
      eventCount: log.events.length,
      head: log.head,
      verdictHead: log.hashes[verdictIndex] ?? null,
      problems,
    }
  } finally {
    if (repository) closeIsolatedRepository(repository)
  }
}
