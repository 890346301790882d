import { isDeepStrictEqual } from 'node:util'
import { sha256 } from '#host/hash.ts'
import type { SessionManifest } from '../manifest.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import { MAX_BYTES, parseJsonBytes, readCapped, type SessionFiles, selectEvents } from './session-files.ts'

type OpenedEvent = ReturnType<typeof selectEvents<'session.opened'>>[number]

/** Check that the task and the manifest are those with which the session was opened. */
export function auditManifest(files: SessionFiles): AuditProblem[] {
  const problems = new AuditProblems('manifest')
  const [opened] = selectEvents(files, 'session.opened')
  if (!opened && selectEvents(files, 'start.failed').length > 0) {
    problems.addNote('events.jsonl', 'the session never started')
    return problems.list
  }
  if (!opened)
    problems.addDamage(
      'events.jsonl',
      'no line says that the session was opened',
      'The beginning of the log was cut off.',
    )
  auditManifestFile(files, opened, problems)
  auditTask(files, opened, problems)
  return problems.list
}

// --- internal ---

function auditManifestFile(
  { paths, manifest }: SessionFiles,
  opened: OpenedEvent | undefined,
  problems: AuditProblems,
): void {
  const file = readCapped(paths.manifest, MAX_BYTES.record)
  if (file.bytes === undefined)
    return problems.addDamage('session.json', file.reason, 'The settings of the session are unknown.')
  if (!manifest) reportInvalidManifest(parseJsonBytes(file), problems)
  if (!opened) return
  if (opened.sha256 === undefined)
    problems.addNote('session.json', 'its hash is not in the log: an older dispatch did not record it')
  else if (sha256(file.bytes) !== opened.sha256)
    problems.addDamage(
      'session.json',
      'is not what the session was opened with',
      'Models, rounds or approval were changed later.',
    )
  if (manifest) compareWithEvent(manifest, opened, problems)
}

function compareWithEvent(manifest: SessionManifest, opened: OpenedEvent, problems: AuditProblems): void {
  const { task, models, maxRounds, allowsJudgedOnly, repository } = manifest
  const fields = { task, models, maxRounds, allowsJudgedOnly, repository: repository?.path ?? null }
  for (const [name, value] of Object.entries(fields))
    if (!isDeepStrictEqual(value, opened[name as keyof typeof fields]))
      problems.addDamage('session.json', `its ${name} differs from the log`, 'One of the two was changed later.')
}

function auditTask({ paths, manifest }: SessionFiles, opened: OpenedEvent | undefined, problems: AuditProblems): void {
  const file = readCapped(paths.task, MAX_BYTES.output)
  const expectedSha256 = opened?.task.sha256 ?? manifest?.task.sha256
  if (file.bytes === undefined) problems.addDamage('task.md', file.reason, 'The task cannot be read any more.')
  else if (expectedSha256 !== undefined && sha256(file.bytes) !== expectedSha256)
    problems.addDamage('task.md', 'is not the task that was given', 'The work was done for another task.')
}

function reportInvalidManifest(value: unknown, problems: AuditProblems): void {
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  if (typeof format === 'number' && format > 1)
    problems.addNote('session.json', `was written by a newer dispatch (format ${format}), and is only partly checked`)
  else problems.addDamage('session.json', 'is not a valid session manifest', 'It was changed.')
}
