import type { EventType } from '../log/event.ts'
import type { Audit } from './audit.ts'
import { listReadableNames, parseJsonBytes, readCapped } from './read-capped.ts'

/** Check the hash chain and the numbers of the log, and that it has the known head. */
export function auditLog(audit: Audit): void {
  const { log, logError, knownHead } = audit
  const { events } = audit.paths
  if (logError !== undefined) return audit.addDamage(events, logError, NO_RECORD)
  if (log.lastSeq === 0) audit.addDamage(events, 'has no events', NO_RECORD)
  auditLines(audit)
  auditChainStart(audit)
  const lastOfRunner = log.events.findLast(({ type }) => type === 'runner.started' || runnerEndings.includes(type))
  if (isLeaseReleased(audit) && lastOfRunner?.type === 'runner.started')
    audit.addDamage(
      events,
      'does not say how its runner ended, though it ended in an orderly way',
      'The end of the log was cut off.',
    )
  if (log.unreadableLines > 0)
    audit.addNote(
      events,
      `lines that are not events, torn by a crash, added, or of a newer dispatch: ${log.unreadableLines}`,
    )
  if (knownHead !== undefined) auditHead(audit, knownHead)
  auditOddities(audit)
}

// --- internal ---

const MAX_LISTED_LINES = 10
const NO_RECORD = 'There is no record of what happened.'

function auditLines(audit: Audit): void {
  const { events } = audit.paths
  const { chainBreaks } = audit.log
  const seqGaps = audit.log.seqGaps.filter(seq => !chainBreaks.includes(seq))
  for (const seq of chainBreaks.slice(0, MAX_LISTED_LINES))
    audit.addDamage(
      events,
      `line ${seq} does not follow the line before it`,
      'Lines were changed, removed or added there.',
    )
  for (const seq of seqGaps.slice(0, MAX_LISTED_LINES))
    audit.addDamage(
      events,
      `line ${seq} is not numbered after the line before it`,
      'Lines were removed, added or moved.',
    )
  const moreLines = chainBreaks.length + seqGaps.length - 2 * MAX_LISTED_LINES
  if (moreLines > 0)
    audit.addDamage(events, `about ${moreLines} more such lines`, 'This is not the log that was written.')
}

/** A log without a chain is from an older dispatch, unless something shows that it once had one. */
function auditChainStart(audit: Audit): void {
  const { events, verdictRecord } = audit.paths
  const { chainStart, lastSeq } = audit.log
  if (lastSeq === 0 || chainStart === 1) return
  if (chainStart !== null)
    return audit.addNote(
      events,
      `the hash chain begins at line ${chainStart}: an older dispatch wrote the lines before it`,
    )
  const record = parseJsonBytes(readCapped(verdictRecord))
  const hasAnchor = typeof record === 'object' && record !== null && 'logAnchor' in record
  if (audit.knownHead === undefined && !hasAnchor)
    audit.addNote(events, 'has no hash chain: an older dispatch did not record one')
  else audit.addDamage(events, 'has no hash chain, though its head is known', 'All of its lines were written again.')
}

/** Check the head that the user got elsewhere: from the notification, or from an earlier audit. */
function auditHead(audit: Audit, head: string): void {
  const { log, paths } = audit
  const index = log.hashes.findIndex(hash => hash.startsWith(head))
  const event = log.events[index]
  if (event === undefined)
    return audit.addDamage(
      paths.events,
      `no line has the head ${head}`,
      'The log was changed after that head was reported, or it is another session.',
    )
  const linesAfter = log.events.length - index - 1
  audit.addNote(
    paths.events,
    linesAfter === 0
      ? `its last line (${event.seq}, ${event.type}) has the head ${head}`
      : `line ${event.seq} (${event.type}) has the head ${head}; the ${linesAfter} lines after it are not covered by it`,
  )
}

/** Note what is odd, but may be innocent. */
function auditOddities(audit: Audit): void {
  const { log, paths } = audit
  const backwards = log.events.filter((event, index) => event.time < (log.events[index - 1]?.time ?? ''))
  const others = backwards.length > 1 ? ' and others' : ''
  if (backwards[0]) audit.addNote(paths.events, `the clock went back before line ${backwards[0].seq}${others}`)
  for (const { seq, reason, exitCode } of audit.selectEvents('human.needed').slice(0, MAX_LISTED_LINES))
    if (exitCode === 13) audit.addNote(paths.events, `its runner reported damage in line ${seq}: ${reason}`)
}

/** What a runner records before it releases its lease. */
const runnerEndings: EventType[] = ['session.closed', 'start.failed', 'session.slept', 'session.reopened']

/** Did the last runner release its lease? It does so only after it has recorded how it ends. */
function isLeaseReleased({ paths }: Audit): boolean {
  const newest = listReadableNames(paths.runnerLease).findLast(name => /^\d{12}(\.free)?$/.test(name))
  return newest?.endsWith('.free') ?? false
}
