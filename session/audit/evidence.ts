import path from 'node:path'
import { sha256 } from '#host/hash.ts'
import { EvidenceRecord } from '../evidence/evidence.ts'
import { findTree, type IsolatedRepository } from './isolated-git.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import type { ContractVersion } from './seal.ts'
import {
  isFolder,
  listReadableNames,
  MAX_BYTES,
  parseJsonBytes,
  readCapped,
  type SessionFiles,
  selectEvents,
} from './session-files.ts'

type CheckEvent = ReturnType<typeof listCheckEvents>[number]

/** Check that every evidence record is what the log says, and that there are no others. */
export async function auditEvidence(
  files: SessionFiles,
  versions: ContractVersion[],
  repository: IsolatedRepository | undefined,
): Promise<AuditProblem[]> {
  const problems = new AuditProblems('evidence')
  if (!isFolder(files.paths.evidence)) problems.addDamage('evidence', 'is not a folder', 'It was replaced.')
  const treesByCommit = new Map<string, string | undefined>()
  for (const event of listLastCheckEvents(files)) {
    const record = auditRecord(files, event, problems)
    if (!record) continue
    const file = recordFile(event)
    auditOutput(files, record, problems)
    auditCommand(file, record, versions, problems)
    auditBase(files, file, record, problems)
    if (!repository) continue
    const { commit } = record
    if (!treesByCommit.has(commit)) treesByCommit.set(commit, await findTree(repository, commit))
    auditTree(file, record, treesByCommit.get(commit), problems)
  }
  if (listCheckEvents(files).some(event => event.sha256 === undefined))
    problems.addNote(
      'events.jsonl',
      'the hashes of the evidence are not in the log: an older dispatch did not record them',
    )
  auditStrayRecords(files, problems)
  return problems.list
}

// --- internal ---

const NOT_EVIDENCE = 'It was changed after the check ran, so it is not evidence.'

function listCheckEvents(files: SessionFiles) {
  return selectEvents(files, 'check.ran')
}

function recordFile({ recordId }: CheckEvent): string {
  return `evidence/${recordId}.json`
}

/** A round that a dead runner began is run again, into the same records: the last run of each counts. */
function listLastCheckEvents(files: SessionFiles): CheckEvent[] {
  return [...new Map(listCheckEvents(files).map(event => [event.recordId, event])).values()]
}

/** Was this round begun, without a verdict? Then a crash may have come between a record and its event. */
function isRoundOpen(files: SessionFiles, round: number): boolean {
  const isRound = (event: { round: number }) => event.round === round
  return selectEvents(files, 'judging.started').some(isRound) && !selectEvents(files, 'verdict.given').some(isRound)
}

/** Check one record against its event; undefined if it is not a valid record. */
function auditRecord(files: SessionFiles, event: CheckEvent, problems: AuditProblems): EvidenceRecord | undefined {
  const { recordId, clauseId, outcome } = event
  const name = recordFile(event)
  if (!/^[\w.-]+$/.test(recordId)) {
    problems.addDamage('events.jsonl', 'names a record that dispatch would not write', NOT_EVIDENCE)
    return undefined
  }
  const file = readCapped(path.join(files.paths.evidence, `${recordId}.json`), MAX_BYTES.record)
  if (file.bytes === undefined) {
    problems.addDamage(name, file.reason, `The evidence that ${clauseId} was ${outcome} is lost.`)
    return undefined
  }
  if (event.sha256 !== undefined && sha256(file.bytes) !== event.sha256) {
    if (event.side === 'head' && isRoundOpen(files, event.round)) {
      problems.addNote(name, 'its round was run again, and did not end')
      return undefined
    }
    problems.addDamage(name, 'is not what was recorded when the check ran', NOT_EVIDENCE)
  }
  const record = EvidenceRecord.safeParse(parseJsonBytes(file)).data
  if (!record) {
    problems.addDamage(name, 'is not a valid record', NOT_EVIDENCE)
    return undefined
  }
  for (const field of ['outcome', 'clauseId', 'side', 'round'] as const)
    if (record[field] !== event[field])
      problems.addDamage(name, `its ${field} is ${record[field]}, but ${event[field]} in the log`, NOT_EVIDENCE)
  return record
}

function auditOutput({ paths }: SessionFiles, { id, outputSha256 }: EvidenceRecord, problems: AuditProblems): void {
  if (!/^[\w.-]+$/.test(id)) return
  const output = readCapped(path.join(paths.evidence, `${id}.txt`), MAX_BYTES.output)
  if (output.bytes === undefined)
    problems.addDamage(`evidence/${id}.txt`, output.reason, 'The output of the check is lost.')
  else if (sha256(output.bytes) !== outputSha256)
    problems.addDamage(
      `evidence/${id}.txt`,
      'is not what the check printed',
      'The outcome in the record does not come from this text.',
    )
}

function auditCommand(
  file: string,
  record: EvidenceRecord,
  versions: ContractVersion[],
  problems: AuditProblems,
): void {
  const contracts = versions.flatMap(({ contract }) => contract ?? [])
  const isInContract = contracts.some(({ clauses }) =>
    clauses.some(
      ({ id, proof }) => id === record.clauseId && proof.kind === 'check' && proof.command === record.command,
    ),
  )
  if (contracts.length > 0 && !isInContract)
    problems.addDamage(
      file,
      `ran \`${record.command.slice(0, 80)}\`, which no version of the contract has for ${record.clauseId}`,
      NOT_EVIDENCE,
    )
}

function auditBase(
  { status }: SessionFiles,
  file: string,
  { side, commit }: EvidenceRecord,
  problems: AuditProblems,
): void {
  if (side === 'base' && status.base && commit !== status.base.commit)
    problems.addDamage(file, `ran on ${commit.slice(0, 10)}, which is not the base`, NOT_EVIDENCE)
}

function auditTree(
  file: string,
  { commit, tree }: EvidenceRecord,
  actualTree: string | undefined,
  problems: AuditProblems,
): void {
  if (actualTree === undefined)
    problems.addDamage(
      'evidence/repository.git',
      `lacks commit ${commit.slice(0, 10)}, on which ${path.basename(file, '.json')} ran`,
      'The files that the check ran on are lost.',
    )
  else if (actualTree !== tree) problems.addDamage(file, 'names another tree than that of its commit', NOT_EVIDENCE)
}

/** Report records without an event: from a draft before the seal, from a round that was broken off, or added later. */
function auditStrayRecords(files: SessionFiles, problems: AuditProblems): void {
  const knownNames = new Set(listCheckEvents(files).map(({ recordId }) => `${recordId}.json`))
  for (const name of listReadableNames(files.paths.evidence)) {
    if (!/^(base|round)-.*\.json$/.test(name) || knownNames.has(name)) continue
    const round = Number(/^round-(\d+)-/.exec(name)?.[1] ?? Number.NaN)
    if (name.startsWith('base-'))
      problems.addNote(`evidence/${name}`, 'is not in the log: from a draft, or added; nothing depends on it')
    else if (isRoundOpen(files, round)) problems.addNote(`evidence/${name}`, 'is from a round without a verdict')
    else problems.addDamage(`evidence/${name}`, 'is not in the log', 'No runner of this session wrote it.')
  }
}
