import path from 'node:path'
import { EvidenceRecord } from '../evidence/evidence.ts'
import { findTree, type IsolatedRepository } from './isolated-git.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import type { ContractVersion } from './seal.ts'
import {
  hashBytes,
  isFolder,
  listReadableNames,
  MAX_BYTES,
  parseJsonBytes,
  readCapped,
  type SessionFiles,
  selectEvents,
} from './session-files.ts'

type CheckRun = ReturnType<typeof listCheckRuns>[number]

/** Is every record of a check what the log says of it, and is there none besides? */
export async function auditEvidence(
  dossier: SessionFiles,
  versions: ContractVersion[],
  lens: IsolatedRepository | string,
): Promise<AuditProblem[]> {
  const remarks = new AuditProblems('evidence')
  const trees = new Map<string, string | undefined>()
  const treeOf = async (commit: string) => {
    if (typeof lens !== 'string' && !trees.has(commit)) trees.set(commit, await findTree(lens, commit))
    return trees.get(commit)
  }
  if (!isFolder(dossier.paths.evidence))
    remarks.addDamage('evidence', 'is no folder of its own', 'What stands there was put there.')
  for (const ran of listLastRuns(dossier)) await auditRecord(dossier, ran, versions, remarks, lens, treeOf)
  if (listCheckRuns(dossier).some(({ sha256 }) => sha256 === undefined))
    remarks.addNote('events.jsonl', 'the hashes of the records were not recorded by that dispatch')
  auditStrays(dossier, remarks)
  return remarks.problems
}

// --- internal ---

function listCheckRuns(dossier: SessionFiles) {
  return selectEvents(dossier, 'check.ran')
}

/** A round that a dead runner began is run anew, into the same records: the last run of each counts. */
function listLastRuns(dossier: SessionFiles): CheckRun[] {
  return [...new Map(listCheckRuns(dossier).map(ran => [ran.recordId, ran])).values()]
}

/** Did a runner begin this round and come to no verdict on it? Then a crash may have come between a record and its line. */
function isRoundOpen(dossier: SessionFiles, round: number): boolean {
  const begun = selectEvents(dossier, 'judging.started').some(started => started.round === round)
  return begun && !selectEvents(dossier, 'verdict.given').some(given => given.round === round)
}

async function auditRecord(
  dossier: SessionFiles,
  ran: CheckRun,
  versions: ContractVersion[],
  remarks: AuditProblems,
  lens: IsolatedRepository | string,
  treeOf: (commit: string) => Promise<string | undefined>,
): Promise<void> {
  const file = `evidence/${ran.recordId}.json`
  if (!/^[\w.-]+$/.test(ran.recordId))
    return remarks.addDamage('events.jsonl', 'names a record by no name of ours', CLAIM_CONSEQUENCE)
  const seen = readCapped(path.join(dossier.paths.evidence, `${ran.recordId}.json`), MAX_BYTES.record)
  if (seen.bytes === undefined)
    return remarks.addDamage(file, seen.reason, `That ${ran.clauseId} was ${ran.outcome} cannot be shown any more.`)
  if (ran.sha256 !== undefined && hashBytes(seen.bytes) !== ran.sha256) {
    if (ran.side === 'head' && isRoundOpen(dossier, ran.round))
      return remarks.addNote(file, 'a round was begun anew and not ended')
    remarks.addDamage(file, 'is not what was recorded when the check ran', CLAIM_CONSEQUENCE)
  }
  const record = EvidenceRecord.safeParse(parseJsonBytes(seen)).data
  if (!record) return remarks.addDamage(file, 'does not read as a record', CLAIM_CONSEQUENCE)
  for (const name of ['outcome', 'clauseId', 'side', 'round'] as const)
    if (record[name] !== ran[name])
      remarks.addDamage(file, `its ${name} is ${record[name]}, in the log ${ran[name]}`, CLAIM_CONSEQUENCE)
  auditOutput(dossier, record, remarks)
  const isAsked = versions.some(({ contract }) =>
    contract?.clauses.some(
      ({ id, proof }) => id === record.clauseId && proof.kind === 'check' && proof.command === record.command,
    ),
  )
  if (versions.some(({ contract }) => contract) && !isAsked)
    remarks.addDamage(
      file,
      `ran \`${record.command.slice(0, 80)}\`, which no version of the contract has for ${record.clauseId}`,
      CLAIM_CONSEQUENCE,
    )
  const base = dossier.status.base
  if (record.side === 'base' && base && record.commit !== base.commit)
    remarks.addDamage(file, `ran on ${record.commit.slice(0, 10)}, and not on the base`, CLAIM_CONSEQUENCE)
  if (typeof lens === 'string') return
  const tree = await treeOf(record.commit)
  if (tree === undefined)
    remarks.addDamage(
      'evidence/repository.git',
      `lacks commit ${record.commit.slice(0, 10)}, on which ${ran.recordId} ran`,
      LOST_CONSEQUENCE,
    )
  else if (tree !== record.tree)
    remarks.addDamage(file, 'names a tree that its commit does not hold', CLAIM_CONSEQUENCE)
}

function auditOutput({ paths }: SessionFiles, { id, outputSha256 }: EvidenceRecord, remarks: AuditProblems): void {
  if (!/^[\w.-]+$/.test(id)) return
  const output = readCapped(path.join(paths.evidence, `${id}.txt`), MAX_BYTES.output)
  if (output.bytes === undefined)
    remarks.addDamage(`evidence/${id}.txt`, output.reason, 'What the check printed cannot be read any more.')
  else if (hashBytes(output.bytes) !== outputSha256)
    remarks.addDamage(
      `evidence/${id}.txt`,
      'is not what the check printed',
      'The outcome stands in the record; this text does not belong to it.',
    )
}

/** Records that no line of the log names: of drafts before the seal, of a round that was broken off, or put there. */
function auditStrays(dossier: SessionFiles, remarks: AuditProblems): void {
  const known = new Set(listCheckRuns(dossier).map(({ recordId }) => `${recordId}.json`))
  for (const name of listReadableNames(dossier.paths.evidence)) {
    if (!/^(base|round)-.*\.json$/.test(name) || known.has(name)) continue
    const round = Number(/^round-(\d+)-/.exec(name)?.[1] ?? Number.NaN)
    if (name.startsWith('base-'))
      remarks.addNote(`evidence/${name}`, 'no line names it: of a draft, or put there; nothing rests on it')
    else if (isRoundOpen(dossier, round)) remarks.addNote(`evidence/${name}`, 'is of a round that came to no verdict')
    else
      remarks.addDamage(`evidence/${name}`, 'no line of the log names it', 'No runner of this session has seen this.')
  }
}

const CLAIM_CONSEQUENCE = 'It is a claim of whoever changed it, and no evidence.'
const LOST_CONSEQUENCE = 'What the check ran on cannot be looked at any more.'
