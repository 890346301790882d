import { createHash } from 'node:crypto'
import path from 'node:path'
import { readUntrusted } from '#host/fs'
import { readEvidence } from '../evidence/evidence.ts'
import { readCurrentVerdict } from '../evidence/verdict.ts'
import { readLog } from '../log/log.ts'
import type { SessionPaths } from '../paths.ts'
import type { SessionView } from '../status/view.ts'
import { buildMatrix, type Matrix } from './matrix.ts'

const MAX_FILE_BYTES = 1024 * 1024

/**
 * The matrix of a session as it stands on disk. Before the seal it is made of the draft on the desk, if there is one. What is
 * not as the log says it was is named, and nothing is taken from it.
 */
export function readMatrix({ session, status, state }: SessionView): Matrix {
  const { paths, manifest } = session
  const text = (file: string) => readUntrusted(file, MAX_FILE_BYTES)?.toString('utf8')
  const task = text(paths.task)
  const noted = readRecordedHashes(paths)
  const isWhole = (file: string) => [undefined, hashFile(file)].includes(noted.get(file))
  const evidence = readEvidence(paths)
  const record = readCurrentVerdict(paths, status)
  const files = [...noted.keys()].filter(file => file !== paths.verdictRecord || record !== undefined)
  const matrix = buildMatrix({
    sessionId: session.id,
    task: task ?? manifest.task.title,
    contractText: text(status.contract ? paths.contract : path.join(paths.orchestratorFolder, 'contract.md')),
    evidence: evidence.filter(({ id }) => isWhole(path.join(paths.evidence, `${id}.json`))),
    verdictRecord: isWhole(paths.verdictRecord) ? record : undefined,
    status,
    state,
  })
  const broken = files.filter(file => !isWhole(file)).map(file => path.relative(paths.folder, file))
  const isTask = hashFile(paths.task) === manifest.task.sha256
  return {
    ...matrix,
    damage: [
      ...matrix.damage,
      ...[...(isTask ? [] : ['task.md']), ...broken].map(file => `${file} is not what was recorded.`),
    ],
  }
}

// --- internal ---

/** By file, the hash that the log has of it. Logs of an older dispatch have none. */
function readRecordedHashes(paths: SessionPaths): Map<string, string> {
  const noted = new Map<string, string>()
  for (const event of readLog(paths.events).events) {
    if (event.type === 'check.ran' && event.sha256)
      noted.set(path.join(paths.evidence, `${event.recordId}.json`), event.sha256)
    if (event.type === 'verdict.given' && event.sha256) noted.set(paths.verdictRecord, event.sha256)
  }
  return noted
}

function hashFile(file: string): string {
  const bytes = readUntrusted(file, MAX_FILE_BYTES)
  return bytes ? createHash('sha256').update(bytes).digest('hex') : 'gone'
}
