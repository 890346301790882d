import path from 'node:path'
import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { readEvidence } from '../evidence/evidence.ts'
import { readCurrentVerdict } from '../evidence/verdict.ts'
import { readLog } from '../log/log.ts'
import type { SessionPaths } from '../paths.ts'
import type { SessionView } from '../status/view.ts'
import { buildMatrix, type Matrix } from './matrix.ts'

const MAX_FILE_BYTES = 1024 * 1024

/**
 * Read the matrix of a session. Before the seal it shows the orchestrator's draft, if there is one. A file that differs
 * from its hash in the log is named as damage, and is not used.
 */
export function readMatrix({ session, status, state }: SessionView): Matrix {
  const { paths, manifest } = session
  const readText = (file: string) => readUntrusted(file, MAX_FILE_BYTES)?.toString('utf8')
  const recordedHashes = new Map([[paths.task, manifest.task.sha256], ...listRecordedHashes(paths)])
  const damagedFiles = new Set(
    [...recordedHashes].filter(([file, hash]) => hashFile(file) !== hash).map(([file]) => file),
  )
  const verdictRecord = readCurrentVerdict(paths, status)
  const matrix = buildMatrix({
    sessionId: session.id,
    task: readText(paths.task) ?? manifest.task.title,
    contractText: readText(status.contract ? paths.contract : paths.draftContract),
    evidence: readEvidence(paths).filter(({ id }) => !damagedFiles.has(paths.evidenceRecord(id))),
    verdictRecord: damagedFiles.has(paths.verdictRecord) ? undefined : verdictRecord,
    status,
    state,
  })
  if (verdictRecord === undefined) damagedFiles.delete(paths.verdictRecord) // It is missing, or of another round.
  const damage = [...damagedFiles].map(file => `${path.relative(paths.folder, file)} is not what was recorded.`)
  return { ...matrix, damage: [...matrix.damage, ...damage] }
}

// --- internal ---

/** List files with their hashes in the log. A log of an older dispatch has none. */
function listRecordedHashes(paths: SessionPaths): [file: string, sha256: string][] {
  return readLog(paths.events).events.flatMap<[string, string]>(event => {
    if (event.type === 'check.ran' && event.sha256) return [[paths.evidenceRecord(event.recordId), event.sha256]]
    if (event.type === 'verdict.given' && event.sha256) return [[paths.verdictRecord, event.sha256]]
    return []
  })
}

function hashFile(file: string): string {
  const bytes = readUntrusted(file, MAX_FILE_BYTES)
  return bytes ? sha256(bytes) : 'gone'
}
