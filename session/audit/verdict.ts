import path from 'node:path'
import { z } from 'zod'
import { sha256 } from '#host/hash.ts'
import { describeBrokenPins } from '../contract/pins.ts'
import { type ClauseVerdict, renderVerdict, VerdictRecord } from '../evidence/verdict.ts'
import type { Verdict } from '../log/event.ts'
import { listChangedPaths } from '../repository/diff.ts'
import { listCommitFiles } from '../repository/export.ts'
import { findTree, type IsolatedRepository } from './isolated-git.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import type { ContractVersion } from './seal.ts'
import {
  GONE,
  listReadableNames,
  MAX_BYTES,
  parseJsonBytes,
  readCapped,
  type SessionFiles,
  selectEvents,
} from './session-files.ts'

export type VerdictEvent = ReturnType<typeof listVerdictEvents>[number]

export function listVerdictEvents(files: SessionFiles) {
  return selectEvents(files, 'verdict.given')
}

/** Check that the verdict is the one that was given, agrees with log and contract, and follows from its gates. */
export async function auditVerdict(
  files: SessionFiles,
  versions: ContractVersion[],
  repository: IsolatedRepository | undefined,
): Promise<AuditProblem[]> {
  const problems = new AuditProblems('verdict')
  const { paths } = files
  auditRounds(files, problems)
  const event = listVerdictEvents(files).at(-1)
  const file = readCapped(paths.verdictRecord, MAX_BYTES.record)
  if (!event) {
    if (file.reason === GONE && readCapped(paths.verdictText, MAX_BYTES.record).reason === GONE)
      problems.addNote('verdict.json', 'there is no verdict yet')
    else problems.addDamage('verdict.json', 'exists, though the log has no verdict', NOT_IN_LOG)
    return problems.list
  }
  if (file.bytes === undefined)
    problems.addDamage('verdict.json', file.reason, 'What the verdict is based on cannot be read there.')
  else if (event.sha256 === undefined)
    problems.addNote('verdict.json', 'its hash is not in the log: an older dispatch did not record it')
  else if (sha256(file.bytes) !== event.sha256)
    problems.addDamage('verdict.json', 'is not the verdict that was given', NOT_RELIABLE)
  const record = VerdictRecord.safeParse(parseJsonBytes(file)).data
  if (file.bytes && !record) problems.addDamage('verdict.json', 'is not a valid verdict record', NOT_RELIABLE)
  if (!record) return problems.list
  auditText(files, record, problems)
  auditAgreement(files, record, event, problems)
  const version = versions.findLast(({ eventIndex }) => eventIndex < event.index)
  if (version) await auditGates({ files, record, event, version, repository, problems })
  else problems.addDamage('events.jsonl', 'has a verdict before any contract was sealed', NOT_RELIABLE)
  return problems.list
}

/** Check that each packet is what the verdict says the judge received, round by round. */
export function auditPacket(files: SessionFiles): AuditProblem[] {
  const problems = new AuditProblems('packet')
  for (const { round } of listVerdictEvents(files)) {
    const { packetSha256 } = readRoundRecord(files, round) ?? {}
    if (!packetSha256) continue
    // A round in which nothing had changed has no packet of its own: the judge received that of an earlier round.
    const candidateRounds = Array.from({ length: Math.min(round, MAX_PACKET_ROUNDS) }, (_, back) => round - back)
    const isKept = candidateRounds.some(candidate => {
      const { bytes } = readPacket(files, candidate)
      return bytes !== undefined && sha256(bytes) === packetSha256
    })
    if (isKept) continue
    const packet = readPacket(files, round)
    problems.addDamage(
      `evidence/packet-${round}.txt`,
      `${packet.bytes ? 'is not what the judge received' : packet.reason} in round ${round}`,
      'It cannot be shown any more what the judge saw.',
    )
  }
  return problems.list
}

// --- internal ---

const NOT_IN_LOG =
  'It was added, or the end of the log was cut off, or the runner was killed before it wrote the event.'
const NOT_RELIABLE = 'Do not rely on this verdict.'
const MAX_PACKET_ROUNDS = 100

function readRoundRecord({ paths }: SessionFiles, round: number): VerdictRecord | undefined {
  const file = readCapped(path.join(paths.evidence, `verdict-${round}.json`), MAX_BYTES.record)
  return VerdictRecord.safeParse(parseJsonBytes(file)).data
}

function readPacket({ paths }: SessionFiles, round: number) {
  return readCapped(path.join(paths.evidence, `packet-${round}.txt`), MAX_BYTES.output)
}

