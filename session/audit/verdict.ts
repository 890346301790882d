import path from 'node:path'
import { z } from 'zod'
import { brokenPins } from '../contract.ts'
import type { Finding } from '../event.ts'
import { changedPaths, listing } from '../trees.ts'
import { type ClauseVerdict, renderVerdict, VerdictRecord } from '../verdict.ts'
import { caps, type Dossier, eventsOf, hashOf, jsonIn, look, namesOf } from './dossier.ts'
import { type Lens, treeIn } from './lens.ts'
import { type Remark, Remarks } from './remark.ts'
import type { Version } from './seal.ts'

type Given = ReturnType<typeof verdictsOf>[number]

export function verdictsOf(dossier: Dossier) {
  return eventsOf(dossier, 'verdict.given')
}

/** Is the verdict what was given, does it say the same wherever it stands, and do our own gates allow it? */
export async function auditVerdict(dossier: Dossier, versions: Version[], lens: Lens | string): Promise<Remark[]> {
  const remarks = new Remarks('verdict')
  const { paths } = dossier
  const given = verdictsOf(dossier).at(-1)
  const seen = look(paths.verdictRecord, caps.record)
  auditRounds(dossier, remarks)
  if (!given) {
    if (seen.why === 'is gone' && look(paths.verdict, caps.record).why === 'is gone')
      remarks.note('verdict.json', 'no verdict was given yet')
    else remarks.damage('verdict.json', 'is there, though no line of the log gives a verdict', cutOff)
    return remarks.all
  }
  if (seen.bytes === undefined)
    remarks.damage('verdict.json', seen.why, 'What the verdict rests on cannot be read there.')
  else if (given.sha256 === undefined) remarks.note('verdict.json', 'its hash was not recorded by that dispatch')
  else if (hashOf(seen.bytes) !== given.sha256)
    remarks.damage('verdict.json', 'is not the verdict that was given', forged)
  const record = VerdictRecord.safeParse(jsonIn(seen)).data
  if (seen.bytes && !record) remarks.damage('verdict.json', 'does not read as a verdict', forged)
  if (!record) return remarks.all
  auditText(dossier, record, remarks)
  auditAgreement(dossier, record, given, remarks)
  await auditGates(dossier, record, { given, versions, lens }, remarks)
  return remarks.all
}

/** Is what the judge was given what the verdict says it was, round by round? */
export function auditPacket(dossier: Dossier): Remark[] {
  const remarks = new Remarks('packet')
  const { evidence } = dossier.paths
  for (const { round } of verdictsOf(dossier)) {
    const record = VerdictRecord.safeParse(jsonIn(look(path.join(evidence, `verdict-${round}.json`), caps.record))).data
    if (!record?.packetSha256) continue
    const rounds = Array.from({ length: Math.min(round, 100) }, (_, back) => round - back)
    const packets = rounds.map(each => ({
      name: `packet-${each}.txt`,
      ...look(path.join(evidence, `packet-${each}.txt`), caps.output),
    }))
    if (packets.some(({ bytes }) => bytes && hashOf(bytes) === record.packetSha256)) continue
    const [own] = packets // A round in which nothing had changed has no packet of its own; then this is an earlier one's.
    const what = own?.bytes ? 'is not what the judge was given' : (own?.why ?? 'is gone')
    remarks.damage(
      `evidence/${own?.name}`,
      `${what} in round ${round}`,
      'Nobody can see any more what the judge judged.',
    )
  }
  return remarks.all
}

// --- internal ---

const cutOff = 'It was put there, or the end of the log was cut off, or its runner was killed between the two.'
const forged = 'Do not take this work for judged by it.'
const order: Finding[] = ['FAIL', 'INCONCLUSIVE', 'PASS']
const lower = (...some: Finding[]) => order[Math.min(...some.map(one => order.indexOf(one)))] ?? 'FAIL'
const isBetter = (one: Finding, other: Finding) => order.indexOf(one) > order.indexOf(other)

