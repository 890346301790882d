import path from 'node:path'
import { z } from 'zod'
import { describeBrokenPins } from '../contract/pins.ts'
import { type ClauseVerdict, renderVerdict, VerdictRecord } from '../evidence/verdict.ts'
import type { Verdict } from '../log/event.ts'
import { listChangedPaths } from '../repository/diff.ts'
import { listCommitFiles } from '../repository/export.ts'
import { findTree, type IsolatedRepository } from './isolated-git.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import type { ContractVersion } from './seal.ts'
import {
  hashBytes,
  listReadableNames,
  MAX_BYTES,
  parseJsonBytes,
  readCapped,
  type SessionFiles,
  selectEvents,
} from './session-files.ts'

type VerdictEvent = ReturnType<typeof listVerdicts>[number]

export function listVerdicts(dossier: SessionFiles) {
  return selectEvents(dossier, 'verdict.given')
}

/** Is the verdict what was given, does it say the same wherever it stands, and do our own gates allow it? */
export async function auditVerdict(
  dossier: SessionFiles,
  versions: ContractVersion[],
  lens: IsolatedRepository | string,
): Promise<AuditProblem[]> {
  const remarks = new AuditProblems('verdict')
  const { paths } = dossier
  const given = listVerdicts(dossier).at(-1)
  const seen = readCapped(paths.verdictRecord, MAX_BYTES.record)
  auditRounds(dossier, remarks)
  if (!given) {
    if (seen.reason === 'is gone' && readCapped(paths.verdictText, MAX_BYTES.record).reason === 'is gone')
      remarks.addNote('verdict.json', 'no verdict was given yet')
    else remarks.addDamage('verdict.json', 'is there, though no line of the log gives a verdict', CUT_OFF_CONSEQUENCE)
    return remarks.problems
  }
  if (seen.bytes === undefined)
    remarks.addDamage('verdict.json', seen.reason, 'What the verdict rests on cannot be read there.')
  else if (given.sha256 === undefined) remarks.addNote('verdict.json', 'its hash was not recorded by that dispatch')
  else if (hashBytes(seen.bytes) !== given.sha256)
    remarks.addDamage('verdict.json', 'is not the verdict that was given', FORGED_CONSEQUENCE)
  const record = VerdictRecord.safeParse(parseJsonBytes(seen)).data
  if (seen.bytes && !record) remarks.addDamage('verdict.json', 'does not read as a verdict', FORGED_CONSEQUENCE)
  if (!record) return remarks.problems
  auditText(dossier, record, remarks)
  auditAgreement(dossier, record, given, remarks)
  await auditGates(dossier, record, { given, versions, lens }, remarks)
  return remarks.problems
}

/** Is what the judge was given what the verdict says it was, round by round? */
export function auditPacket(dossier: SessionFiles): AuditProblem[] {
  const remarks = new AuditProblems('packet')
  const { evidence } = dossier.paths
  for (const { round } of listVerdicts(dossier)) {
    const record = VerdictRecord.safeParse(
      parseJsonBytes(readCapped(path.join(evidence, `verdict-${round}.json`), MAX_BYTES.record)),
    ).data
    if (!record?.packetSha256) continue
    const rounds = Array.from({ length: Math.min(round, 100) }, (_, back) => round - back)
    const packets = rounds.map(each => ({
      name: `packet-${each}.txt`,
      ...readCapped(path.join(evidence, `packet-${each}.txt`), MAX_BYTES.output),
    }))
    if (packets.some(({ bytes }) => bytes && hashBytes(bytes) === record.packetSha256)) continue
    const [own] = packets // A round in which nothing had changed has no packet of its own; then this is an earlier one's.
    const what = own?.bytes ? 'is not what the judge was given' : (own?.reason ?? 'is gone')
    remarks.addDamage(
      `evidence/${own?.name}`,
      `${what} in round ${round}`,
      'Nobody can see any more what the judge judged.',
    )
  }
  return remarks.problems
}

// --- internal ---

const CUT_OFF_CONSEQUENCE =
  'It was put there, or the end of the log was cut off, or its runner was killed between the two.'
const FORGED_CONSEQUENCE = 'Do not take this work for judged by it.'
const verdictOrder: Verdict[] = ['FAIL', 'INCONCLUSIVE', 'PASS']
const minVerdict = (...some: Verdict[]) =>
  verdictOrder[Math.min(...some.map(one => verdictOrder.indexOf(one)))] ?? 'FAIL'
const isBetterVerdict = (one: Verdict, other: Verdict) => verdictOrder.indexOf(one) > verdictOrder.indexOf(other)