/** Check the kept verdict of every round, and that there are no others. */
function auditRounds(files: SessionFiles, problems: AuditProblems): void {
  const { evidence } = files.paths
  const eventsByName = new Map(listVerdictEvents(files).map(event => [`verdict-${event.round}.json`, event]))
  for (const [name, event] of eventsByName) {
    const file = readCapped(path.join(evidence, name), MAX_BYTES.record)
    if (file.bytes === undefined)
      problems.addDamage(`evidence/${name}`, file.reason, `The verdict of round ${event.round} is lost.`)
    else if (event.sha256 !== undefined && sha256(file.bytes) !== event.sha256)
      problems.addDamage(`evidence/${name}`, `is not the verdict of round ${event.round}`, NOT_RELIABLE)
  }
  for (const name of listReadableNames(evidence))
    if (/^verdict-\d+\.json$/.test(name) && !eventsByName.has(name))
      problems.addDamage(`evidence/${name}`, 'is not in the log', NOT_IN_LOG)
}

function auditText({ paths, status }: SessionFiles, record: VerdictRecord, problems: AuditProblems): void {
  const text = readCapped(paths.verdictText, MAX_BYTES.record)
  const expectedTexts = [undefined, status.verdict?.voidReason].map(reason => renderVerdict(record, reason))
  if (text.bytes === undefined)
    problems.addDamage('verdict.md', text.reason, 'The verdict can only be read in verdict.json.')
  else if (!expectedTexts.includes(text.bytes.toString('utf8')))
    problems.addDamage('verdict.md', 'does not match verdict.json', 'What people read is not the verdict.')
}

/** Check that record, event and log name the same things. */
function auditAgreement(
  { id, log, status }: SessionFiles,
  record: VerdictRecord,
  event: VerdictEvent,
  problems: AuditProblems,
): void {
  const reject = (message: string) => problems.addDamage('verdict.json', message, NOT_RELIABLE)
  for (const field of ['round', 'verdict', 'commit', 'tree', 'independence'] as const)
    if (record[field] !== event[field])
      reject(`its ${field} is ${clip(record[field])}, but ${clip(event[field])} in the log`)
  if (!record.reason.startsWith(event.reason)) reject('has another reason than the log')
  if (record.sessionId !== id) reject(`is of another session: ${record.sessionId.slice(0, 80)}`)
  if (listClauseVerdicts(record) !== listClauseVerdicts(event)) reject('has other clauses than the log')
  if (record.logAnchor) {
    const { seq, head } = record.logAnchor
    const index = log.events.findIndex(logged => logged.seq === seq)
    if (log.hashes[index] !== head || event.index !== index + 1)
      problems.addDamage(
        'events.jsonl',
        `is not the log that verdict.json is bound to (line ${seq})`,
        'The log was written again after the verdict.',
      )
  } else if (log.chainStart === 1) problems.addNote('verdict.json', 'has no log anchor')
  if (status.verdict?.voidReason !== undefined && status.phase === event.verdict)
    problems.addNote('events.jsonl', `says that this verdict is void: ${status.verdict.voidReason}`)
}

function clip(value: string | number): string {
  return String(value).slice(0, 60)
}

function listClauseVerdicts({ clauses }: { clauses: { id: string; verdict: Verdict }[] }): string {
  return clauses.map(({ id, verdict }) => `${id} ${verdict}`).join(', ')
}

/** What the checks of the gates work with. */
interface GateAudit {
  files: SessionFiles
  record: VerdictRecord
  event: VerdictEvent
  /** The version of the contract that was judged. */
  version: ContractVersion
  repository: IsolatedRepository | undefined
  problems: AuditProblems
}

/** Check that the outcomes on record allow this verdict, by the same rules as when it was given. */
async function auditGates(audit: GateAudit): Promise<void> {
  const { files, record, version, repository, problems } = audit
  const reject = (message: string) => problems.addDamage('verdict.json', message, NOT_RELIABLE)
  if (record.contractSha256 !== version.sha256) reject(`is bound to another contract than version ${version.version}`)
  if (listClauseProofs(record) !== listClauseProofs(version)) reject('judges other clauses than the contract has')
  for (const clause of record.clauses) await auditClause(audit, clause)
  const best = bestPossibleVerdict(record)
  const isUnchanged = record.tree === files.status.base?.tree
  if (isBetterVerdict(record.verdict, best) || (record.verdict === 'PASS' && isUnchanged))
    reject(`says ${record.verdict}, but its own clauses allow ${best} at best`)
  if (!repository) return
  const tree = await findTree(repository, record.commit)
  if (tree === undefined)
    problems.addDamage(
      'evidence/repository.git',
      `lacks the judged commit ${record.commit.slice(0, 10)}`,
      'The judged work is lost.',
    )
  else if (tree !== record.tree) reject('names another tree than that of its commit')
}

function listClauseProofs({ clauses }: { clauses: { id: string; proof: string }[] }): string {
  return clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ')
}

async function auditClause(audit: GateAudit, clause: ClauseVerdict): Promise<void> {
  const { id, proof, judgement, verdict } = clause
  if (proof === 'check' || proof === 'guard') await auditCheckGate(audit, clause)
  if (proof === 'scope') await auditScopeGate(audit, clause)
  const byJudge = { yes: 'PASS', no: 'FAIL', unproven: 'INCONCLUSIVE' } as const
  const allowed = minVerdict(bestVerdictOfGate(clause), byJudge[judgement?.met ?? 'unproven'])
  if (isBetterVerdict(verdict, allowed))
    audit.problems.addDamage(
      'verdict.json',
      `${id} is ${verdict}, but gate and judge allow ${allowed} at best`,
      NOT_RELIABLE,
    )
  auditJudgement(audit, clause)
}

