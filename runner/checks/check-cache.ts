import { isDeepStrictEqual } from 'node:util'
import { readIfPresent } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import type { SessionPaths } from '#session'
import { type ClauseProof, type ContractClause, type Expectation, parseContract } from '#session/contract'
import { EvidenceRecord, serializeEvidence } from '#session/evidence'
import { readLog } from '#session/log'
import type { Commit } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { ensureDependencies } from '../dependencies/install.ts'
import { formatExpectation } from './classify-run.ts'
import { runCheck, saveEvidence } from './run-check.ts'
import { machineDescription, readToolVersions } from './tool-versions.ts'

/** The record that is wanted: its id, and the tree it is about. */
export interface EvidenceRequest {
  id: string
  side: 'base' | 'head'
  round: number
  commit: Commit
}

/**
 * Get the result of a check on a tree. A check is not run again if nothing that its result depends on has changed: command,
 * expectation, tree, dependencies, programs and machine. So a check that was flaky on a tree stays flaky; only one that could not
 * run is tried again.
 */
export async function getEvidence(
  context: RunnerContext,
  clause: ContractClause,
  check: Extract<ClauseProof, { kind: 'check' }>,
  request: EvidenceRequest,
): Promise<EvidenceRecord> {
  const { session, config, checkResults } = context
  const dependencies = await ensureDependencies(context, request.commit)
  const timeoutSeconds = check.timeoutSeconds ?? config.CHECK_TIMEOUT_SEC
  const cacheKey = computeCacheKey({
    command: check.command,
    expected: formatExpectation(check.expectation),
    tree: request.commit.tree,
    dependenciesKey: dependencies.ok ? dependencies.key : null,
    toolVersions: await readToolVersions(check.command),
    machine: machineDescription,
    timeoutSeconds,
    sandbox: session.manifest.sandbox.kind ?? 'none',
  })
  // Two expectations can have the same text, such as the patterns /a/ and /b/ and the one pattern "a/, output matches /b".
  const memoryKey = JSON.stringify([cacheKey, check.expectation])
  const known = checkResults.get(memoryKey) ?? findRecordedEvidence(context, cacheKey, check.expectation)
  const output = known && readRecordedOutput(context, known)
  if (known && output !== undefined && dependencies.ok)
    return known.id === request.id ? known : copyEvidence(context, known, output, { ...request, clauseId: clause.id })
  const record = await runCheck(session.paths, clause, check, {
    ...request,
    timeoutSeconds,
    repeatBelowSeconds: config.CHECK_REPEAT_SEC,
    dependencies,
    sandbox: session.manifest.sandbox.kind,
  })
  if (record.outcome !== 'could not run') checkResults.set(memoryKey, record)
  return record
}

/** Record the result of a check in the log, with the hash of its evidence record. */
export function recordCheck(context: RunnerContext, record: EvidenceRecord): void {
  const { side, round, clauseId, outcome, reason, milliseconds, id } = record
  context.record({
    type: 'check.ran',
    side,
    round,
    clauseId,
    outcome,
    reason: reason.slice(0, 300),
    milliseconds,
    recordId: id,
    sha256: sha256(serializeEvidence(record)),
  })
}

// --- internal ---

/** Save a known result under another id. */
function copyEvidence(
  { session }: RunnerContext,
  known: EvidenceRecord,
  output: string,
  { id, clauseId, side, round, commit }: EvidenceRequest & { clauseId: string },
): EvidenceRecord {
  const originalId = known.originalId ?? known.id
  const copy = { ...known, id, clauseId, side, round, commit: commit.commit, originalId }
  saveEvidence(session.paths, copy, output)
  return copy
}

/** Everything that a result depends on, in one line. */
function computeCacheKey({
  command,
  expected,
  tree,
  dependenciesKey,
  toolVersions,
  machine,
  timeoutSeconds,
  sandbox,
}: Pick<
  EvidenceRecord,
  'command' | 'expected' | 'tree' | 'dependenciesKey' | 'toolVersions' | 'machine' | 'timeoutSeconds' | 'sandbox'
>): string {
  const versions = Object.entries(toolVersions)
  return JSON.stringify([command, expected, tree, dependenciesKey, versions, machine, timeoutSeconds, sandbox])
}

/** A record from an earlier runner of this session, if its file is still the one that the log names. */
function findRecordedEvidence(
  { session }: RunnerContext,
  cacheKey: string,
  expectation: Expectation,
): EvidenceRecord | undefined {
  for (const run of listRecordedRuns(session.paths).toReversed()) {
    if (run.outcome === 'could not run' || !isDeepStrictEqual(run.expectation, expectation)) continue
    const text = readIfPresent(session.paths.evidenceRecord(run.recordId)) ?? ''
    if (sha256(text) !== run.sha256) continue
    const record = EvidenceRecord.safeParse(JSON.parse(text)).data
    if (record && computeCacheKey(record) === cacheKey) return record
  }
  return undefined
}

/** The runs in the log, each with the expectation that the contract had for its clause at that time. */
function listRecordedRuns({ events, contractVersion }: SessionPaths) {
  let clauses: ContractClause[] = []
  return readLog(events).events.flatMap(event => {
    if (event.type === 'contract.sealed' || event.type === 'contract.amended') {
      const text = readIfPresent(contractVersion(event.type === 'contract.sealed' ? 1 : event.version)) ?? ''
      clauses = sha256(text) === event.sha256 ? parseContract(text, { allowsJudgedOnly: true }).contract.clauses : []
    }
    if (event.type !== 'check.ran') return []
    const proof = clauses.find(({ id }) => id === event.clauseId)?.proof
    return [{ ...event, expectation: proof?.kind === 'check' ? proof.expectation : undefined }]
  })
}

/** The output of a record, if it is unchanged. */
function readRecordedOutput({ session }: RunnerContext, { id, outputSha256 }: EvidenceRecord): string | undefined {
  const output = readIfPresent(session.paths.evidenceOutput(id))
  return output !== undefined && sha256(output) === outputSha256 ? output : undefined
}
