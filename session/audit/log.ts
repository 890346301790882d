import { type AuditProblem, AuditProblems } from './problem.ts'
import {
  listReadableNames,
  MAX_BYTES,
  parseJsonBytes,
  readCapped,
  type SessionFiles,
  selectEvents,
} from './session-files.ts'

/** Check the hash chain and the numbers of the log, and that it has the given head. */
export function auditLog(files: SessionFiles, head: string | undefined): AuditProblem[] {
  const problems = new AuditProblems('log')
  const { log, readError } = files
  if (readError !== undefined) {
    problems.addDamage(LOG_FILE, readError, LOST_CONSEQUENCE)
    return problems.list
  }
  if (log.lastSeq === 0) problems.addDamage(LOG_FILE, 'has no events', LOST_CONSEQUENCE)
  auditLines(files, problems)
  auditChainStart(files, head, problems)
  if (isLeaseReleased(files) && !log.events.some(({ type }) => type === 'session.closed' || type === 'start.failed'))
    problems.addDamage(
      LOG_FILE,
      'does not say that the session was closed, though its runner closed it',
      'The end of the log was cut off.',
    )
  if (log.unreadableLines > 0)
    problems.addNote(LOG_FILE, `lines that are not events, torn by a crash or added: ${log.unreadableLines}`)
  if (head !== undefined) auditHead(files, head, problems)
  auditOddities(files, problems)
  return problems.list
}

// --- internal ---

const LOG_FILE = 'events.jsonl'
const MAX_LISTED_LINES = 10
const LOST_CONSEQUENCE = 'There is no record of what happened.'

function auditLines({ log }: SessionFiles, problems: AuditProblems): void {
  const { chainBreaks } = log
  const seqGaps = log.seqGaps.filter(seq => !chainBreaks.includes(seq))
  for (const seq of chainBreaks.slice(0, MAX_LISTED_LINES))
    problems.addDamage(
      LOG_FILE,
      `line ${seq} does not follow the line before it`,
      'Lines were changed, removed or added there.',
    )
  for (const seq of seqGaps.slice(0, MAX_LISTED_LINES))
    problems.addDamage(
      LOG_FILE,
      `line ${seq} is not numbered after the line before it`,
      'Lines were removed, added or moved.',
    )
  const moreLines = chainBreaks.length + seqGaps.length - 2 * MAX_LISTED_LINES
  if (moreLines > 0)
    problems.addDamage(LOG_FILE, `about ${moreLines} more such lines`, 'This is not the log that was written.')
}

/** A log without a chain is from an older dispatch, unless something shows that it once had one. */
function auditChainStart(files: SessionFiles, head: string | undefined, problems: AuditProblems): void {
  const { chainStart, lastSeq } = files.log
  if (lastSeq === 0 || chainStart === 1) return
  if (chainStart !== null)
    problems.addNote(
      LOG_FILE,
      `the hash chain begins at line ${chainStart}: an older dispatch wrote the lines before it`,
    )
  else if (head === undefined && !hasLogAnchor(files))
    problems.addNote(LOG_FILE, 'has no hash chain: an older dispatch did not record one')
  else
    problems.addDamage(LOG_FILE, 'has no hash chain, though its head is known', 'All of its lines were written again.')
}

/** Check the head that the user got elsewhere: from the notification, or from an earlier audit. */
function auditHead({ log }: SessionFiles, head: string, problems: AuditProblems): void {
  const index = log.hashes.findIndex(hash => hash.startsWith(head))
  const event = log.events[index]
  if (event === undefined) {
    problems.addDamage(
      LOG_FILE,
      `no line has the head ${head}`,
      'The log was changed after that head was reported, or it is another session.',
    )
    return
  }
  const linesAfter = log.events.length - index - 1
  problems.addNote(
    LOG_FILE,
    linesAfter === 0
      ? `its last line (${event.seq}, ${event.type}) has the head ${head}`
      : `line ${event.seq} (${event.type}) has the head ${head}; the ${linesAfter} lines after it are not covered by it`,
  )
}

/** Note what is odd, but may be innocent. */
function auditOddities(files: SessionFiles, problems: AuditProblems): void {
  const { events } = files.log
  const backwards = events.filter((event, index) => event.time < (events[index - 1]?.time ?? ''))
  if (backwards[0])
    problems.addNote(
      LOG_FILE,
      `the clock went back before line ${backwards[0].seq}${backwards.length > 1 ? ' and others' : ''}`,
    )
  for (const { seq, reason, exitCode } of selectEvents(files, 'human.needed').slice(0, MAX_LISTED_LINES))
    if (exitCode === 13) problems.addNote(LOG_FILE, `its runner reported damage in line ${seq}: ${reason}`)
}

/** Did the last runner release its lease? It does so only after it has closed the session. */
function isLeaseReleased({ paths }: SessionFiles): boolean {
  const newest = listReadableNames(paths.runnerLease).findLast(name => /^\d{12}(\.free)?$/.test(name))
  return newest?.endsWith('.free') ?? false
}

/** Does the verdict name a line of the log? Then the log had a hash chain. */
function hasLogAnchor({ paths }: SessionFiles): boolean {
  const record = parseJsonBytes(readCapped(paths.verdictRecord, MAX_BYTES.record))
  return typeof record === 'object' && record !== null && 'logAnchor' in record
}
