import { z } from 'zod'
import { describeBrokenPins, type WorkDiff } from '../contract/pins.ts'
import { listChangesOutsideScopes } from '../contract/scope.ts'
import type { ClauseVerdict, VerdictRecord } from '../evidence/verdict.ts'
import type { Verdict } from '../log/event.ts'
import type { SessionRepository } from '../repository/bare-git.ts'
import { listCommitFiles } from '../repository/commit-files.ts'
import { listChangedPaths } from '../repository/diff.ts'
import { type Audit, type ContractVersion, type IndexedEvent, listClauses } from './audit.ts'
import { findTree } from './isolated-git.ts'
import { parseJsonBytes, readCapped } from './read-capped.ts'

export const NOT_RELIABLE = 'Do not rely on this verdict.'

/** What the checks of the gates work with. */
interface GateAudit {
  audit: Audit
  record: VerdictRecord
  event: IndexedEvent<'verdict.given'>
  /** The version of the contract that was judged. */
  version: ContractVersion
}

/** Check that the outcomes on record allow this verdict, by the same rules as when it was given. */
export async function auditGates(gates: GateAudit): Promise<void> {
  const { audit, record, version } = gates
  const { repository, paths } = audit
  if (record.contractSha256 !== version.sha256)
    reject(audit, `is bound to another contract than version ${version.version}`)
  if (listClauses(record.clauses, 'proof') !== listClauses(version.clauses, 'proof'))
    reject(audit, 'judges other clauses than the contract has')
  for (const clause of record.clauses) await auditClause(gates, clause)
  const worst =
    record.clauses.length === 0 ? 'INCONCLUSIVE' : pickWorstVerdict(...record.clauses.map(({ verdict }) => verdict))
  const best = record.independence === 'none' ? pickWorstVerdict(worst, 'INCONCLUSIVE') : worst
  const isUnchanged = record.tree === audit.status.base?.tree
  if (isBetterVerdict(record.verdict, best) || (record.verdict === 'PASS' && isUnchanged))
    reject(audit, `says ${record.verdict}, but its own clauses allow ${best} at best`)
  if (!repository) return
  const tree = await findTree(repository, record.commit)
  if (tree === undefined)
    audit.addDamage(
      paths.bareRepository,
      `lacks the judged commit ${record.commit.slice(0, 10)}`,
      'The judged work is lost.',
    )
  else if (tree !== record.tree) reject(audit, 'names another tree than that of its commit')
}

// --- internal ---

function reject(audit: Audit, message: string): void {
  audit.addDamage(audit.paths.verdictRecord, message, NOT_RELIABLE)
}

async function auditClause(gates: GateAudit, clause: ClauseVerdict): Promise<void> {
  const { id, proof, judgement, verdict } = clause
  if (proof === 'check' || proof === 'guard') await auditCheckGate(gates, clause)
  if (proof === 'scope') await auditScopeGate(gates, clause)
  const byJudge = { yes: 'PASS', no: 'FAIL', unproven: 'INCONCLUSIVE' } as const
  const allowed = pickWorstVerdict(computeBestVerdict(clause), byJudge[judgement?.met ?? 'unproven'])
  if (isBetterVerdict(verdict, allowed))
    reject(gates.audit, `${id} is ${verdict}, but gate and judge allow ${allowed} at best`)
  auditJudgement(gates, clause)
}

async function auditCheckGate(gates: GateAudit, clause: ClauseVerdict): Promise<void> {
  const { audit, event } = gates
  const { id, gate, baseOutcome } = clause
  const events = audit.selectEvents('check.ran').filter(({ clauseId, index }) => clauseId === id && index < event.index)
  const base = events.findLast(({ side }) => side === 'base')?.outcome
  const head = events.findLast(({ side }) => side === 'head')?.outcome
  const isBroken = await hasBrokenPin(gates, clause)
  if (isBroken ? gate !== 'broken' : head !== gate)
    reject(audit, `${id} has the gate ${gate}, but ${isBroken ? 'git shows a broken pin' : `the log has ${head}`}`)
  if (baseOutcome !== undefined && base !== baseOutcome)
    reject(audit, `${id} was ${baseOutcome} before the work, but ${base} in the log`)
}

/** Does git show that the work changed a pinned file? If git cannot tell, the verdict is believed. */
async function hasBrokenPin({ audit, record, version }: GateAudit, { id, gate }: ClauseVerdict): Promise<boolean> {
  const proof = version.contract?.clauses.find(clause => clause.id === id)?.proof
  if (proof?.kind !== 'check' || proof.pins === undefined) return false
  const { repository } = audit
  const base = audit.status.base?.commit
  if (!repository || base === undefined) return gate === 'broken'
  try {
    return describeBrokenPins(proof.pins, await readWork(repository, base, record.commit)) !== undefined
  } catch {
    return gate === 'broken' // The commit is gone, which is reported on its own.
  }
}

async function readWork(repository: SessionRepository, base: string, commit: string): Promise<WorkDiff> {
  const files = await listCommitFiles(repository, base)
  return { baseFiles: files.map(file => file.path), changes: await listChangedPaths(repository, base, commit) }
}

async function auditScopeGate({ audit, record, version }: GateAudit, { id, gate }: ClauseVerdict): Promise<void> {
  const { repository, status } = audit
  if (!repository || !version.contract || !status.base) return
  const work = await readWork(repository, status.base.commit, record.commit).catch(() => undefined)
  const outside = work && listChangesOutsideScopes(version.contract, work)
  if (outside && (outside.length === 0 ? 'kept' : 'broken') !== gate)
    reject(audit, `${id} has the gate ${gate}, but git shows ${outside.length} changes outside of the scope`)
}

const JudgeAnswer = z.object({ reply: z.object({ clauses: z.array(z.object({ id: z.string(), met: z.string() })) }) })

/** Compare the judge's own answer, which is kept beside the verdict. */
function auditJudgement({ audit, record }: GateAudit, { id, judgement }: ClauseVerdict): void {
  const read = readCapped(audit.paths.judgeAnswer(record.round))
  const answer = JudgeAnswer.safeParse(parseJsonBytes(read)).data?.reply.clauses.find(clause => clause.id === id)
  if (answer && judgement && answer.met !== judgement.met)
    audit.addDamage(
      read.file,
      `the judge's answer on ${id} is ${answer.met.slice(0, 20)}, but ${judgement.met} in the verdict`,
      NOT_RELIABLE,
    )
}

const verdictOrder: Verdict[] = ['FAIL', 'INCONCLUSIVE', 'PASS']

function pickWorstVerdict(...verdicts: Verdict[]): Verdict {
  return verdictOrder.find(verdict => verdicts.includes(verdict)) ?? 'PASS'
}

function isBetterVerdict(verdict: Verdict, other: Verdict): boolean {
  return verdictOrder.indexOf(verdict) > verdictOrder.indexOf(other)
}

function computeBestVerdict({ proof, gate, baseOutcome }: ClauseVerdict): Verdict {
  if (proof === 'judged') return 'PASS'
  if (gate === 'red' || gate === 'broken') return 'FAIL'
  if (proof === 'scope') return gate === 'kept' ? 'PASS' : 'INCONCLUSIVE'
  const isProved = proof === 'guard' || baseOutcome === 'red' || baseOutcome === 'nothing ran'
  return gate === 'green' && isProved ? 'PASS' : 'INCONCLUSIVE'
}
