import { writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { formatCount } from '#host/text.ts'
import { applySearchPath } from '#host/toolchains'
import type { Contract } from '#session/contract'
import { type EvidenceRecord, type LandingRecord, serializeEvidence, serializeLanding } from '#session/evidence'
import type { LandingMethod } from '#session/landing'
import type { Event } from '#session/log'
import { type Commit, verifyObjects } from '#session/repository'
import { decideVerdict } from '#validator'
import { getEvidence } from '../checks/check-cache.ts'
import { type CheckClause, isCheckClause } from '../checks/run-check.ts'
import type { RunnerContext } from '../context.ts'
import { readSealedContract } from '../contract/seal.ts'
import { runGates } from '../rounds/gates.ts'
import { askJudge } from '../rounds/judge-process.ts'
import { preparePacket } from '../rounds/judge-round.ts'
import { collectPacketInput } from '../rounds/packet-input.ts'
import { getNextNumber } from './tries.ts'

/** A commit that is to land. */
export interface LandingCandidate {
  remote: string
  branch: string
  method: LandingMethod
  target: Commit
  head: Commit
  judged: Commit
  /** The gates of the project, as the branch has them. */
  gates: string[]
  /** The forge has made it, and it is on the branch already. */
  isOnBranch?: boolean
  /** Nothing is to be pushed. */
  isDryRun?: boolean
}

/**
 * Find out whether a commit may land, and record it. The contract's checks run on the branch without the work: one that is green there is
 * stale. Then the gates of the project run on the commit; one that is not green decides. If the tree of the commit is not the judged one,
 * the contract is proved again on it: the checks, the scopes and the judge. In this order, gates and checks use one copy of the tree.
 */
export async function checkLanding(
  context: RunnerContext,
  candidate: LandingCandidate,
): Promise<Event<'landing.checked'>> {
  const { session } = context
  const { paths, manifest } = session
  applySearchPath(manifest.repository?.path)
  const { target, head, judged, branch } = candidate
  await verifyObjects(paths, head.tree, target.tree)
  const number = getNextNumber(context)
  const evidence = new Map<string, EvidenceRecord>()
  const proof = new LandingProof(override(context, { base: target }), number, head, each => evidence.set(each.id, each))
  const contract = readSealedContract(context)
  const before = await proof.runBaseChecks(contract)
  const gates = await proof.runProjectGates(candidate.gates, target)
  const brokenGate = gates.find(({ outcome }) => outcome !== 'green')
  const proved = brokenGate ? null : await proof.prove(contract, before, head.tree === judged.tree)
  const record: LandingRecord = {
    format: 1,
    sessionId: session.id,
    number,
    remote: candidate.remote,
    branch,
    method: candidate.method,
    target,
    judged,
    landed: head,
    gates,
    verdict: proved && 'verdict' in proved ? proved : null,
    evidence: [...evidence.values()].map(each => ({ recordId: each.id, sha256: sha256(serializeEvidence(each)) })),
    time: new Date().toISOString(),
  }
  const text = serializeLanding(record)
  writeAtomic(paths.landingRecord(number), text)
  const { result, reason } = brokenGate
    ? describeBrokenGate(brokenGate, branch)
    : decideLanding(proved, gates.length, candidate)
  const event = context.record({
    type: 'landing.checked',
    number,
    branch,
    ...head,
    target: target.commit,
    result,
    reason: reason.slice(0, MAX_REASON_CHARS),
    sha256: sha256(text),
    ...(candidate.isOnBranch && { isOnBranch: true }),
    ...(candidate.isDryRun && { isDryRun: true }),
  })
  return event as Event<'landing.checked'>
}

// --- internal ---

const MAX_REASON_CHARS = 2000

type Proved = NonNullable<LandingRecord['verdict']> | { stale: string }

/** What the contract's checks show without the work; or which one is green there. */
type BaseChecks = { evidence: EvidenceRecord[] } | { stale: string }

/** The contract on another tree than the judged one. */
class LandingProof {
  private readonly context: RunnerContext
  private readonly name: string
  private readonly number: number
  private readonly head: Commit
  private readonly keep: (evidence: EvidenceRecord) => void

  constructor(context: RunnerContext, number: number, head: Commit, keep: (evidence: EvidenceRecord) => void) {
    this.context = context
    this.name = `landing-${number}`
    this.number = number
    this.head = head
    this.keep = keep
  }

  /**
   * Run each gate of the project, once, until one is not green: that one runs on the branch without the work too. It proves no clause, so
   * it need not be shown to be stable. What ran once is no evidence of a clause with the same command.
   */
  async runProjectGates(commands: string[], target: Commit): Promise<LandingRecord['gates']> {
    const once = override(this.context, { settings: { CHECK_REPEAT_SEC: 0 }, checkResults: new Map() })
    const results: LandingRecord['gates'] = []
    for (const [index, command] of commands.entries()) {
      const gate = createGate(command, index + 1)
      const record = await this.runCheck(gate, 'head', this.head, once)
      const { reason, milliseconds, outputTail } = record
      const result = { command, outcome: readGateOutcome(record), reason, milliseconds, outputTail }
      if (result.outcome === 'green' || result.outcome === 'could not run') results.push(result)
      else {
        const targetOutcome = readGateOutcome(await this.runCheck(gate, 'base', target, once))
        results.push({ ...result, targetOutcome })
      }
      if (result.outcome !== 'green') break
    }
    return results
  }

  /** Run the checks on the branch without the work, until one is green there that should not be. */
  async runBaseChecks(contract: Contract): Promise<BaseChecks> {
    const evidence: EvidenceRecord[] = []
    for (const clause of contract.clauses.filter(isCheckClause)) {
      const before = await this.runCheck(clause, 'base', this.context.status.base ?? this.head)
      if (before.outcome === 'green' && !clause.proof.isGuard)
        return { stale: `the check of ${clause.id} is green on the branch without the work (\`${before.command}\`)` }
      evidence.push(before)
    }
    return { evidence }
  }

  /** Run the checks on what would land, and ask the judge. The judged tree needs neither, and a stale check makes both useless. */
  async prove(contract: Contract, before: BaseChecks, isJudgedTree: boolean): Promise<Proved | null> {
    if ('stale' in before) return before
    return isJudgedTree ? null : this.askJudge(contract, before.evidence)
  }

  private async askJudge(contract: Contract, baseEvidence: EvidenceRecord[]): Promise<Proved> {
    const { context, name, number, head } = this
    const { status, session, config } = context
    const getBaseOutcome = (id: string) => baseEvidence.findLast(({ clauseId }) => clauseId === id)?.outcome
    const run = { name, round: number, head, baseEvidence, getBaseOutcome, record: this.keep }
    const gates = await runGates(context, contract, run)
    const parts = await collectPacketInput(context, contract, gates, number, head)
    const packet = await preparePacket({ session, status: context.status }, parts, head)
    if (!('ok' in packet)) writeAtomic(session.paths.landingPacket(number), packet.packet)
    const judged = 'ok' in packet ? packet : await askJudge(packet, config)
    const answer = JSON.stringify(judged, null, 2)
    writeAtomic(session.paths.landingAnswer(number), answer)
    const { verdict, reason, clauses, findings } = decideVerdict({
      contract,
      gates,
      judged,
      uncovered: status.contract?.uncoveredSentences ?? [],
      excluded: status.contract?.excludedSentences ?? [],
    })
    const judge = judged.ok ? judged.model : `none (${judged.reason})`
    const packetSha256 = 'ok' in packet ? null : packet.sha256
    return { verdict, reason, clauses, findings, judge, packetSha256, answerSha256: sha256(answer) }
  }

  private async runCheck(
    clause: CheckClause,
    side: 'base' | 'head',
    commit: Commit,
    context = this.context,
  ): Promise<EvidenceRecord> {
    const id = `${this.name}-${side === 'base' ? 'base-' : ''}${clause.id}`
    const record = await getEvidence(context, clause, { id, side, round: this.number, commit })
    this.keep(record)
    return record
  }
}

function createGate(command: string, number: number): CheckClause {
  const expectation = { exitCode: 0, outputContains: [], outputMatches: [] }
  const proof = { kind: 'check' as const, command, isGuard: true, expectation }
  return { id: `gate-${number}`, sentence: `Gate ${number} of the project is green.`, line: 0, covers: [], proof }
}

/** A gate may be a linter, which runs no test. */
function readGateOutcome({ outcome, exitCode }: EvidenceRecord): EvidenceRecord['outcome'] {
  return outcome === 'nothing ran' && exitCode === 0 ? 'green' : outcome
}

/**
 * A gate that could not run says nothing about the work, and one that is not green without the work either is not the fault of the work.
 */
function describeBrokenGate(
  { command, outcome, targetOutcome, reason }: LandingRecord['gates'][number],
  branch: string,
): { result: 'red' | 'blocked' | 'undecided'; reason: string } {
  if (outcome === 'could not run')
    return { result: 'undecided', reason: `gate \`${command}\` could not run: ${reason}` }
  const wasBroken = targetOutcome !== undefined && targetOutcome !== 'green' && targetOutcome !== 'could not run'
  if (!wasBroken) return { result: 'red', reason: `gate \`${command}\` is ${outcome}: ${reason}` }
  const without = `gate \`${command}\` is ${targetOutcome} on ${branch} without the work too`
  return { result: 'blocked', reason: `${without}: ${reason}` }
}

function decideLanding(
  proved: Proved | null,
  gateCount: number,
  { isOnBranch }: LandingCandidate,
): { result: 'ready' | 'stale' | 'red' | 'undecided'; reason: string } {
  const gates = gateCount === 0 ? '' : `${formatCount(gateCount, 'gate')} of the project green, `
  if (proved === null) return { result: 'ready', reason: `${gates}the tree is the judged one` }
  if ('stale' in proved) return { result: 'stale', reason: proved.stale }
  if (proved.verdict === 'PASS')
    return { result: 'ready', reason: `${gates}the contract was proved again on the new tree` }
  // What is on the branch is called red only where something says no: the remedy is a revert.
  const isRed = proved.verdict === 'FAIL' || (!isOnBranch && isAnswered(proved))
  const result = isRed ? 'red' : 'undecided'
  return { result, reason: `on the new tree, ${proved.verdict}: ${proved.reason}` }
}

/** Without a PASS it was proved as far as it can be: to ask once more would bring the same. Not where the judge or a check was missing. */
function isAnswered({ clauses }: NonNullable<LandingRecord['verdict']>): boolean {
  return clauses
    .filter(({ verdict }) => verdict !== 'PASS')
    .every(
      ({ judgement, gate, baseOutcome }) =>
        judgement !== null && gate !== 'could not run' && baseOutcome !== 'could not run',
    )
}

/** The same runner with other facts, such as a base at another commit. What it records goes to the real one. */
function override(
  context: RunnerContext,
  facts: {
    base?: Commit
    settings?: Partial<RunnerContext['config']>
    checkResults?: RunnerContext['checkResults']
  },
): RunnerContext {
  return new Proxy(context, {
    get(runner, name) {
      if (name === 'status' && facts.base) return { ...runner.status, base: facts.base }
      if (name === 'config') return { ...runner.config, ...facts.settings }
      if (name === 'checkResults' && facts.checkResults) return facts.checkResults
      const value = Reflect.get(runner, name, runner) as unknown
      return typeof value === 'function' ? value.bind(runner) : value
    },
  })
}
