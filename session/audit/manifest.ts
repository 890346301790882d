import { isDeepStrictEqual } from 'node:util'
import { type AuditProblem, AuditProblems } from './problem.ts'
import { hashBytes, MAX_BYTES, parseJsonBytes, readCapped, type SessionFiles, selectEvents } from './session-files.ts'

/** Are task and settings those with which the session was opened? */
export function auditManifest(dossier: SessionFiles): AuditProblem[] {
  const remarks = new AuditProblems('opening')
  const { paths, manifest } = dossier
  const [opened] = selectEvents(dossier, 'session.opened')
  if (!opened && selectEvents(dossier, 'start.failed').length > 0) {
    remarks.addNote('events.jsonl', 'the session never began')
    return remarks.problems
  }
  if (!opened)
    remarks.addDamage('events.jsonl', 'no line says that the session was opened', 'Its beginning was cut off.')
  const record = readCapped(paths.manifest, MAX_BYTES.record)
  if (record.bytes === undefined)
    remarks.addDamage('session.json', record.reason, 'Nobody knows with what it was opened.')
  else if (!manifest) reportUnreadable(parseJsonBytes(record), remarks)
  if (record.bytes && opened?.sha256 === undefined && opened)
    remarks.addNote('session.json', 'its hash was not recorded by that dispatch')
  else if (record.bytes && opened && hashBytes(record.bytes) !== opened.sha256)
    remarks.addDamage(
      'session.json',
      'is not what the session was opened with',
      'Models, rounds or approval were changed later.',
    )
  if (manifest && opened) {
    const { task, models, maxRounds, allowsJudgedOnly, repository } = manifest
    const now = { task, models, maxRounds, allowsJudgedOnly, repository: repository?.path ?? null }
    for (const [name, value] of Object.entries(now))
      if (!isDeepStrictEqual(value, opened[name as keyof typeof now]))
        remarks.addDamage('session.json', `its ${name} is another than in the log`, 'One of the two was changed later.')
  }
  const task = readCapped(paths.task, MAX_BYTES.output)
  const asked = opened?.task.sha256 ?? manifest?.task.sha256
  if (task.bytes === undefined) remarks.addDamage('task.md', task.reason, 'What was asked for cannot be read any more.')
  else if (asked !== undefined && hashBytes(task.bytes) !== asked)
    remarks.addDamage('task.md', 'is not the task that was given', 'The work was done for other words than these.')
  return remarks.problems
}

function reportUnreadable(value: unknown, remarks: AuditProblems): void {
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  if (typeof format === 'number' && format > 1)
    remarks.addNote('session.json', `was written by a newer dispatch (format ${format}): not all of it is known here`)
  else remarks.addDamage('session.json', 'does not read as one', 'Somebody has written into it.')
}
