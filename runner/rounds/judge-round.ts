import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildChildEnvironment, buildProgramCommand } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { readIfPresent, writeAtomic } from '#host/fs'
import { listKnownSecrets } from '#host/secrets'
import {
  type ClauseProof,
  type Contract,
  type ContractClause,
  describeBrokenPins,
  describeChangedCheckFiles,
  type WorkDiff,
} from '#session/contract'
import {
  type EvidenceRecord,
  isUndecidedGate,
  readEvidence,
  renderVerdict,
  type VerdictRecord,
} from '#session/evidence'
import { type Commit, createReference, listChangedPaths, listCommitFiles, verifyObjects } from '#session/repository'
import { buildPacket, decideVerdict, type Gate, type JudgeResult, type PacketInput } from '#validator'
import { getEvidence, recordCheck } from '../checks/check-cache.ts'
import type { RunnerContext } from '../context.ts'
import { completeBaseEvidence } from '../contract/base-checks.ts'
import { readSealedContract } from '../contract/seal.ts'
import { readIgnoredFileSecrets } from '../dependencies/ignored-files.ts'
import { computeSha256 } from '../messages/store.ts'
import { withSources } from './leak-sources.ts'
import { verifyRecord } from './verify-record.ts'

/** Gates, packet, judge, verdict on disk, event: in this order, so that the event never names a file that is not there. */
export async function runJudgeRound(context: RunnerContext, head: Commit, request: string): Promise<VerdictRecord> {
  const { session, status } = context
  const round = status.phase === 'judging' ? status.round : status.round + 1 // A round that a dead runner began goes on.
  verifyRecord(context, round)
  context.record({ type: 'judging.started', round, ...head })
  await createReference(session.paths, `round-${round}`, head.commit)
  const contract = readSealedContract(context)
  await verifyObjects(session.paths, head.tree, ...(status.base ? [status.base.tree] : []))
  await completeBaseEvidence(context, contract)
  const gates = await runGates(context, contract, { round, at: head })
  const input = await collectPacketInput(context, { contract, gates, round, head })
  const { judged, packetSha256 } = await askJudge(context, input, { base: status.base ?? head, head })
  const decision = decideVerdict({
    contract,
    gates,
    judged,
    uncovered: status.contract?.uncoveredSentences ?? [],
  })
  const { verdict, reason, clauses, findings } =
    head.tree === status.base?.tree && decision.verdict === 'PASS' ? { ...decision, ...noWorkVerdict } : decision
  const record: VerdictRecord = {
    format: 1,
    sessionId: session.id,
    round,
    verdict,
    reason,
    ...head,
    contractSha256: status.contract?.sha256 ?? '',
    packetSha256,
    independence: judged.ok ? 'other vendor, blind' : 'none',
    judge: judged.ok ? judged.model : `none (${judged.reason})`,
    sandbox: describeSandbox(session.manifest.sandbox),
    time: new Date().toISOString(),
    clauses,
    findings,
    uncoveredSentences: status.contract?.uncoveredSentences ?? [],
    contractVersion: status.contract?.version ?? 1,
    dilutions: status.contract?.dilutions ?? [],
  }
  await createReference(session.paths, 'judged', head.commit)
  recordVerdict(context, record, request)
  return record
}

function describeSandbox({ kind, reason }: RunnerContext['session']['manifest']['sandbox']): string {
  return kind ?? `none: agents and checks ran with the rights of the user (${reason})`
}

/** The same tree as before any work can have been right all along, but no work was done on it. */
const noWorkVerdict = {
  verdict: 'INCONCLUSIVE' as const,
  reason: 'nothing was made: the tree is the one from before the work',
}