/** The verdict of every round as it was kept, and none besides. */
function auditRounds(dossier: SessionFiles, remarks: AuditProblems): void {
  const { evidence } = dossier.paths
  const given = new Map(listVerdicts(dossier).map(each => [`verdict-${each.round}.json`, each]))
  for (const [name, { sha256, round }] of given) {
    const { bytes, reason } = readCapped(path.join(evidence, name), MAX_BYTES.record)
    if (bytes === undefined)
      remarks.addDamage(`evidence/${name}`, reason, `The verdict of round ${round} cannot be shown any more.`)
    else if (sha256 !== undefined && hashBytes(bytes) !== sha256)
      remarks.addDamage(`evidence/${name}`, `is not the verdict of round ${round}`, FORGED_CONSEQUENCE)
  }
  for (const name of listReadableNames(evidence))
    if (/^verdict-\d+\.json$/.test(name) && !given.has(name))
      remarks.addDamage(`evidence/${name}`, 'no line of the log gives that verdict', CUT_OFF_CONSEQUENCE)
}

function auditText({ paths, status }: SessionFiles, record: VerdictRecord, remarks: AuditProblems): void {
  const text = readCapped(paths.verdictText, MAX_BYTES.record)
  if (text.bytes === undefined)
    remarks.addDamage('verdict.md', text.reason, 'The verdict stands in verdict.json alone.')
  else if (
    ![undefined, status.verdict?.voidReason]
      .map(why => renderVerdict(record, why))
      .includes(text.bytes.toString('utf8'))
  )
    remarks.addDamage('verdict.md', 'does not say what verdict.json says', 'What people read is not the verdict.')
}

/** Record, log and contract must name the same things. */
function auditAgreement(
  { id, log, status }: SessionFiles,
  record: VerdictRecord,
  given: VerdictEvent,
  remarks: AuditProblems,
): void {
  for (const name of ['round', 'verdict', 'commit', 'tree', 'independence'] as const)
    if (record[name] !== given[name])
      remarks.addDamage(
        'verdict.json',
        `its ${name} is ${String(record[name]).slice(0, 60)}, in the log ${String(given[name]).slice(0, 60)}`,
        FORGED_CONSEQUENCE,
      )
  if (!record.reason.startsWith(given.reason))
    remarks.addDamage('verdict.json', 'gives another reason than the log', FORGED_CONSEQUENCE)
  if (record.sessionId !== id)
    remarks.addDamage('verdict.json', `is of another session: ${record.sessionId.slice(0, 80)}`, FORGED_CONSEQUENCE)
  const clauses = (some: { id: string; verdict: Verdict }[]) =>
    some.map(each => `${each.id} ${each.verdict}`).join(', ')
  if (clauses(record.clauses) !== clauses(given.clauses))
    remarks.addDamage('verdict.json', 'has other clauses than the log', FORGED_CONSEQUENCE)
  if (record.logAnchor) {
    const at = log.events.findIndex(({ seq }) => seq === record.logAnchor?.seq)
    if (log.hashes[at] !== record.logAnchor.head || given.place !== at + 1)
      remarks.addDamage(
        'events.jsonl',
        `is not the log that verdict.json is bound to (line ${record.logAnchor.seq})`,
        'It was written anew after the verdict.',
      )
  } else if (log.chainStart === 1) remarks.addNote('verdict.json', 'names no head of the log')
  if (status.verdict?.voidReason !== undefined && status.phase === given.verdict)
    remarks.addNote('events.jsonl', `the log itself says that this verdict is void: ${status.verdict.voidReason}`)
}

