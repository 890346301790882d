import { type AuditProblem, AuditProblems } from './problem.ts'
import {
  listReadableNames,
  MAX_BYTES,
  parseJsonBytes,
  readCapped,
  type SessionFiles,
  selectEvents,
} from './session-files.ts'

const LOG_FILE = 'events.jsonl'

/** Does the log hang together, and is it the one whose head somebody was told? */
export function auditChain(dossier: SessionFiles, head: string | undefined): AuditProblem[] {
  const remarks = new AuditProblems('chain')
  const { log, readError, paths } = dossier
  if (readError !== undefined) {
    remarks.addDamage(LOG_FILE, readError, 'Nothing that happened is on record.')
    return remarks.problems
  }
  if (log.lastSeq === 0) remarks.addDamage(LOG_FILE, 'holds no event', 'Nothing that happened is on record.')
  for (const seq of log.chainBreaks.slice(0, MAX_LISTED_LINES))
    remarks.addDamage(
      LOG_FILE,
      `line ${seq} does not follow the line before it`,
      'Lines were changed, removed or added there.',
    )
  const apart = log.seqGaps.filter(seq => !log.chainBreaks.includes(seq))
  for (const seq of apart.slice(0, MAX_LISTED_LINES))
    remarks.addDamage(
      LOG_FILE,
      `line ${seq} is not numbered after the line before it`,
      'Lines were removed, added or moved.',
    )
  const more = log.chainBreaks.length + apart.length - 2 * MAX_LISTED_LINES
  if (more > 0)
    remarks.addDamage(LOG_FILE, `about ${more} more such lines`, 'This log is not the one that was written.')
  const anchored = hasLogAnchor(parseJsonBytes(readCapped(paths.verdictRecord, MAX_BYTES.record)))
  if (log.chainStart === null && log.lastSeq > 0) {
    if (!anchored && head === undefined)
      remarks.addNote(LOG_FILE, 'no line names the one before it: not recorded by that dispatch')
    else
      remarks.addDamage(
        LOG_FILE,
        'no line names the one before it, though its head is known',
        'All lines were written anew.',
      )
  } else if ((log.chainStart ?? 1) > 1)
    remarks.addNote(LOG_FILE, `chained from line ${log.chainStart} on: an older dispatch wrote the lines before it`)
  if (isLeaseReleased(dossier) && !log.events.some(({ type }) => type === 'session.closed' || type === 'start.failed'))
    remarks.addDamage(
      LOG_FILE,
      'does not say that the session was closed, which its runner did',
      'The end of the log was cut off.',
    )
  if (log.unreadableLines > 0)
    remarks.addNote(LOG_FILE, `lines that are no event of ours, torn by a crash or put there: ${log.unreadableLines}`)
  if (head !== undefined) auditHead(dossier, head, remarks)
  return [...remarks.problems, ...auditOddities(dossier)]
}

// --- internal ---

const MAX_LISTED_LINES = 10

/** The head that a person has from elsewhere, from the phone or from an earlier audit. */
function auditHead({ log }: SessionFiles, head: string, remarks: AuditProblems): void {
  const at = log.hashes.findIndex(known => known.startsWith(head))
  if (at < 0) {
    const means = 'This is not the log that it was when that head was told, or it is another session.'
    remarks.addDamage(LOG_FILE, `no line has the head ${head}`, means)
    return
  }
  const { seq, type } = log.events[at] ?? { seq: 0, type: '' }
  const after = log.events.length - at - 1
  remarks.addNote(
    LOG_FILE,
    after === 0
      ? `its last line (${seq}, ${type}) has the head ${head}`
      : `line ${seq} (${type}) has the head ${head}; of the ${after} lines after it that head says nothing`,
  )
}

/** What is odd in a log and may be quite innocent. */
function auditOddities(dossier: SessionFiles): AuditProblem[] {
  const remarks = new AuditProblems('chain')
  const { events } = dossier.log
  const back = events.filter((event, at) => event.time < (events[at - 1]?.time ?? ''))
  if (back.length > 0)
    remarks.addNote(LOG_FILE, `the clock went back before line ${back[0]?.seq}${back.length > 1 ? ' and others' : ''}`)
  for (const { seq, reason, exitCode } of selectEvents(dossier, 'human.needed').slice(0, MAX_LISTED_LINES))
    if (exitCode === 13) remarks.addNote(LOG_FILE, `its runner called a person in line ${seq}: ${reason}`)
  return remarks.problems
}

/** Has the last runner given its right back? It does so when it has closed the session, and not before. */
function isLeaseReleased({ paths }: SessionFiles): boolean {
  return (
    listReadableNames(paths.runnerLease)
      .findLast(name => /^\d{12}(\.free)?$/.test(name))
      ?.endsWith('.free') ?? false
  )
}

/** Does a verdict name a line of the log? Then that log was chained. */
function hasLogAnchor(verdict: unknown): boolean {
  return typeof verdict === 'object' && verdict !== null && 'logAnchor' in verdict
}