/** The verdict on disk first, then the event that names it. */
export function recordVerdict(context: RunnerContext, made: VerdictRecord, requestId: string): void {
  verifyRecord(context)
  const { session, status, log } = context
  const { paths } = session
  const record = { ...made, logAnchor: { seq: log.lastSeq, head: log.head } }
  const { round, verdict, reason, commit, tree, independence } = record
  const text = JSON.stringify(record, null, 2)
  writeAtomic(path.join(paths.evidence, `verdict-${round}.json`), text)
  writeAtomic(paths.verdictRecord, text)
  writeAtomic(paths.verdictText, renderVerdict(record))
  const mendable = record.clauses.some(({ verdict: found, gate }) => found === 'FAIL' || isUndecidedGate(gate))
  const isFinal = verdict === 'PASS' || !mendable || round - status.roundOffset >= status.maxRounds
  const clauses = record.clauses.map(({ id, verdict: found }) => ({ id, verdict: found }))
  context.record({
    type: 'verdict.given',
    round,
    verdict,
    reason: reason.slice(0, 2000),
    commit,
    tree,
    isFinal,
    independence,
    requestId,
    clauses,
    sha256: computeSha256(text),
  })
}

/** Every clause through its gate: checks are run, scopes are asked of git, judged clauses have none. */
async function runGates(
  context: RunnerContext,
  contract: Contract,
  { round, at }: { round: number; at: Commit },
): Promise<Gate[]> {
  const gates: Gate[] = []
  const before = readEvidence(context.session.paths).filter(earlier => earlier.side === 'base')
  const work = await collectChanges(context, at)
  for (const clause of contract.clauses) {
    const { proof } = clause
    if (proof.kind === 'check') {
      gates.push(await runCheckGate(context, clause, proof, { round, at, before, work }))
    } else if (proof.kind === 'scope') {
      gates.push(await runScopeGate(context, contract, clause, at))
    } else {
      gates.push({ clause, gate: 'none', reason: 'only a judge can tell', evidence: [] })
    }
  }
  return gates
}

/** What lay there before any work, and what has been made of it. */
async function collectChanges({ session: { paths }, status }: RunnerContext, commit: Commit): Promise<WorkDiff> {
  const base = status.base?.commit ?? commit.commit
  const baseFiles = (await listCommitFiles(paths, base)).map(({ path: file }) => file)
  return { baseFiles, changes: await listChangedPaths(paths, base, commit.commit) }
}

/** The check is run whatever became of its pins, so that there is evidence; where one is broken, that does not decide. */
async function runCheckGate(
  context: RunnerContext,
  clause: ContractClause,
  proof: Extract<ClauseProof, { kind: 'check' }>,
  { round, at: commit, before, work }: { round: number; at: Commit; before: EvidenceRecord[]; work: WorkDiff },
): Promise<Gate> {
  const record = await getEvidence(context, clause, proof, {
    id: `round-${round}-${clause.id}`,
    side: 'head',
    round,
    commit,
  })
  recordCheck(context, record)
  const earlier = before.findLast(known => known.clauseId === clause.id && known.command === proof.command)
  const base = context.status.clauses.find(known => known.id === clause.id)?.baseOutcome
  const seen = { clause, evidence: [record], ...(base === undefined ? {} : { base }) }
  const broken = describeBrokenPins(proof.pins ?? [], work)
  if (broken !== undefined)
    return { ...seen, gate: 'broken', reason: `${broken}; its check came out ${record.outcome}, which does not count` }
  const remark = describeChangedCheckFiles(proof.command, work)
  return {
    ...seen,
    gate: record.outcome,
    reason: explainOutcome(record, earlier),
    ...(remark === undefined ? {} : { remark }),
  }
}

/** What was seen, and whether the work or what was there before it is to blame. */
function explainOutcome(
  { outcome, reason, expected, outputSha256 }: EvidenceRecord,
  base: EvidenceRecord | undefined,
): string {
  if (outcome === 'green') return `${expected}, as seen`
  if (outcome !== 'red' || base === undefined) return reason
  if (base.outcome === 'green') return `${reason}; before the work it held`
  return base.outputSha256 === outputSha256 ? `${reason}, exactly as before the work` : reason
}

