import { createHash } from 'node:crypto'
import path from 'node:path'
import { readUntrusted } from '../host/index.ts'
import { readEvidence } from './evidence.ts'
import { readLog } from './log.ts'
import { type Matrix, matrixOf } from './matrix.ts'
import type { Paths } from './paths.ts'
import { recordOf } from './verdict.ts'
import type { View } from './view.ts'

const largest = 1024 * 1024

/**
 * The matrix of a session as it stands on disk. Before the seal it is made of the draft on the desk, if there is one. What is
 * not as the log says it was is named, and nothing is taken from it.
 */
export function readMatrix({ session, status, state }: View): Matrix {
  const { paths, opening } = session
  const text = (file: string) => readUntrusted(file, largest)?.toString('utf8')
  const task = text(paths.task)
  const noted = notedIn(paths)
  const isWhole = (file: string) => [undefined, hashOf(file)].includes(noted.get(file))
  const evidence = readEvidence(paths)
  const record = recordOf(paths, status)
  const files = [...noted.keys()].filter(file => file !== paths.verdictRecord || record !== undefined)
  const matrix = matrixOf({
    session: session.id,
    task: task ?? opening.task.title,
    contract: text(status.contract ? paths.contract : path.join(paths.desk, 'contract.md')),
    evidence: evidence.filter(({ id }) => isWhole(path.join(paths.evidence, `${id}.json`))),
    record: isWhole(paths.verdictRecord) ? record : undefined,
    status,
    state,
  })
  const broken = files.filter(file => !isWhole(file)).map(file => path.relative(paths.folder, file))
  const isTask = hashOf(paths.task) === opening.task.sha256
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
function notedIn(paths: Paths): Map<string, string> {
  const noted = new Map<string, string>()
  for (const event of readLog(paths.events).events) {
    if (event.is === 'check.ran' && event.sha256)
      noted.set(path.join(paths.evidence, `${event.record}.json`), event.sha256)
    if (event.is === 'verdict.given' && event.sha256) noted.set(paths.verdictRecord, event.sha256)
  }
  return noted
}

function hashOf(file: string): string {
  const bytes = readUntrusted(file, largest)
  return bytes ? createHash('sha256').update(bytes).digest('hex') : 'gone'
}
