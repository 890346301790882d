import { isDeepStrictEqual } from 'node:util'
import { caps, type Dossier, eventsOf, hashOf, jsonIn, look } from './dossier.ts'
import { type Remark, Remarks } from './remark.ts'

/** Are task and settings those with which the session was opened? */
export function auditOpening(dossier: Dossier): Remark[] {
  const remarks = new Remarks('opening')
  const { paths, opening } = dossier
  const [opened] = eventsOf(dossier, 'session.opened')
  if (!opened && eventsOf(dossier, 'start.failed').length > 0) {
    remarks.note('events.jsonl', 'the session never began')
    return remarks.all
  }
  if (!opened) remarks.damage('events.jsonl', 'no line says that the session was opened', 'Its beginning was cut off.')
  const record = look(paths.session, caps.record)
  if (record.bytes === undefined) remarks.damage('session.json', record.why, 'Nobody knows with what it was opened.')
  else if (!opening) sayUnread(jsonIn(record), remarks)
  if (record.bytes && opened?.sha256 === undefined && opened)
    remarks.note('session.json', 'its hash was not recorded by that dispatch')
  else if (record.bytes && opened && hashOf(record.bytes) !== opened.sha256)
    remarks.damage(
      'session.json',
      'is not what the session was opened with',
      'Models, rounds or approval were changed later.',
    )
  if (opening && opened) {
    const { task, models, rounds, judgedOnly, repository } = opening
    const now = { task, models, rounds, judgedOnly, repository: repository?.path ?? null }
    for (const [name, value] of Object.entries(now))
      if (!isDeepStrictEqual(value, opened[name as keyof typeof now]))
        remarks.damage('session.json', `its ${name} is another than in the log`, 'One of the two was changed later.')
  }
  const task = look(paths.task, caps.output)
  const asked = opened?.task.sha256 ?? opening?.task.sha256
  if (task.bytes === undefined) remarks.damage('task.md', task.why, 'What was asked for cannot be read any more.')
  else if (asked !== undefined && hashOf(task.bytes) !== asked)
    remarks.damage('task.md', 'is not the task that was given', 'The work was done for other words than these.')
  return remarks.all
}

function sayUnread(value: unknown, remarks: Remarks): void {
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  if (typeof format === 'number' && format > 1)
    remarks.note('session.json', `was written by a newer dispatch (format ${format}): not all of it is known here`)
  else remarks.damage('session.json', 'does not read as one', 'Somebody has written into it.')
}
