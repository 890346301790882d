import { isDeepStrictEqual } from 'node:util'
import { readIfPresent } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import type { SessionPaths } from '#session'
import { type ContractClause, type Expectation, listExpectations, parseContract } from '#session/contract'
import { EvidenceRecord, serializeEvidence } from '#session/evidence'
import { readLog } from '#session/log'
import type { RunnerContext } from '../context.ts'
import { ensureDependencies } from '../dependencies/install.ts'
import { type CheckClause, type CheckConditions, type EvidenceRequest, runCheck, saveEvidence } from './run-check.ts'
import { machineDescription, readToolVersions } from './tool-versions.ts'

/**
 * Get the result of a check on a tree. A check is not run again if nothing that its result depends on has changed: command,
 * expectation, tree, base, dependencies, programs and machine. So a check that was flaky on a tree stays flaky; only one that could not
 * run is tried again.
 */
export async function getEvidence(
  context: RunnerContext,
  clause: CheckClause,
  request: EvidenceRequest,
): Promise<EvidenceRecord> {
  const { session, config, checkResults, status } = context
  const { command, expectation, timeoutSeconds = config.CHECK_TIMEOUT_SEC } = clause.proof
  const dependencies = await ensureDependencies(context, request.commit)
  const services = session.manifest.project?.services ?? []
  const conditions = {
    command,
    expected: listExpectations(expectation).join(', '),
    tree: request.commit.tree,
    dependenciesKey: dependencies.ok ? dependencies.key : null,
    toolVersions: await readToolVersions(
      [command, ...services.map(service => service.command)].join('\n'),
      session.manifest.toolchains,
    ),
    machine: machineDescription,
    timeoutSeconds,
    sandbox: session.manifest.sandbox.kind ?? 'none',
    services,
  }
  const cacheKey = computeCacheKey(conditions)
  // Two expectations can have the same text, such as the patterns /a/ and /b/ and the one pattern "a/, output matches /b".
  const memoryKey = JSON.stringify([cacheKey, expectation, status.base?.commit])
  const known = checkResults.get(memoryKey) ?? findRecordedEvidence(context, cacheKey, expectation)
  const output = known && readIfPresent(session.paths.evidenceOutput(known.id))
  if (dependencies.ok && known && output !== undefined && sha256(output) === known.outputSha256)
    return known.id === request.id ? known : copyEvidence(session.paths, known, output, clause.id, request)
  const record = await runCheck(context, clause, request, conditions, dependencies)
  if (record.outcome !== 'could not run') checkResults.set(memoryKey, record)
  return record
}

/** Record the result of a check in the log, with the hash of its evidence record. */
export function recordCheck(context: RunnerContext, record: EvidenceRecord): void {
  const { side, round, clauseId, outcome, reason, tests, milliseconds, id } = record
  context.record({
    type: 'check.ran',
    side,
    round,
    clauseId,
    outcome,
    reason: reason.slice(0, 300),
    ...(tests !== undefined && { tests }),
    milliseconds,
    recordId: id,
    sha256: sha256(serializeEvidence(record)),
  })
}

// --- internal ---

/** Save a known result under another id. */
function copyEvidence(
  paths: SessionPaths,
  known: EvidenceRecord,
  output: string,
  clauseId: string,
  { id, side, round, commit: { commit } }: EvidenceRequest,
): EvidenceRecord {
  const copy = { ...known, id, clauseId, side, round, commit, originalId: known.originalId ?? known.id }
  saveEvidence(paths, copy, output)
  return copy
}

function computeCacheKey(conditions: CheckConditions): string {
  const { command, expected, tree, dependenciesKey, toolVersions, machine, timeoutSeconds, sandbox, services } =
    conditions
  return JSON.stringify([
    command,
    expected,
    tree,
    dependenciesKey,
    toolVersions,
    machine,
    timeoutSeconds,
    sandbox,
    services,
  ])
}

/**
 * A record from an earlier runner of this session, if its file is still the one that the log names. All of them are about the base of the
 * session: a check can compare its tree to the base, so on another base, as on landing, they say nothing.
 */
function findRecordedEvidence(
  { session: { paths }, status }: RunnerContext,
  cacheKey: string,
  expectation: Expectation,
): EvidenceRecord | undefined {
  const { base, runs } = listRecordedRuns(paths)
  if (base !== status.base?.commit) return undefined
  for (const run of runs.toReversed()) {
    if (run.outcome === 'could not run' || !isDeepStrictEqual(run.expectation, expectation)) continue
    const text = readIfPresent(paths.evidenceRecord(run.recordId)) ?? ''
    if (sha256(text) !== run.sha256) continue
    const record = EvidenceRecord.safeParse(JSON.parse(text)).data
    if (record && computeCacheKey(record) === cacheKey) return record
  }
  return undefined
}

/** The base of the session and the runs in the log, each with the expectation that the contract had for its clause at that time. */
function listRecordedRuns({ events, contractVersion }: SessionPaths) {
  let clauses: ContractClause[] = []
  let base: string | undefined
  const runs = readLog(events).events.flatMap(event => {
    if (event.type === 'base.prepared') base = event.commit
    if (event.type === 'contract.sealed' || event.type === 'contract.amended') {
      const text = readIfPresent(contractVersion(event.type === 'contract.sealed' ? 1 : event.version)) ?? ''
      clauses = sha256(text) === event.sha256 ? parseContract(text, { allowsJudgedOnly: true }).contract.clauses : []
    }
    if (event.type !== 'check.ran') return []
    const proof = clauses.find(({ id }) => id === event.clauseId)?.proof
    return [{ ...event, expectation: proof?.kind === 'check' ? proof.expectation : undefined }]
  })
  return { base, runs }
}