/** The verdict of every round as it was kept, and none besides. */
function auditRounds(dossier: Dossier, remarks: Remarks): void {
  const { evidence } = dossier.paths
  const given = new Map(verdictsOf(dossier).map(each => [`verdict-${each.round}.json`, each]))
  for (const [name, { sha256, round }] of given) {
    const { bytes, why } = look(path.join(evidence, name), caps.record)
    if (bytes === undefined)
      remarks.damage(`evidence/${name}`, why, `The verdict of round ${round} cannot be shown any more.`)
    else if (sha256 !== undefined && hashOf(bytes) !== sha256)
      remarks.damage(`evidence/${name}`, `is not the verdict of round ${round}`, forged)
  }
  for (const name of namesOf(evidence))
    if (/^verdict-\d+\.json$/.test(name) && !given.has(name))
      remarks.damage(`evidence/${name}`, 'no line of the log gives that verdict', cutOff)
}

function auditText({ paths, status }: Dossier, record: VerdictRecord, remarks: Remarks): void {
  const text = look(paths.verdict, caps.record)
  if (text.bytes === undefined) remarks.damage('verdict.md', text.why, 'The verdict stands in verdict.json alone.')
  else if (
    ![undefined, status.verdict?.voided].map(why => renderVerdict(record, why)).includes(text.bytes.toString('utf8'))
  )
    remarks.damage('verdict.md', 'does not say what verdict.json says', 'What people read is not the verdict.')
}

/** Record, log and contract must name the same things. */
function auditAgreement({ id, log, status }: Dossier, record: VerdictRecord, given: Given, remarks: Remarks): void {
  for (const name of ['round', 'verdict', 'commit', 'tree', 'independence'] as const)
    if (record[name] !== given[name])
      remarks.damage(
        'verdict.json',
        `its ${name} is ${String(record[name]).slice(0, 60)}, in the log ${String(given[name]).slice(0, 60)}`,
        forged,
      )
  if (!record.reason.startsWith(given.reason))
    remarks.damage('verdict.json', 'gives another reason than the log', forged)
  if (record.session !== id)
    remarks.damage('verdict.json', `is of another session: ${record.session.slice(0, 80)}`, forged)
  const clauses = (some: { id: string; verdict: Finding }[]) =>
    some.map(each => `${each.id} ${each.verdict}`).join(', ')
  if (clauses(record.clauses) !== clauses(given.clauses))
    remarks.damage('verdict.json', 'has other clauses than the log', forged)
  if (record.log) {
    const at = log.events.findIndex(({ seq }) => seq === record.log?.seq)
    if (log.hashes[at] !== record.log.head || given.place !== at + 1)
      remarks.damage(
        'events.jsonl',
        `is not the log that verdict.json is bound to (line ${record.log.seq})`,
        'It was written anew after the verdict.',
      )
  } else if (log.chainedFrom === 1) remarks.note('verdict.json', 'names no head of the log')
  if (status.verdict?.voided !== undefined && status.phase === given.verdict)
    remarks.note('events.jsonl', `the log itself says that this verdict is void: ${status.verdict.voided}`)
}

