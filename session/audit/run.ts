import fs from 'node:fs'
import path from 'node:path'
import { resolveSessionPaths } from '../paths.ts'
import { isSettled } from '../status/conditions.ts'
import { Audit, type AuditPart, type AuditProblem, auditParts } from './audit.ts'
import { auditEvidence } from './evidence.ts'
import { openIsolatedRepository } from './isolated-git.ts'
import { auditLanding } from './landing.ts'
import { auditLog } from './log.ts'
import { auditManifest } from './manifest.ts'
import { auditPullRequest } from './pull-request.ts'
import { GONE } from './read-capped.ts'
import { auditSeal } from './seal.ts'
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

const partAudits: Record<AuditPart, (audit: Audit) => void | Promise<void>> = {
  log: auditLog,
  manifest: auditManifest,
  seal: auditSeal,
  evidence: auditEvidence,
  packet: auditPacket,
  verdict: auditVerdict,
  landing: auditLanding,
  'pull request': auditPullRequest,
  worktree: auditWorktree,
  index: auditGitIndex,
}

/**
 * Cross-check the parts of a session's record. Only the folder counts, which may come from anywhere: nothing in it is
 * run, changed or waited for. `head` is the head of the log, or its first digits, from another source.
 */
export async function auditSession(folder: string, head?: string): Promise<AuditReport> {
  const paths = resolveSessionPaths(path.resolve(folder))
  const repository = fs.existsSync(paths.bareRepository) ? await openIsolatedRepository(paths) : GONE
  try {
    const audit = new Audit(paths, repository, head)
    for (const part of auditParts) {
      audit.part = part
      await partAudits[part](audit)
    }
    const { id, status, log, problems } = audit
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
    if (typeof repository !== 'string') fs.rmSync(repository.tempFolder, { recursive: true, force: true })
  }
}
