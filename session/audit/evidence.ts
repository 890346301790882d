import path from 'node:path'
import { EvidenceRecord } from '../evidence.ts'
import { caps, type Dossier, eventsOf, hashOf, isFolder, jsonIn, look, namesOf } from './dossier.ts'
import { type Lens, treeIn } from './lens.ts'
import { type Remark, Remarks } from './remark.ts'
import type { Version } from './seal.ts'

type Ran = ReturnType<typeof runsOf>[number]

/** Is every record of a check what the log says of it, and is there none besides? */
export async function auditEvidence(dossier: Dossier, versions: Version[], lens: Lens | string): Promise<Remark[]> {
  const remarks = new Remarks('evidence')
  const trees = new Map<string, string | undefined>()
  const treeOf = async (commit: string) => {
    if (typeof lens !== 'string' && !trees.has(commit)) trees.set(commit, await treeIn(lens, commit))
    return trees.get(commit)
  }
  if (!isFolder(dossier.paths.evidence))
    remarks.damage('evidence', 'is no folder of its own', 'What stands there was put there.')
  for (const ran of lastRuns(dossier)) await auditRecord(dossier, ran, versions, remarks, lens, treeOf)
  if (runsOf(dossier).some(({ sha256 }) => sha256 === undefined))
    remarks.note('events.jsonl', 'the hashes of the records were not recorded by that dispatch')
  auditStrays(dossier, remarks)
  return remarks.all
}

// --- internal ---

function runsOf(dossier: Dossier) {
  return eventsOf(dossier, 'check.ran')
}

/** A round that a dead runner began is run anew, into the same records: the last run of each counts. */
function lastRuns(dossier: Dossier): Ran[] {
  return [...new Map(runsOf(dossier).map(ran => [ran.record, ran])).values()]
}

/** Did a runner begin this round and come to no verdict on it? Then a crash may have come between a record and its line. */
function isOpen(dossier: Dossier, round: number): boolean {
  const begun = eventsOf(dossier, 'judging.started').some(started => started.round === round)
  return begun && !eventsOf(dossier, 'verdict.given').some(given => given.round === round)
}

async function auditRecord(
  dossier: Dossier,
  ran: Ran,
  versions: Version[],
  remarks: Remarks,
  lens: Lens | string,
  treeOf: (commit: string) => Promise<string | undefined>,
): Promise<void> {
  const file = `evidence/${ran.record}.json`
  if (!/^[\w.-]+$/.test(ran.record)) return remarks.damage('events.jsonl', 'names a record by no name of ours', claim)
  const seen = look(path.join(dossier.paths.evidence, `${ran.record}.json`), caps.record)
  if (seen.bytes === undefined)
    return remarks.damage(file, seen.why, `That ${ran.clause} was ${ran.outcome} cannot be shown any more.`)
  if (ran.sha256 !== undefined && hashOf(seen.bytes) !== ran.sha256) {
    if (ran.side === 'head' && isOpen(dossier, ran.round))
      return remarks.note(file, 'a round was begun anew and not ended')
    remarks.damage(file, 'is not what was recorded when the check ran', claim)
  }
  const record = EvidenceRecord.safeParse(jsonIn(seen)).data
  if (!record) return remarks.damage(file, 'does not read as a record', claim)
  for (const name of ['outcome', 'clause', 'side', 'round'] as const)
    if (record[name] !== ran[name])
      remarks.damage(file, `its ${name} is ${record[name]}, in the log ${ran[name]}`, claim)
  auditOutput(dossier, record, remarks)
  const isAsked = versions.some(({ contract }) =>
    contract?.clauses.some(
      ({ id, proof }) => id === record.clause && proof.is === 'check' && proof.command === record.command,
    ),
  )
  if (versions.some(({ contract }) => contract) && !isAsked)
    remarks.damage(
      file,
      `ran \`${record.command.slice(0, 80)}\`, which no version of the contract has for ${record.clause}`,
      claim,
    )
  const base = dossier.status.base
  if (record.side === 'base' && base && record.commit !== base.commit)
    remarks.damage(file, `ran on ${record.commit.slice(0, 10)}, and not on the base`, claim)
  if (typeof lens === 'string') return
  const tree = await treeOf(record.commit)
  if (tree === undefined)
    remarks.damage('evidence/trees.git', `lacks commit ${record.commit.slice(0, 10)}, on which ${ran.record} ran`, lost)
  else if (tree !== record.tree) remarks.damage(file, 'names a tree that its commit does not hold', claim)
}

function auditOutput({ paths }: Dossier, { id, outputSha256 }: EvidenceRecord, remarks: Remarks): void {
  if (!/^[\w.-]+$/.test(id)) return
  const output = look(path.join(paths.evidence, `${id}.txt`), caps.output)
  if (output.bytes === undefined)
    remarks.damage(`evidence/${id}.txt`, output.why, 'What the check printed cannot be read any more.')
  else if (hashOf(output.bytes) !== outputSha256)
    remarks.damage(
      `evidence/${id}.txt`,
      'is not what the check printed',
      'The outcome stands in the record; this text does not belong to it.',
    )
}

/** Records that no line of the log names: of drafts before the seal, of a round that was broken off, or put there. */
function auditStrays(dossier: Dossier, remarks: Remarks): void {
  const known = new Set(runsOf(dossier).map(({ record }) => `${record}.json`))
  for (const name of namesOf(dossier.paths.evidence)) {
    if (!/^(base|round)-.*\.json$/.test(name) || known.has(name)) continue
    const round = Number(/^round-(\d+)-/.exec(name)?.[1] ?? Number.NaN)
    if (name.startsWith('base-'))
      remarks.note(`evidence/${name}`, 'no line names it: of a draft, or put there; nothing rests on it')
    else if (isOpen(dossier, round)) remarks.note(`evidence/${name}`, 'is of a round that came to no verdict')
    else remarks.damage(`evidence/${name}`, 'no line of the log names it', 'No runner of this session has seen this.')
  }
}

const claim = 'It is a claim of whoever changed it, and no evidence.'
const lost = 'What the check ran on cannot be looked at any more.'
