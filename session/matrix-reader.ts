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

/** The matrix of a session as it stands on disk. Before the seal it is made of the draft on the desk, if there is one. */
export function readMatrix({ session, status, state }: View): Matrix {
  const { paths } = session
  const text = (file: string) => readUntrusted(file, largest)?.toString('utf8')
  const matrix = matrixOf({
    session: session.id,
    task: text(paths.task) ?? session.opening.task.title,
    contract: text(status.contract ? paths.contract : path.join(paths.desk, 'contract.md')),
    evidence: readEvidence(paths),
    record: recordOf(paths, status),
    status,
    state,
  })
  return { ...matrix, damage: [...matrix.damage, ...changed(paths)] }
}

/** Which records are no longer what the log says they were, by their hashes. Logs of an older dispatch have none. */
function changed(paths: Paths): string[] {
  const { events } = readLog(paths.events)
  const noted = new Map<string, string>()
  for (const event of events) {
    if (event.is === 'check.ran' && event.sha256)
      noted.set(path.join(paths.evidence, `${event.record}.json`), event.sha256)
    if (event.is === 'verdict.given' && event.sha256) noted.set(paths.verdictRecord, event.sha256)
  }
  return [...noted].flatMap(([file, sha256]) => {
    const bytes = readUntrusted(file, largest)
    if (bytes && createHash('sha256').update(bytes).digest('hex') === sha256) return []
    return [`${path.relative(paths.folder, file)} is ${bytes ? 'not what was recorded' : 'gone'}.`]
  })
}