/** The scopes of a contract add up: what the work changed must lie in one of them. */
async function runScopeGate(
  { session, status }: RunnerContext,
  contract: Contract,
  clause: Contract['clauses'][number],
  commit: Commit,
): Promise<Gate> {
  const globs = contract.clauses.flatMap(other => (other.proof.kind === 'scope' ? other.proof.globs : []))
  const outside = await listChangedPaths(session.paths, status.base?.commit ?? commit.commit, commit.commit, globs)
  if (outside.length === 0) return { clause, gate: 'kept', reason: 'git shows no change outside it', evidence: [] }
  const named = outside
    .slice(0, 8)
    .map(({ path: file, change }) => `${file} (${change})`)
    .join(', ')
  return {
    clause,
    gate: 'broken',
    reason: `changed outside it: ${named}${outside.length > 8 ? ` and ${outside.length - 8} more` : ''}`,
    evidence: [],
  }
}

async function collectPacketInput(
  { session, status, config }: RunnerContext,
  { contract, gates, round, head }: { contract: Contract; gates: Gate[]; round: number; head: Commit },
): Promise<Omit<PacketInput, 'sources'>> {
  const { paths } = session
  const changes = new Map(
    (await listChangedPaths(paths, status.base?.commit ?? head.commit, head.commit)).map(({ path: file, change }) => [
      file,
      change,
    ]),
  )
  const present = (await listCommitFiles(paths, head.commit)).map(file => ({
    ...file,
    change: changes.get(file.path) ?? ('kept' as const),
  }))
  const removed = [...changes]
    .filter(([, change]) => change === 'removed')
    .map(([file]) => ({ path: file, sizeBytes: 0, change: 'removed' as const }))
  const reports = status.workers.map(({ name, clauses, ending }) => ({
    worker: name,
    clauses,
    how: ending ?? 'unknown',
    report: readIfPresent(paths.worker(name).report) ?? '',
  }))
  const base = readEvidence(paths).filter(record => record.side === 'base')
  const withBase = gates.map(gate => ({
    ...gate,
    evidence: [...base.filter(record => record.clauseId === gate.clause.id), ...gate.evidence],
  }))
  return {
    contract,
    gates: withBase,
    reports,
    listing: [...present, ...removed],
    knownSecrets: [...listKnownSecrets(config), ...readIgnoredFileSecrets(paths)],
    round,
  }
}

/** The judge is a process of its own in an empty folder: it has the packet, and no way to anything else of the work. */
async function askJudge(
  { session, config }: RunnerContext,
  input: Omit<PacketInput, 'sources'>,
  sides: { base: Commit; head: Commit },
): Promise<{ judged: JudgeResult; packetSha256: string | null }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-judge-'))
  try {
    const packet = await withSources(session.paths, sides, sources => buildPacket({ ...input, sources }))
    writeAtomic(path.join(session.paths.evidence, `packet-${input.round}.txt`), packet.packet)
    const [node, judge] = buildProgramCommand('bin/processes/judge')
    const ran = await runProgram(node, [judge], {
      cwd: folder,
      env: buildChildEnvironment(config),
      input: JSON.stringify(packet),
      timeoutMs: (config.JUDGE_TIMEOUT_SEC + 30) * 1000,
    })
    const silent = `the judge's process ended with exit ${ran.exitCode ?? ran.signal} and no answer${ran.stderr ? `: ${ran.stderr.trim().split('\n').at(-1)}` : ''}`
    const judged = parseJudgeResult(ran.stdout) ?? { ok: false as const, reason: silent }
    writeAtomic(path.join(session.paths.evidence, `judge-${input.round}.json`), JSON.stringify(judged, null, 2))
    return { judged, packetSha256: packet.sha256 }
  } catch (error) {
    if (error instanceof DispatchError) return { judged: { ok: false, reason: error.message }, packetSha256: null }
    throw error
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function parseJudgeResult(text: string): JudgeResult | undefined {
  try {
    return JSON.parse(text) as JudgeResult // Our own process wrote it, from a reply it has checked.
  } catch {
    return undefined
  }
}
