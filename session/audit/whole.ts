import fs from 'node:fs'
import type { Audit } from '../audit.ts'
import { settled } from '../status.ts'
import { auditChain } from './chain.ts'
import { openDossier } from './dossier.ts'
import { auditEvidence } from './evidence.ts'
import { closeLens, openLens } from './lens.ts'
import { auditOpening } from './opening.ts'
import { auditSeal, versionsOf } from './seal.ts'
import { auditPacket, auditVerdict } from './verdict.ts'
import { auditIndex, auditTree } from './work.ts'

/** The audit itself; `session/audit.ts` says what it is. */
export async function auditFolder(folder: string, head?: string): Promise<Audit> {
  const dossier = openDossier(folder)
  const { paths, status, log, id } = dossier
  const lens = fs.existsSync(paths.trees) ? await openLens(paths) : 'is gone'
  try {
    const versions = versionsOf(dossier)
    const remarks = [
      ...auditChain(dossier, head),
      ...auditOpening(dossier),
      ...auditSeal(dossier, versions),
      ...(await auditEvidence(dossier, versions, lens)),
      ...auditPacket(dossier),
      ...(await auditVerdict(dossier, versions, lens)),
      ...(await auditTree(dossier, lens)),
      ...(await auditIndex(dossier, lens)),
    ]
    const at = log.events.findLastIndex(({ is }) => is === 'verdict.given')
    return {
      id,
      folder: paths.folder,
      isSound: !remarks.some(({ isDamage }) => isDamage),
      hasEnded: status.closed !== undefined || settled(status),
      phase: status.phase,
      events: log.events.length,
      head: log.head,
      verdictHead: log.hashes[at] ?? null,
      remarks,
    }
  } finally {
    if (typeof lens !== 'string') closeLens(lens)
  }
}
