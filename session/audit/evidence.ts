import path from 'node:path'
import { sha256 } from '#host/hash.ts'
import { EvidenceRecord } from '../evidence/evidence.ts'
import type { Audit, IndexedEvent } from './audit.ts'
import { findTree } from './isolated-git.ts'
import { isFolder, listReadableNames, MAX_BYTES, parseJsonBytes, readCapped } from './read-capped.ts'

/** Check that every evidence record is what the log says, and that there are no others. */
export async function auditEvidence(audit: Audit): Promise<void> {
  const { paths, repository } = audit
  if (!isFolder(paths.evidence)) audit.addDamage(paths.evidence, 'is not a folder', 'It was replaced.')
  const events = audit.selectEvents('check.ran')
  const treesByCommit = new Map<string, string | undefined>()
  // A round that a dead runner began is run again, into the same records: the last run of each counts.
  for (const event of new Map(events.map(each => [each.recordId, each])).values()) {
    const record = auditRecord(audit, event)
    if (!record) continue
    const file = paths.evidenceRecord(event.recordId)
    auditOutput(audit, record)
    auditConditions(audit, file, record)
    if (!repository) continue
    const { commit } = record
    if (!treesByCommit.has(commit)) treesByCommit.set(commit, await findTree(repository, commit))
    auditTree(audit, file, record, treesByCommit.get(commit))
  }
  if (events.some(event => event.sha256 === undefined))
    audit.addNote(paths.events, 'the hashes of the evidence are not in the log: an older dispatch did not record them')
  auditStrayRecords(audit, new Set(events.map(({ recordId }) => `${recordId}.json`)))
}

// --- internal ---

const NOT_EVIDENCE = 'It was changed after the check ran, so it is not evidence.'

/** The id of a record that dispatch may have written. */
const recordIdPattern = /^[\w.-]+$/

/** Was this round begun, without a verdict? Then a crash may have come between a record and its event. */
function isRoundOpen(audit: Audit, round: number): boolean {
  const isRound = (event: { round: number }) => event.round === round
  return audit.selectEvents('judging.started').some(isRound) && !audit.selectEvents('verdict.given').some(isRound)
}

/** Check one record against its event; undefined if it is not a valid record. */
function auditRecord(audit: Audit, event: IndexedEvent<'check.ran'>): EvidenceRecord | undefined {
  const { paths } = audit
  if (!recordIdPattern.test(event.recordId)) {
    audit.addDamage(paths.events, 'names a record that dispatch would not write', NOT_EVIDENCE)
    return undefined
  }
  const file = paths.evidenceRecord(event.recordId)
  const read = readCapped(file)
  const isRunAgain = event.side === 'head' && isRoundOpen(audit, event.round)
  if (isRunAgain && read.bytes && event.sha256 !== undefined && sha256(read.bytes) !== event.sha256) {
    audit.addNote(file, 'its round was run again, and did not end')
    return undefined
  }
  audit.checkHash(read, event.sha256, {
    lost: `The evidence that ${event.clauseId} was ${event.outcome} is lost.`,
    changed: ['is not what was recorded when the check ran', NOT_EVIDENCE],
  })
  if (read.bytes === undefined) return undefined
  const record = EvidenceRecord.safeParse(parseJsonBytes(read)).data
  if (!record) audit.addDamage(file, 'is not a valid record', NOT_EVIDENCE)
  for (const field of ['outcome', 'clauseId', 'side', 'round'] as const)
    if (record && record[field] !== event[field])
      audit.addDamage(file, `its ${field} is ${record[field]}, but ${event[field]} in the log`, NOT_EVIDENCE)
  return record
}

function auditOutput(audit: Audit, { id, outputSha256 }: EvidenceRecord): void {
  if (!recordIdPattern.test(id)) return
  audit.checkHash(readCapped(audit.paths.evidenceOutput(id), MAX_BYTES.output), outputSha256, {
    lost: 'The output of the check is lost.',
    changed: ['is not what the check printed', 'The outcome in the record does not come from this text.'],
  })
}

/** Check that the record is about a command of the contract, and about the base where it says so. */
function auditConditions(audit: Audit, file: string, { clauseId, command, side, commit }: EvidenceRecord): void {
  const contracts = audit.versions.flatMap(({ contract }) => contract ?? [])
  const isInContract = contracts
    .flatMap(({ clauses }) => clauses)
    .some(({ id, proof }) => id === clauseId && proof.kind === 'check' && proof.command === command)
  if (contracts.length > 0 && !isInContract)
    audit.addDamage(
      file,
      `ran \`${command.slice(0, 80)}\`, which no version of the contract has for ${clauseId}`,
      NOT_EVIDENCE,
    )
  const { base } = audit.status
  if (side === 'base' && base && commit !== base.commit)
    audit.addDamage(file, `ran on ${commit.slice(0, 10)}, which is not the base`, NOT_EVIDENCE)
}

function auditTree(audit: Audit, file: string, { commit, tree }: EvidenceRecord, actualTree: string | undefined): void {
  if (actualTree === undefined)
    audit.addDamage(
      audit.paths.bareRepository,
      `lacks commit ${commit.slice(0, 10)}, on which ${path.basename(file, '.json')} ran`,
      'The files that the check ran on are lost.',
    )
  else if (actualTree !== tree) audit.addDamage(file, 'names another tree than that of its commit', NOT_EVIDENCE)
}

/** Report records without an event: from a draft before the seal, from a round that was broken off, or added later. */
function auditStrayRecords(audit: Audit, knownNames: Set<string>): void {
  for (const name of listReadableNames(audit.paths.evidence)) {
    if (!/^(base|round)-.*\.json$/.test(name) || knownNames.has(name)) continue
    const file = path.join(audit.paths.evidence, name)
    const round = Number(/^round-(\d+)-/.exec(name)?.[1] ?? Number.NaN)
    if (name.startsWith('base-'))
      audit.addNote(file, 'is not in the log: from a draft, or added; nothing depends on it')
    else if (isRoundOpen(audit, round)) audit.addNote(file, 'is from a round without a verdict')
    else audit.addDamage(file, 'is not in the log', 'No runner of this session wrote it.')
  }
}
