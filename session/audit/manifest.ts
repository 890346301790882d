import { isDeepStrictEqual } from 'node:util'
import type { Audit, IndexedEvent } from './audit.ts'
import { MAX_BYTES, parseJsonBytes, readCapped } from './read-capped.ts'

/** Check that the task and the manifest are those with which the session was opened. */
export function auditManifest(audit: Audit): void {
  const { events } = audit.paths
  const [opened] = audit.selectEvents('session.opened')
  if (!opened && audit.selectEvents('start.failed').length > 0)
    return audit.addNote(events, 'the session never started')
  if (!opened)
    audit.addDamage(events, 'no line says that the session was opened', 'The beginning of the log was cut off.')
  auditManifestFile(audit, opened)
  audit.checkHash(readCapped(audit.paths.task, MAX_BYTES.output), opened?.task.sha256 ?? audit.manifest?.task.sha256, {
    lost: 'The task cannot be read any more.',
    changed: ['is not the task that was given', 'The work was done for another task.'],
  })
}

// --- internal ---

function auditManifestFile(audit: Audit, opened: IndexedEvent<'session.opened'> | undefined): void {
  const { manifest, paths } = audit
  const read = readCapped(paths.manifest)
  audit.checkHash(read, opened?.sha256, {
    lost: 'The settings of the session are unknown.',
    changed: ['is not what the session was opened with', 'Models, rounds or approval were changed later.'],
  })
  if (read.bytes === undefined) return
  if (!manifest) reportInvalidManifest(audit, parseJsonBytes(read))
  if (!opened) return
  if (opened.sha256 === undefined)
    audit.addNote(paths.manifest, 'its hash is not in the log: an older dispatch did not record it')
  if (!manifest) return
  const { task, models, maxRounds, allowsJudgedOnly, repository } = manifest
  const fields = { task, models, maxRounds, allowsJudgedOnly, repository: repository?.path ?? null }
  for (const [name, value] of Object.entries(fields))
    if (!isDeepStrictEqual(value, opened[name as keyof typeof fields]))
      audit.addDamage(paths.manifest, `its ${name} differs from the log`, 'One of the two was changed later.')
}

function reportInvalidManifest(audit: Audit, value: unknown): void {
  const file = audit.paths.manifest
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  if (typeof format === 'number' && format > 1)
    audit.addNote(file, `was written by a newer dispatch (format ${format}), and is only partly checked`)
  else audit.addDamage(file, 'is not a valid session manifest', 'It was changed.')
}
