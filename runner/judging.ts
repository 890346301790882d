import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  DispatchError,
  heldSecrets,
  ownEnvironment,
  ownProgram,
  readIfPresent,
  run,
  writeAtomic,
} from '../host/index.ts'
import {
  brokenPins,
  type Commit,
  type Contract,
  type ContractClause,
  changedPaths,
  type EvidenceRecord,
  isUnproved,
  keep,
  listing,
  type ProofOf,
  readEvidence,
  remarkOn,
  renderVerdict,
  type VerdictRecord,
  verifyTrees,
  type Work,
} from '../session/index.ts'
import { buildPacket, decide, type Gate, type Judgement, type PacketInput } from '../validator/index.ts'
import { completeBase } from './base.ts'
import { evidenceFor, recordCheck } from './evidence.ts'
import { givenSecrets } from './given.ts'
import { hashOf } from './human.ts'
import type { Running } from './running.ts'
import { sealedContract } from './seal.ts'
import { withSources } from './sources.ts'
import { vouch } from './vouch.ts'

/** Gates, packet, judge, verdict on disk, event: in this order, so that the event never names a file that is not there. */
export async function judgeWork(running: Running, head: Commit, request: string): Promise<VerdictRecord> {
  const { session, status } = running
  const round = status.phase === 'judging' ? status.round : status.round + 1 // A round that a dead runner began goes on.
  vouch(running, round)
  running.record({ is: 'judging.started', round, ...head })
  await keep(session.paths, `round-${round}`, head.commit)
  const contract = sealedContract(running)
  await verifyTrees(session.paths, head.tree, ...(status.base ? [status.base.tree] : []))
  await completeBase(running, contract)
  const gates = await runGates(running, contract, { round, at: head })
  const input = await packetInput(running, { contract, gates, round, head })
  const { judged, packetSha256 } = await askJudge(running, input, { base: status.base ?? head, head })
  const decision = decide({
    contract,
    gates,
    judged,
    uncovered: status.contract?.uncovered ?? [],
  })
  const { verdict, reason, clauses, findings } =
    head.tree === status.base?.tree && decision.verdict === 'PASS' ? { ...decision, ...nothingMade } : decision
  const record: VerdictRecord = {
    format: 1,
    session: session.id,
    round,
    verdict,
    reason,
    ...head,
    contractSha256: status.contract?.sha256 ?? '',
    packetSha256,
    independence: judged.ok ? 'other vendor, blind' : 'none',
    judge: judged.ok ? judged.model : `none (${judged.why})`,
    sandbox: sandboxWords(session.opening.sandbox),
    at: new Date().toISOString(),
    clauses,
    findings,
    uncovered: status.contract?.uncovered ?? [],
    contractVersion: status.contract?.version ?? 1,
    dilutions: status.contract?.dilutions ?? [],
  }
  await keep(session.paths, 'judged', head.commit)
  settle(running, record, request)
  return record
}

function sandboxWords({ kind, why }: Running['session']['opening']['sandbox']): string {
  return kind ?? `none: agents and checks ran with the rights of the user (${why})`
}

/** The same tree as before any work can have been right all along, but no work was done on it. */
const nothingMade = {
  verdict: 'INCONCLUSIVE' as const,
  reason: 'nothing was made: the tree is the one from before the work',
}

/** The verdict on disk first, then the event that names it. */
export function settle(running: Running, made: VerdictRecord, request: string): void {
  vouch(running)
  const { session, status, log } = running
  const { paths } = session
  const record = { ...made, log: { seq: log.seq, head: log.head } }
  const { round, verdict, reason, commit, tree, independence } = record
  const text = JSON.stringify(record, null, 2)
  writeAtomic(path.join(paths.evidence, `verdict-${round}.json`), text)
  writeAtomic(paths.verdictRecord, text)
  writeAtomic(paths.verdict, renderVerdict(record))
  const mendable = record.clauses.some(({ verdict: found, gate }) => found === 'FAIL' || isUnproved(gate))
  const final = verdict === 'PASS' || !mendable || round - status.roundBase >= status.rounds
  const clauses = record.clauses.map(({ id, verdict: found }) => ({ id, verdict: found }))
  running.record({
    is: 'verdict.given',
    round,
    verdict,
    reason: reason.slice(0, 2000),
    commit,
    tree,
    final,
    independence,
    request,
    clauses,
    sha256: hashOf(text),
  })
}

/** Every clause through its gate: checks are run, scopes are asked of git, judged clauses have none. */
async function runGates(
  running: Running,
  contract: Contract,
  { round, at }: { round: number; at: Commit },
): Promise<Gate[]> {
  const gates: Gate[] = []
  const before = readEvidence(running.session.paths).filter(earlier => earlier.side === 'base')
  const work = await workUpTo(running, at)
  for (const clause of contract.clauses) {
    const { proof } = clause
    if (proof.is === 'check') {
      gates.push(await checkGate(running, clause, proof, { round, at, before, work }))
    } else if (proof.is === 'scope') {
      gates.push(await scopeGate(running, contract, clause, at))
    } else {
      gates.push({ clause, gate: 'none', because: 'only a judge can tell', evidence: [] })
    }
  }
  return gates
}

/** What lay there before any work, and what has been made of it. */
async function workUpTo({ session: { paths }, status }: Running, at: Commit): Promise<Work> {
  const base = status.base?.commit ?? at.commit
  const stood = (await listing(paths, base)).map(({ path: file }) => file)
  return { stood, touched: await changedPaths(paths, base, at.commit) }
}

