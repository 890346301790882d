import { caps, type Dossier, eventsOf, jsonIn, look, namesOf } from './dossier.ts'
import { type Remark, Remarks } from './remark.ts'

const file = 'events.jsonl'

/** Does the log hang together, and is it the one whose head somebody was told? */
export function auditChain(dossier: Dossier, head: string | undefined): Remark[] {
  const remarks = new Remarks('chain')
  const { log, unreadable, paths } = dossier
  if (unreadable !== undefined) {
    remarks.damage(file, unreadable, 'Nothing that happened is on record.')
    return remarks.all
  }
  if (log.seq === 0) remarks.damage(file, 'holds no event', 'Nothing that happened is on record.')
  for (const seq of log.breaks.slice(0, most))
    remarks.damage(
      file,
      `line ${seq} does not follow the line before it`,
      'Lines were changed, removed or added there.',
    )
  const apart = log.gaps.filter(seq => !log.breaks.includes(seq))
  for (const seq of apart.slice(0, most))
    remarks.damage(file, `line ${seq} is not numbered after the line before it`, 'Lines were removed, added or moved.')
  const more = log.breaks.length + apart.length - 2 * most
  if (more > 0) remarks.damage(file, `about ${more} more such lines`, 'This log is not the one that was written.')
  const anchored = anchoredAt(jsonIn(look(paths.verdictRecord, caps.record)))
  if (log.chainedFrom === null && log.seq > 0) {
    if (!anchored && head === undefined)
      remarks.note(file, 'no line names the one before it: not recorded by that dispatch')
    else
      remarks.damage(file, 'no line names the one before it, though its head is known', 'All lines were written anew.')
  } else if ((log.chainedFrom ?? 1) > 1)
    remarks.note(file, `chained from line ${log.chainedFrom} on: an older dispatch wrote the lines before it`)
  if (isReleased(dossier) && !log.events.some(({ is }) => is === 'session.closed' || is === 'start.failed'))
    remarks.damage(
      file,
      'does not say that the session was closed, which its runner did',
      'The end of the log was cut off.',
    )
  if (log.unread > 0) remarks.note(file, `lines that are no event of ours, torn by a crash or put there: ${log.unread}`)
  if (head !== undefined) auditHead(dossier, head, remarks)
  return [...remarks.all, ...oddities(dossier)]
}

// --- internal ---

const most = 10

/** The head that a person has from elsewhere, from the phone or from an earlier audit. */
function auditHead({ log }: Dossier, head: string, remarks: Remarks): void {
  const at = log.hashes.findIndex(known => known.startsWith(head))
  if (at < 0) {
    const means = 'This is not the log that it was when that head was told, or it is another session.'
    remarks.damage(file, `no line has the head ${head}`, means)
    return
  }
  const { seq, is } = log.events[at] ?? { seq: 0, is: '' }
  const after = log.events.length - at - 1
  remarks.note(
    file,
    after === 0
      ? `its last line (${seq}, ${is}) has the head ${head}`
      : `line ${seq} (${is}) has the head ${head}; of the ${after} lines after it that head says nothing`,
  )
}

/** What is odd in a log and may be quite innocent. */
function oddities(dossier: Dossier): Remark[] {
  const remarks = new Remarks('chain')
  const { events } = dossier.log
  const back = events.filter((event, at) => event.at < (events[at - 1]?.at ?? ''))
  if (back.length > 0)
    remarks.note(file, `the clock went back before line ${back[0]?.seq}${back.length > 1 ? ' and others' : ''}`)
  for (const { seq, why, exit } of eventsOf(dossier, 'orchestrator.gave-up').slice(0, most))
    if (exit === 13) remarks.note(file, `its runner called a person in line ${seq}: ${why}`)
  return remarks.all
}

/** Has the last runner given its right back? It does so when it has closed the session, and not before. */
function isReleased({ paths }: Dossier): boolean {
  return (
    namesOf(paths.runner)
      .findLast(name => /^\d{12}(\.free)?$/.test(name))
      ?.endsWith('.free') ?? false
  )
}

/** Does a verdict name a line of the log? Then that log was chained. */
function anchoredAt(verdict: unknown): boolean {
  return typeof verdict === 'object' && verdict !== null && 'log' in verdict
}
