import { DispatchError } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { isUndecidedGate, renderVerdict, type VerdictRecord } from '#session/evidence'
import { type Commit, createReference, verifyObjects } from '#session/repository'
import { buildPacket, decideVerdict, type JudgeFailure, type JudgeResult, type Packet } from '#validator'
import type { RunnerContext } from '../context.ts'
import { completeBaseEvidence } from '../contract/base-checks.ts'
import { readSealedContract } from '../contract/seal.ts'
import { runRoundGates } from './gates.ts'
import { askJudge } from './judge-process.ts'
import { withSources } from './leak-sources.ts'
import { collectPacketInput, type PacketParts } from './packet-input.ts'
import { parkRound } from './park.ts'
import { type JudgedRound, keepQuestion } from './question.ts'
import { verifyRecord } from './verify-record.ts'

const MAX_REASON_CHARS = 2000

/**
 * Run one round: gates, packet, judge, verdict on disk, event. In this order, so that the event never names a missing file.
 * Returns undefined where the judge gives no answer for a reason that may pass: then the round is parked.
 */
export async function runJudgeRound(
  context: RunnerContext,
  head: Commit,
  requestId: string,
): Promise<VerdictRecord | undefined> {
  const { session, status } = context
  const round = status.phase === 'judging' ? status.round : status.round + 1 // A dead runner's round is continued.
  verifyRecord(context, round)
  context.record({ type: 'judging.started', round, ...head })
  await createReference(session.paths, `round-${round}`, head.commit)
  const contract = readSealedContract(context)
  await verifyObjects(session.paths, head.tree, ...(status.base ? [status.base.tree] : []))
  await completeBaseEvidence(context, contract)
  const gates = await runRoundGates(context, contract, round, head)
  const parts = await collectPacketInput(context, contract, gates, round, head)
  const packet = await preparePacket(context, parts, head)
  const judged = { round, requestId, head, gates }
  if ('ok' in packet) return concludeRound(context, { ...judged, packet: null }, packet)
  const question = { ...judged, packet }
  keepQuestion(context, question)
  return settleRound(context, question, await askJudge(packet, context.config))
}

/**
 * Give the verdict of a round, or park the round if the judge gave no answer and may give one later: then nothing is lost,
 * nothing is spent, and the judge is asked again. Returns undefined if it is parked, or if the session was closed meanwhile:
 * its runner writes nothing more then, and `dispatch judge` can ask again.
 */
export async function settleRound(
  context: RunnerContext,
  judgedRound: JudgedRound,
  judged: JudgeResult,
): Promise<VerdictRecord | undefined> {
  if (context.status.closed || (!judged.ok && parkRound(context, judgedRound.round, judged))) return undefined
  return concludeRound(context, judgedRound, judged)
}

/** Give the verdict of a round. `isFinal`: no orchestrator is there to go on after it. */
export async function concludeRound(
  context: RunnerContext,
  { round, requestId, head, gates, packet }: JudgedRound,
  judged: JudgeResult,
  { isFinal = false } = {},
): Promise<VerdictRecord> {
  const { session, status } = context
  const { sandbox } = session.manifest
  const { contract: sealed } = status
  const contract = readSealedContract(context)
  writeAtomic(session.paths.judgeAnswer(round), JSON.stringify(judged, null, 2))
  const uncoveredSentences = sealed?.uncoveredSentences ?? []
  const excludedSentences = sealed?.excludedSentences ?? []
  const decision = decideVerdict({
    ...{ contract, gates, judged },
    ...{ uncovered: uncoveredSentences, excluded: excludedSentences },
  })
  const isUnchanged = head.tree === status.base?.tree
  const record: VerdictRecord = {
    format: 1,
    sessionId: session.id,
    round,
    ...decision,
    ...(isUnchanged && decision.verdict === 'PASS' ? noWorkVerdict : {}),
    ...head,
    contractSha256: sealed?.sha256 ?? '',
    packetSha256: packet?.sha256 ?? null,
    independence: judged.ok ? 'other vendor, blind' : 'none',
    judge: judged.ok ? judged.model : `none (${judged.reason})`,
    ...(judged.ok && judged.remark !== undefined ? { judgeRemark: judged.remark } : {}),
    sandbox: sandbox.kind ?? `none: agents and checks ran with the rights of the user (${sandbox.reason})`,
    time: new Date().toISOString(),
    uncoveredSentences,
    excludedSentences,
    contractVersion: sealed?.version ?? 1,
    dilutions: sealed?.dilutions ?? [],
  }
  await createReference(session.paths, 'judged', head.commit)
  const isUnanswered = !judged.ok && judged.kind !== 'not believed' && packet !== null
  recordVerdict(context, record, { requestId, isUnanswered, isFinal })
  return record
}

/** Write the verdict to disk, then record the event that names it. */
export function recordVerdict(
  context: RunnerContext,
  verdictRecord: VerdictRecord,
  {
    requestId,
    isUnanswered = false,
    isFinal = false,
  }: { requestId: string; isUnanswered?: boolean; isFinal?: boolean },
): void {
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
    isFinal: verdict === 'PASS' || !isFixable || isLastRound || isFinal,
    independence,
    ...(isUnanswered ? { isUnanswered } : {}),
    requestId,
    clauses: record.clauses.map(clause => ({ id: clause.id, verdict: clause.verdict })),
    sha256: sha256(text),
  })
}

/** The packet, or why nothing may be sent. */
export async function preparePacket(
  { session, status }: Pick<RunnerContext, 'session' | 'status'>,
  parts: PacketParts,
  head: Commit,
): Promise<Packet | JudgeFailure> {
  try {
    const trees = { base: status.base ?? head, head }
    return await withSources(session.paths, trees, sources => buildPacket({ ...parts, sources }))
  } catch (error) {
    if (error instanceof DispatchError) return { ok: false, reason: error.message, kind: 'rejected' }
    throw error
  }
}

// --- internal ---

/** The tree from before the work may meet every clause, but no work was done on it. */
const noWorkVerdict = { verdict: 'INCONCLUSIVE', reason: 'no work was done: the tree is the same as before' } as const
