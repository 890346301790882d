import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildChildEnvironment, buildProgramCommand } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { parseJson } from '#host/json.ts'
import { SECOND_MS } from '#host/time.ts'
import { isUndecidedGate, renderVerdict, type VerdictRecord } from '#session/evidence'
import { type Commit, createReference, verifyObjects } from '#session/repository'
import { buildPacket, decideVerdict, type JudgeResult } from '#validator'
import type { RunnerContext } from '../context.ts'
import { completeBaseEvidence } from '../contract/base-checks.ts'
import { readSealedContract } from '../contract/seal.ts'
import { runGates } from './gates.ts'
import { withSources } from './leak-sources.ts'
import { collectPacketInput, type PacketParts } from './packet-input.ts'
import { verifyRecord } from './verify-record.ts'

/** The judge's process may take this much longer than its model. */
const JUDGE_EXTRA_SECONDS = 30
const MAX_REASON_CHARS = 2000

/** Run one round: gates, packet, judge, verdict on disk, event. In this order, so that the event never names a missing file. */
export async function runJudgeRound(context: RunnerContext, head: Commit, requestId: string): Promise<VerdictRecord> {
  const { session, status } = context
  const { sandbox } = session.manifest
  const round = status.phase === 'judging' ? status.round : status.round + 1 // A dead runner's round is continued.
  verifyRecord(context, round)
  context.record({ type: 'judging.started', round, ...head })
  await createReference(session.paths, `round-${round}`, head.commit)
  const contract = readSealedContract(context)
  await verifyObjects(session.paths, head.tree, ...(status.base ? [status.base.tree] : []))
  await completeBaseEvidence(context, contract)
  const gates = await runGates(context, contract, round, head)
  const parts = await collectPacketInput(context, contract, gates, round, head)
  const { judged, packetSha256 } = await askJudge(context, parts, status.base ?? head, head)
  const uncoveredSentences = status.contract?.uncoveredSentences ?? []
  const decision = decideVerdict({ contract, gates, judged, uncovered: uncoveredSentences })
  const isUnchanged = head.tree === status.base?.tree
  const record: VerdictRecord = {
    format: 1,
    sessionId: session.id,
    round,
    ...decision,
    ...(isUnchanged && decision.verdict === 'PASS' ? noWorkVerdict : {}),
    ...head,
    contractSha256: status.contract?.sha256 ?? '',
    packetSha256,
    independence: judged.ok ? 'other vendor, blind' : 'none',
    judge: judged.ok ? judged.model : `none (${judged.reason})`,
    sandbox: sandbox.kind ?? `none: agents and checks ran with the rights of the user (${sandbox.reason})`,
    time: new Date().toISOString(),
    uncoveredSentences,
    contractVersion: status.contract?.version ?? 1,
    dilutions: status.contract?.dilutions ?? [],
  }
  await createReference(session.paths, 'judged', head.commit)
  recordVerdict(context, record, requestId)
  return record
}

/** Write the verdict to disk, then record the event that names it. */
export function recordVerdict(context: RunnerContext, verdictRecord: VerdictRecord, requestId: string): void {
  verifyRecord(context)
  const { status, log } = context
  const { paths } = context.session
  const record = { ...verdictRecord, logAnchor: { seq: log.lastSeq, head: log.head } }
  const { round, verdict, reason, commit, tree, independence } = record
  const text = JSON.stringify(record, null, 2)
  writeAtomic(paths.roundVerdict(round), text)
  writeAtomic(paths.verdictRecord, text)
  writeAtomic(paths.verdictText, renderVerdict(record))
  const isFixable = record.clauses.some(clause => clause.verdict === 'FAIL' || isUndecidedGate(clause.gate))
  const isLastRound = round - status.roundOffset >= status.maxRounds
  context.record({
    type: 'verdict.given',
    round,
    verdict,
    reason: reason.slice(0, MAX_REASON_CHARS),
    commit,
    tree,
    isFinal: verdict === 'PASS' || !isFixable || isLastRound,
    independence,
    requestId,
    clauses: record.clauses.map(clause => ({ id: clause.id, verdict: clause.verdict })),
    sha256: sha256(text),
  })
}

// --- internal ---

/** The tree from before the work may meet every clause, but no work was done on it. */
const noWorkVerdict = { verdict: 'INCONCLUSIVE', reason: 'no work was done: the tree is the same as before' } as const

/** Ask the judge, a process in an empty folder: it gets the packet, and cannot reach anything else of the work. */
async function askJudge(
  { session, config }: RunnerContext,
  parts: PacketParts,
  base: Commit,
  head: Commit,
): Promise<{ judged: JudgeResult; packetSha256: string | null }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-judge-'))
  try {
    const packet = await withSources(session.paths, { base, head }, sources => buildPacket({ ...parts, sources }))
    writeAtomic(session.paths.packet(parts.round), packet.packet)
    const [node, judge] = buildProgramCommand('bin/processes/judge')
    const run = await runProgram(node, [judge], {
      cwd: folder,
      env: buildChildEnvironment(config),
      input: JSON.stringify(packet),
      timeoutMs: (config.JUDGE_TIMEOUT_SEC + JUDGE_EXTRA_SECONDS) * SECOND_MS,
    })
    const detail = run.stderr ? `: ${run.stderr.trim().split('\n').at(-1)}` : ''
    const silent = `the judge's process ended with exit ${run.exitCode ?? run.signal} and no answer${detail}`
    // The judge's process belongs to dispatch and has checked its answer, so its type is not checked again.
    const judged = (parseJson(run.stdout) as JudgeResult | undefined) ?? { ok: false, reason: silent }
    writeAtomic(session.paths.judgeAnswer(parts.round), JSON.stringify(judged, null, 2))
    return { judged, packetSha256: packet.sha256 }
  } catch (error) {
    if (error instanceof DispatchError) return { judged: { ok: false, reason: error.message }, packetSha256: null }
    throw error
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