/** The check is run whatever became of its pins, so that there is evidence; where one is broken, that does not decide. */
async function checkGate(
  running: Running,
  clause: ContractClause,
  proof: Extract<ProofOf, { is: 'check' }>,
  { round, at, before, work }: { round: number; at: Commit; before: EvidenceRecord[]; work: Work },
): Promise<Gate> {
  const record = await evidenceFor(running, clause, proof, {
    id: `round-${round}-${clause.id}`,
    side: 'head',
    round,
    at,
  })
  recordCheck(running, record)
  const earlier = before.findLast(known => known.clause === clause.id && known.command === proof.command)
  const base = running.status.clauses.find(known => known.id === clause.id)?.base
  const seen = { clause, evidence: [record], ...(base === undefined ? {} : { base }) }
  const broken = brokenPins(proof.pins ?? [], work)
  if (broken !== undefined)
    return { ...seen, gate: 'broken', because: `${broken}; its check came out ${record.outcome}, which does not count` }
  const remark = remarkOn(proof.command, work)
  return {
    ...seen,
    gate: record.outcome,
    because: becauseOf(record, earlier),
    ...(remark === undefined ? {} : { remark }),
  }
}

/** What was seen, and whether the work or what was there before it is to blame. */
function becauseOf({ outcome, why, expected, outputSha256 }: EvidenceRecord, base: EvidenceRecord | undefined): string {
  if (outcome === 'green') return `${expected}, as seen`
  if (outcome !== 'red' || base === undefined) return why
  if (base.outcome === 'green') return `${why}; before the work it held`
  return base.outputSha256 === outputSha256 ? `${why}, exactly as before the work` : why
}

/** The scopes of a contract add up: what the work changed must lie in one of them. */
async function scopeGate(
  { session, status }: Running,
  contract: Contract,
  clause: Contract['clauses'][number],
  at: Commit,
): Promise<Gate> {
  const globs = contract.clauses.flatMap(other => (other.proof.is === 'scope' ? other.proof.globs : []))
  const outside = await changedPaths(session.paths, status.base?.commit ?? at.commit, at.commit, globs)
  if (outside.length === 0) return { clause, gate: 'kept', because: 'git shows no change outside it', evidence: [] }
  const named = outside
    .slice(0, 8)
    .map(({ path: file, change }) => `${file} (${change})`)
    .join(', ')
  return {
    clause,
    gate: 'broken',
    because: `changed outside it: ${named}${outside.length > 8 ? ` and ${outside.length - 8} more` : ''}`,
    evidence: [],
  }
}

async function packetInput(
  { session, status, config }: Running,
  { contract, gates, round, head }: { contract: Contract; gates: Gate[]; round: number; head: Commit },
): Promise<Omit<PacketInput, 'sources'>> {
  const { paths } = session
  const changes = new Map(
    (await changedPaths(paths, status.base?.commit ?? head.commit, head.commit)).map(({ path: file, change }) => [
      file,
      change,
    ]),
  )
  const present = (await listing(paths, head.commit)).map(file => ({
    ...file,
    change: changes.get(file.path) ?? ('kept' as const),
  }))
  const removed = [...changes]
    .filter(([, change]) => change === 'removed')
    .map(([file]) => ({ path: file, bytes: 0, change: 'removed' as const }))
  const reports = status.workers.map(({ name, clauses, how }) => ({
    worker: name,
    clauses,
    how: how ?? 'unknown',
    report: readIfPresent(paths.worker(name).report) ?? '',
  }))
  const base = readEvidence(paths).filter(record => record.side === 'base')
  const withBase = gates.map(gate => ({
    ...gate,
    evidence: [...base.filter(record => record.clause === gate.clause.id), ...gate.evidence],
  }))
  return {
    contract,
    gates: withBase,
    reports,
    listing: [...present, ...removed],
    held: [...heldSecrets(config), ...givenSecrets(paths)],
    round,
  }
}

/** The judge is a process of its own in an empty folder: it has the packet, and no way to anything else of the work. */
async function askJudge(
  { session, config }: Running,
  input: Omit<PacketInput, 'sources'>,
  sides: { base: Commit; head: Commit },
): Promise<{ judged: Judgement; packetSha256: string | null }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-judge-'))
  try {
    const packet = await withSources(session.paths, sides, sources => buildPacket({ ...input, sources }))
    writeAtomic(path.join(session.paths.evidence, `packet-${input.round}.txt`), packet.packet)
    const [node, judge] = ownProgram('bin/judge')
    const ran = await run(node, [judge], {
      cwd: folder,
      env: ownEnvironment(config),
      input: JSON.stringify(packet),
      deadline: (config.JUDGE_TIMEOUT_SEC + 30) * 1000,
    })
    const silent = `the judge's process ended with exit ${ran.code ?? ran.signal} and no answer${ran.stderr ? `: ${ran.stderr.trim().split('\n').at(-1)}` : ''}`
    const judged = parseJudged(ran.stdout) ?? { ok: false as const, why: silent }
    writeAtomic(path.join(session.paths.evidence, `judge-${input.round}.json`), JSON.stringify(judged, null, 2))
    return { judged, packetSha256: packet.sha256 }
  } catch (error) {
    if (error instanceof DispatchError) return { judged: { ok: false, why: error.message }, packetSha256: null }
    throw error
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function parseJudged(text: string): Judgement | undefined {
  try {
    return JSON.parse(text) as Judgement // Our own process wrote it, from a reply it has checked.
  } catch {
    return undefined
  }
}