/** Do the outcomes on record allow this verdict? The same arithmetic as when it was given. */
async function auditGates(
  dossier: Dossier,
  record: VerdictRecord,
  { given, versions, lens }: { given: Given; versions: Version[]; lens: Lens | string },
  remarks: Remarks,
): Promise<void> {
  const { base } = dossier.status
  const version = versions.findLast(({ place }) => place < given.place)
  if (!version) return remarks.damage('events.jsonl', 'gives a verdict before any contract was sealed', forged)
  if (record.contractSha256 !== version.sha256)
    remarks.damage('verdict.json', `is bound to another contract than version ${version.version}`, forged)
  const ids = version.clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ')
  if (record.clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ') !== ids)
    remarks.damage('verdict.json', 'judges other clauses than the contract has', forged)
  for (const clause of record.clauses) await auditClause(dossier, record, clause, { given, version, lens }, remarks)
  const worst = record.clauses.length === 0 ? 'INCONCLUSIVE' : lower(...record.clauses.map(({ verdict }) => verdict))
  const best = record.independence === 'none' ? lower(worst, 'INCONCLUSIVE') : worst
  if (isBetter(record.verdict, best) || (record.verdict === 'PASS' && record.tree === base?.tree))
    remarks.damage('verdict.json', `says ${record.verdict}, where its own clauses allow ${best} at best`, forged)
  if (typeof lens === 'string') return
  const tree = await treeIn(lens, record.commit)
  if (tree === undefined)
    remarks.damage(
      'evidence/trees.git',
      `lacks the judged commit ${record.commit.slice(0, 10)}`,
      'What was judged is gone.',
    )
  else if (tree !== record.tree) remarks.damage('verdict.json', 'names a tree that its commit does not hold', forged)
}

async function auditClause(
  dossier: Dossier,
  record: VerdictRecord,
  clause: ClauseVerdict,
  { given, version, lens }: { given: Given; version: Version; lens: Lens | string },
  remarks: Remarks,
): Promise<void> {
  const { id, proof, gate, base, judge } = clause
  const ran = (side: 'base' | 'head') =>
    eventsOf(dossier, 'check.ran').findLast(
      each => each.clause === id && each.side === side && each.place < given.place,
    )
  if (proof === 'check' || proof === 'guard') {
    const isBroken = await breaksPins(dossier, record, clause, { version, lens })
    if (isBroken ? gate !== 'broken' : ran('head')?.outcome !== gate)
      remarks.damage(
        'verdict.json',
        `${id} has the gate ${gate}, ${isBroken ? 'where git shows a broken pin' : `in the log ${ran('head')?.outcome}`}`,
        forged,
      )
    if (base !== undefined && ran('base')?.outcome !== base)
      remarks.damage('verdict.json', `${id} was ${base} before the work, in the log ${ran('base')?.outcome}`, forged)
  }
  if (proof === 'scope' && typeof lens !== 'string' && version.contract && dossier.status.base) {
    const globs = version.contract.clauses.flatMap(other => (other.proof.is === 'scope' ? other.proof.globs : []))
    const outside = await changedPaths(lens, dossier.status.base.commit, record.commit, globs).catch(() => undefined)
    if (outside && (outside.length === 0 ? 'kept' : 'broken') !== gate)
      remarks.damage(
        'verdict.json',
        `${id} has the gate ${gate}, where git shows ${outside.length} changes outside of it`,
        forged,
      )
  }
  const allowed = lower(
    gateAllows(clause),
    { yes: 'PASS' as const, no: 'FAIL' as const, unproven: 'INCONCLUSIVE' as const }[judge?.met ?? 'unproven'],
  )
  if (isBetter(clause.verdict, allowed))
    remarks.damage('verdict.json', `${id} is ${clause.verdict}, where gate and judge allow ${allowed} at best`, forged)
  auditWord(dossier, record, clause, remarks)
}

/** Does git show that the work changed what this check pins? Where git cannot be asked, the verdict is taken at its word. */
async function breaksPins(
  { status }: Dossier,
  record: VerdictRecord,
  { id, gate }: ClauseVerdict,
  { version, lens }: { version: Version; lens: Lens | string },
): Promise<boolean> {
  const proof = version.contract?.clauses.find(clause => clause.id === id)?.proof
  if (proof?.is !== 'check' || proof.pins === undefined) return false
  if (typeof lens === 'string' || !status.base) return gate === 'broken'
  const base = status.base.commit
  try {
    const stood = (await listing(lens, base)).map(({ path: file }) => file)
    return brokenPins(proof.pins, { stood, touched: await changedPaths(lens, base, record.commit) }) !== undefined
  } catch {
    return gate === 'broken' // A commit that is gone is told of below.
  }
}

function gateAllows({ proof, gate, base }: ClauseVerdict): Finding {
  if (proof === 'judged') return 'PASS'
  if (gate === 'red' || gate === 'broken') return 'FAIL'
  if (proof === 'scope') return gate === 'kept' ? 'PASS' : 'INCONCLUSIVE'
  return gate === 'green' && (base !== 'green' || proof === 'guard') ? 'PASS' : 'INCONCLUSIVE'
}

const Judgement = z.object({ reply: z.object({ clauses: z.array(z.object({ id: z.string(), met: z.string() })) }) })

/** The judge's own answer is kept beside the verdict. */
function auditWord({ paths }: Dossier, { round }: VerdictRecord, { id, judge }: ClauseVerdict, remarks: Remarks): void {
  const name = `judge-${round}.json`
  const answer = Judgement.safeParse(jsonIn(look(path.join(paths.evidence, name), caps.record))).data
  const word = answer?.reply.clauses.find(clause => clause.id === id)
  if (word && judge && word.met !== judge.met)
    remarks.damage(
      `evidence/${name}`,
      `the judge's answer on ${id} is ${word.met.slice(0, 20)}, in the verdict ${judge.met}`,
      forged,
    )
}