/** Do the outcomes on record allow this verdict? The same arithmetic as when it was given. */
async function auditGates(
  dossier: SessionFiles,
  record: VerdictRecord,
  { given, versions, lens }: { given: VerdictEvent; versions: ContractVersion[]; lens: IsolatedRepository | string },
  remarks: AuditProblems,
): Promise<void> {
  const { base } = dossier.status
  const version = versions.findLast(({ eventIndex }) => eventIndex < given.place)
  if (!version)
    return remarks.addDamage('events.jsonl', 'gives a verdict before any contract was sealed', FORGED_CONSEQUENCE)
  if (record.contractSha256 !== version.sha256)
    remarks.addDamage(
      'verdict.json',
      `is bound to another contract than version ${version.version}`,
      FORGED_CONSEQUENCE,
    )
  const ids = version.clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ')
  if (record.clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ') !== ids)
    remarks.addDamage('verdict.json', 'judges other clauses than the contract has', FORGED_CONSEQUENCE)
  for (const clause of record.clauses) await auditClause(dossier, record, clause, { given, version, lens }, remarks)
  const worst =
    record.clauses.length === 0 ? 'INCONCLUSIVE' : minVerdict(...record.clauses.map(({ verdict }) => verdict))
  const best = record.independence === 'none' ? minVerdict(worst, 'INCONCLUSIVE') : worst
  if (isBetterVerdict(record.verdict, best) || (record.verdict === 'PASS' && record.tree === base?.tree))
    remarks.addDamage(
      'verdict.json',
      `says ${record.verdict}, where its own clauses allow ${best} at best`,
      FORGED_CONSEQUENCE,
    )
  if (typeof lens === 'string') return
  const tree = await findTree(lens, record.commit)
  if (tree === undefined)
    remarks.addDamage(
      'evidence/repository.git',
      `lacks the judged commit ${record.commit.slice(0, 10)}`,
      'What was judged is gone.',
    )
  else if (tree !== record.tree)
    remarks.addDamage('verdict.json', 'names a tree that its commit does not hold', FORGED_CONSEQUENCE)
}

async function auditClause(
  dossier: SessionFiles,
  record: VerdictRecord,
  clause: ClauseVerdict,
  { given, version, lens }: { given: VerdictEvent; version: ContractVersion; lens: IsolatedRepository | string },
  remarks: AuditProblems,
): Promise<void> {
  const { id, proof, gate, baseOutcome, judgement } = clause
  const ran = (side: 'base' | 'head') =>
    selectEvents(dossier, 'check.ran').findLast(
      each => each.clauseId === id && each.side === side && each.place < given.place,
    )
  if (proof === 'check' || proof === 'guard') {
    const isBroken = await breaksPins(dossier, record, clause, { version, lens })
    if (isBroken ? gate !== 'broken' : ran('head')?.outcome !== gate)
      remarks.addDamage(
        'verdict.json',
        `${id} has the gate ${gate}, ${isBroken ? 'where git shows a broken pin' : `in the log ${ran('head')?.outcome}`}`,
        FORGED_CONSEQUENCE,
      )
    if (baseOutcome !== undefined && ran('base')?.outcome !== baseOutcome)
      remarks.addDamage(
        'verdict.json',
        `${id} was ${baseOutcome} before the work, in the log ${ran('base')?.outcome}`,
        FORGED_CONSEQUENCE,
      )
  }
  if (proof === 'scope' && typeof lens !== 'string' && version.contract && dossier.status.base) {
    const globs = version.contract.clauses.flatMap(other => (other.proof.kind === 'scope' ? other.proof.globs : []))
    const outside = await listChangedPaths(lens, dossier.status.base.commit, record.commit, globs).catch(
      () => undefined,
    )
    if (outside && (outside.length === 0 ? 'kept' : 'broken') !== gate)
      remarks.addDamage(
        'verdict.json',
        `${id} has the gate ${gate}, where git shows ${outside.length} changes outside of it`,
        FORGED_CONSEQUENCE,
      )
  }
  const allowed = minVerdict(
    gateAllows(clause),
    { yes: 'PASS' as const, no: 'FAIL' as const, unproven: 'INCONCLUSIVE' as const }[judgement?.met ?? 'unproven'],
  )
  if (isBetterVerdict(clause.verdict, allowed))
    remarks.addDamage(
      'verdict.json',
      `${id} is ${clause.verdict}, where gate and judge allow ${allowed} at best`,
      FORGED_CONSEQUENCE,
    )
  auditJudgement(dossier, record, clause, remarks)
}

/** Does git show that the work changed what this check pins? Where git cannot be asked, the verdict is taken at its word. */
async function breaksPins(
  { status }: SessionFiles,
  record: VerdictRecord,
  { id, gate }: ClauseVerdict,
  { version, lens }: { version: ContractVersion; lens: IsolatedRepository | string },
): Promise<boolean> {
  const proof = version.contract?.clauses.find(clause => clause.id === id)?.proof
  if (proof?.kind !== 'check' || proof.pins === undefined) return false
  if (typeof lens === 'string' || !status.base) return gate === 'broken'
  const base = status.base.commit
  try {
    const baseFiles = (await listCommitFiles(lens, base)).map(({ path: file }) => file)
    return (
      describeBrokenPins(proof.pins, { baseFiles, changes: await listChangedPaths(lens, base, record.commit) }) !==
      undefined
    )
  } catch {
    return gate === 'broken' // A commit that is gone is told of below.
  }
}

function gateAllows({ proof, gate, baseOutcome }: ClauseVerdict): Verdict {
  if (proof === 'judged') return 'PASS'
  if (gate === 'red' || gate === 'broken') return 'FAIL'
  if (proof === 'scope') return gate === 'kept' ? 'PASS' : 'INCONCLUSIVE'
  return gate === 'green' && (baseOutcome !== 'green' || proof === 'guard') ? 'PASS' : 'INCONCLUSIVE'
}

const JudgeAnswer = z.object({ reply: z.object({ clauses: z.array(z.object({ id: z.string(), met: z.string() })) }) })

/** The judge's own answer is kept beside the verdict. */
function auditJudgement(
  { paths }: SessionFiles,
  { round }: VerdictRecord,
  { id, judgement }: ClauseVerdict,
  remarks: AuditProblems,
): void {
  const name = `judge-${round}.json`
  const answer = JudgeAnswer.safeParse(
    parseJsonBytes(readCapped(path.join(paths.evidence, name), MAX_BYTES.record)),
  ).data
  const word = answer?.reply.clauses.find(clause => clause.id === id)
  if (word && judgement && word.met !== judgement.met)
    remarks.addDamage(
      `evidence/${name}`,
      `the judge's answer on ${id} is ${word.met.slice(0, 20)}, in the verdict ${judgement.met}`,
      FORGED_CONSEQUENCE,
    )
}
