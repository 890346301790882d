import path from 'node:path'
import { sha256 } from '#host/hash.ts'
import { renderVerdict, VerdictRecord } from '../evidence/verdict.ts'
import { type Audit, type IndexedEvent, listClauses } from './audit.ts'
import { auditGates, NOT_RELIABLE } from './gates.ts'
import { GONE, listReadableNames, MAX_BYTES, parseJsonBytes, type ReadResult, readCapped } from './read-capped.ts'

/** Check that the verdict is the one that was given, agrees with log and contract, and follows from its gates. */
export async function auditVerdict(audit: Audit): Promise<void> {
  const { events, verdictRecord, verdictText } = audit.paths
  auditRounds(audit)
  auditRepeatedVerdicts(audit)
  const event = audit.selectEvents('verdict.given').at(-1)
  const read = readCapped(verdictRecord)
  if (!event) {
    if (read.reason === GONE && readCapped(verdictText).reason === GONE)
      return audit.addNote(verdictRecord, 'there is no verdict yet')
    return audit.addDamage(verdictRecord, 'exists, though the log has no verdict', NOT_IN_LOG)
  }
  audit.checkHash(read, event.sha256, {
    lost: 'What the verdict is based on cannot be read there.',
    changed: ['is not the verdict that was given', NOT_RELIABLE],
  })
  if (read.bytes === undefined) return
  if (event.sha256 === undefined)
    audit.addNote(verdictRecord, 'its hash is not in the log: an older dispatch did not record it')
  const record = VerdictRecord.safeParse(parseJsonBytes(read)).data
  if (!record) return audit.addDamage(verdictRecord, 'is not a valid verdict record', NOT_RELIABLE)
  auditText(audit, record)
  auditAgreement(audit, record, event)
  const version = audit.versions.findLast(({ index }) => index < event.index)
  if (version) await auditGates({ audit, record, event, version })
  else audit.addDamage(events, 'has a verdict before any contract was sealed', NOT_RELIABLE)
}

/** Check that each packet is what the verdict says the judge received, round by round, and each kept question as it was asked. */
export function auditPacket(audit: Audit): void {
  auditQuestions(audit)
  const readPacket = (round: number) => readCapped(audit.paths.packet(round), MAX_BYTES.output)
  for (const { round } of audit.selectEvents('verdict.given')) {
    const record = VerdictRecord.safeParse(parseJsonBytes(readCapped(audit.paths.roundVerdict(round)))).data
    if (!record?.packetSha256) continue
    // A round in which nothing had changed has no packet of its own: the judge received that of an earlier round.
    const rounds = Array.from({ length: Math.min(round, MAX_PACKET_ROUNDS) }, (_, back) => round - back)
    const isJudged = ({ bytes }: ReadResult) => bytes !== undefined && sha256(bytes) === record.packetSha256
    if (rounds.some(candidate => isJudged(readPacket(candidate)))) continue
    const { file, bytes, reason } = readPacket(round)
    audit.addDamage(
      file,
      `${bytes ? 'is not what the judge received' : reason} in round ${round}`,
      'It cannot be shown any more what the judge saw.',
    )
  }
}

// --- internal ---

const NOT_IN_LOG =
  'It was added, or the end of the log was cut off, or the runner was killed before it wrote the event.'
const MAX_PACKET_ROUNDS = 100

/** Check the questions that were kept for judged rounds. One without a verdict may be in the middle of being asked. */
function auditQuestions(audit: Audit): void {
  const judgedRounds = new Set(audit.selectEvents('verdict.given').map(({ round }) => round))
  for (const { round, sha256: askedSha256 } of new Map(
    audit.selectEvents('judge.asked').map(event => [event.round, event]),
  ).values())
    if (judgedRounds.has(round))
      audit.checkHash(readCapped(audit.paths.judgeQuestion(round), MAX_BYTES.output), askedSha256, {
        lost: `The judge cannot be asked again about round ${round}.`,
        changed: [`is not what the judge was asked in round ${round}`, NOT_RELIABLE],
      })
}

/** Check that the judge was asked again only where it had not answered. */
function auditRepeatedVerdicts(audit: Audit): void {
  const verdicts = audit.selectEvents('verdict.given')
  for (const [index, { round, verdict, isUnanswered, seq }] of verdicts.entries()) {
    if (isUnanswered === true || !verdicts.slice(index + 1).some(later => later.round === round)) continue
    const message = `round ${round} has another verdict after the ${verdict} of line ${seq}, to which the judge had answered`
    audit.addDamage(audit.paths.events, message, NOT_RELIABLE)
  }
}

/** Check the kept verdict of every round, and that there are no others. */
function auditRounds(audit: Audit): void {
  const { paths } = audit
  const eventsByFile = new Map(
    audit.selectEvents('verdict.given').map(event => [paths.roundVerdict(event.round), event]),
  )
  for (const [file, event] of eventsByFile)
    audit.checkHash(readCapped(file), event.sha256, {
      lost: `The verdict of round ${event.round} is lost.`,
      changed: [`is not the verdict of round ${event.round}`, NOT_RELIABLE],
    })
  for (const name of listReadableNames(paths.evidence)) {
    const file = path.join(paths.evidence, name)
    if (/^verdict-\d+\.json$/.test(name) && !eventsByFile.has(file))
      audit.addDamage(file, 'is not in the log', NOT_IN_LOG)
  }
}

function auditText(audit: Audit, record: VerdictRecord): void {
  const { file, bytes, reason } = readCapped(audit.paths.verdictText)
  const expectedTexts = [undefined, audit.status.verdict?.voidReason].map(voidReason =>
    renderVerdict(record, voidReason),
  )
  if (bytes === undefined) audit.addDamage(file, reason, 'The verdict can only be read in verdict.json.')
  else if (!expectedTexts.includes(bytes.toString('utf8')))
    audit.addDamage(file, 'does not match verdict.json', 'What people read is not the verdict.')
}

/** Check that record, event and log name the same things. */
function auditAgreement(audit: Audit, record: VerdictRecord, event: IndexedEvent<'verdict.given'>): void {
  const { id, log, status, paths } = audit
  const reject = (message: string) => audit.addDamage(paths.verdictRecord, message, NOT_RELIABLE)
  for (const field of ['round', 'verdict', 'commit', 'tree', 'independence'] as const)
    if (record[field] !== event[field])
      reject(`its ${field} is ${clip(record[field])}, but ${clip(event[field])} in the log`)
  if (!record.reason.startsWith(event.reason)) reject('has another reason than the log')
  if (record.sessionId !== id) reject(`is of another session: ${record.sessionId.slice(0, 80)}`)
  if (listClauses(record.clauses, 'verdict') !== listClauses(event.clauses, 'verdict'))
    reject('has other clauses than the log')
  if (record.logAnchor) {
    const { seq, head } = record.logAnchor
    const index = log.events.findIndex(logged => logged.seq === seq)
    if (log.hashes[index] !== head || event.index !== index + 1)
      audit.addDamage(
        paths.events,
        `is not the log that verdict.json is bound to (line ${seq})`,
        'The log was written again after the verdict.',
      )
  } else if (log.chainStart === 1) audit.addNote(paths.verdictRecord, 'has no log anchor')
  if (status.verdict?.voidReason !== undefined && status.phase === event.verdict)
    audit.addNote(paths.events, `says that this verdict is void: ${status.verdict.voidReason}`)
}

function clip(value: string | number): string {
  return String(value).slice(0, 60)
}