async function auditCheckGate(audit: GateAudit, clause: ClauseVerdict): Promise<void> {
  const { files, event, problems } = audit
  const { id, gate, baseOutcome } = clause
  const checkEvents = selectEvents(files, 'check.ran').filter(
    ({ clauseId, index }) => clauseId === id && index < event.index,
  )
  const [base, head] = (['base', 'head'] as const).map(
    side => checkEvents.findLast(checkEvent => checkEvent.side === side)?.outcome,
  )
  const isBroken = await hasBrokenPin(audit, clause)
  if (isBroken ? gate !== 'broken' : head !== gate)
    problems.addDamage(
      'verdict.json',
      `${id} has the gate ${gate}, but ${isBroken ? 'git shows a broken pin' : `the log has ${head}`}`,
      NOT_RELIABLE,
    )
  if (baseOutcome !== undefined && base !== baseOutcome)
    problems.addDamage('verdict.json', `${id} was ${baseOutcome} before the work, but ${base} in the log`, NOT_RELIABLE)
}

/** Does git show that the work changed a pinned file? If git cannot tell, the verdict is believed. */
async function hasBrokenPin(audit: GateAudit, { id, gate }: ClauseVerdict): Promise<boolean> {
  const { files, record, version, repository } = audit
  const proof = version.contract?.clauses.find(clause => clause.id === id)?.proof
  if (proof?.kind !== 'check' || proof.pins === undefined) return false
  const base = files.status.base?.commit
  if (!repository || base === undefined) return gate === 'broken'
  try {
    const baseFiles = (await listCommitFiles(repository, base)).map(file => file.path)
    const changes = await listChangedPaths(repository, base, record.commit)
    return describeBrokenPins(proof.pins, { baseFiles, changes }) !== undefined
  } catch {
    return gate === 'broken' // The commit is gone, which is reported on its own.
  }
}

async function auditScopeGate({ files, record, version, repository, problems }: GateAudit, clause: ClauseVerdict) {
  const { base } = files.status
  if (!repository || !version.contract || !base) return
  const globs = version.contract.clauses.flatMap(({ proof }) => (proof.kind === 'scope' ? proof.globs : []))
  const outside = await listChangedPaths(repository, base.commit, record.commit, globs).catch(() => undefined)
  if (outside && (outside.length === 0 ? 'kept' : 'broken') !== clause.gate)
    problems.addDamage(
      'verdict.json',
      `${clause.id} has the gate ${clause.gate}, but git shows ${outside.length} changes outside of the scope`,
      NOT_RELIABLE,
    )
}

const JudgeAnswer = z.object({ reply: z.object({ clauses: z.array(z.object({ id: z.string(), met: z.string() })) }) })

/** Compare the judge's own answer, which is kept beside the verdict. */
function auditJudgement({ files, record, problems }: GateAudit, { id, judgement }: ClauseVerdict): void {
  const name = `judge-${record.round}.json`
  const file = readCapped(path.join(files.paths.evidence, name), MAX_BYTES.record)
  const answer = JudgeAnswer.safeParse(parseJsonBytes(file)).data?.reply.clauses.find(clause => clause.id === id)
  if (answer && judgement && answer.met !== judgement.met)
    problems.addDamage(
      `evidence/${name}`,
      `the judge's answer on ${id} is ${answer.met.slice(0, 20)}, but ${judgement.met} in the verdict`,
      NOT_RELIABLE,
    )
}

const verdictOrder: Verdict[] = ['FAIL', 'INCONCLUSIVE', 'PASS']

function minVerdict(...verdicts: Verdict[]): Verdict {
  return verdictOrder.find(verdict => verdicts.includes(verdict)) ?? 'PASS'
}

function isBetterVerdict(verdict: Verdict, other: Verdict): boolean {
  return verdictOrder.indexOf(verdict) > verdictOrder.indexOf(other)
}

function bestPossibleVerdict({ clauses, independence }: VerdictRecord): Verdict {
  const worst = clauses.length === 0 ? 'INCONCLUSIVE' : minVerdict(...clauses.map(({ verdict }) => verdict))
  return independence === 'none' ? minVerdict(worst, 'INCONCLUSIVE') : worst
}

function bestVerdictOfGate({ proof, gate, baseOutcome }: ClauseVerdict): Verdict {
  if (proof === 'judged') return 'PASS'
  if (gate === 'red' || gate === 'broken') return 'FAIL'
  if (proof === 'scope') return gate === 'kept' ? 'PASS' : 'INCONCLUSIVE'
  return gate === 'green' && (baseOutcome !== 'green' || proof === 'guard') ? 'PASS' : 'INCONCLUSIVE'
}
