import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readIfPresent } from '#host/fs'
import type { SessionPaths } from '#session'
import { type ClauseProof, type ContractClause, type Expectation, parseContract } from '#session/contract'
import { EvidenceRecord, serializeEvidence } from '#session/evidence'
import { readLog } from '#session/log'
import type { Commit } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { ensureDependencies } from '../dependencies/install.ts'
import { computeSha256 } from '../messages/store.ts'
import { formatExpectation, runCheck, saveEvidence } from './run-check.ts'
import { machineDescription, readToolVersions } from './tool-versions.ts'

/** Which record is wanted: its name, and the tree it is to speak of. */
export interface EvidenceRequest {
  id: string
  side: 'base' | 'head'
  round: number
  commit: Commit
}

/**
 * What a check shows on a tree. Where nothing that it rests on has changed it is not run again: the same command, the same
 * tree, dependencies, programs and machine have been seen. So a check that was flaky on a tree stays so; only one that could not
 * run is tried again.
 */
export async function getEvidence(
  context: RunnerContext,
  clause: ContractClause,
  check: Extract<ClauseProof, { kind: 'check' }>,
  { id, side, round, commit }: EvidenceRequest,
): Promise<EvidenceRecord> {
  const { session, config, checkResults } = context
  const dependencies = await ensureDependencies(context, commit)
  const timeoutSeconds = check.timeoutSeconds ?? config.CHECK_TIMEOUT_SEC
  const words = computeCacheKey({
    command: check.command,
    expected: formatExpectation(check.expectation),
    tree: commit.tree,
    dependenciesKey: dependencies.ok ? dependencies.key : null,
    toolVersions: await readToolVersions(check.command),
    machine: machineDescription,
    timeoutSeconds,
    sandbox: session.manifest.sandbox.kind ?? 'none',
  })
  const grounds = JSON.stringify([words, check.expectation]) // Two expectations may read alike, as the patterns /a/ and /b/ in one.
  const known = checkResults.get(grounds) ?? findRecordedEvidence(context, words, check.expectation)
  const output = known && readRecordedOutput(context, known)
  if (known && output !== undefined && dependencies.ok) return known.id === id ? known : again(known, output)
  const repeatBelowSeconds = config.CHECK_REPEAT_SEC
  const record = await runCheck(session.paths, clause, check, {
    id,
    side,
    round,
    commit,
    timeoutSeconds,
    repeatBelowSeconds,
    dependencies,
    sandbox: session.manifest.sandbox.kind,
  })
  if (record.outcome !== 'could not run') checkResults.set(grounds, record)
  return record

  function again(earlier: EvidenceRecord, text: string): EvidenceRecord {
    const repeated = {
      ...earlier,
      id,
      clauseId: clause.id,
      side,
      round,
      commit: commit.commit,
      originalId: earlier.originalId ?? earlier.id,
    }
    saveEvidence(session.paths, repeated, text)
    return repeated
  }
}

/** Say in the log what a check has shown, with the hash of its record. */
export function recordCheck(context: RunnerContext, record: EvidenceRecord): void {
  const { side, round, clauseId, outcome, reason, milliseconds, id } = record
  const sha256 = computeSha256(serializeEvidence(record))
  context.record({
    type: 'check.ran',
    side,
    round,
    clauseId,
    outcome,
    reason: reason.slice(0, 300),
    milliseconds,
    recordId: id,
    sha256,
  })
}

/** All that an outcome rests on, in one line of a record's own words. */
function computeCacheKey({
  command,
  expected,
  tree,
  dependenciesKey,
  toolVersions,
  machine: on,
  timeoutSeconds,
  sandbox,
}: Pick<
  EvidenceRecord,
  'command' | 'expected' | 'tree' | 'dependenciesKey' | 'toolVersions' | 'machine' | 'timeoutSeconds' | 'sandbox'
>): string {
  return JSON.stringify([
    command,
    expected,
    tree,
    dependenciesKey,
    Object.entries(toolVersions),
    on,
    timeoutSeconds,
    sandbox,
  ])
}

/** A record that an earlier runner of this session took, if it is still what the log says. */
function findRecordedEvidence(
  { session }: RunnerContext,
  words: string,
  expect: Expectation,
): EvidenceRecord | undefined {
  const { evidence } = session.paths
  for (const { recordId, sha256, outcome, expected } of listRecordedRuns(session.paths).toReversed()) {
    if (outcome === 'could not run' || !isDeepStrictEqual(expected, expect)) continue
    const text = readIfPresent(path.join(evidence, `${recordId}.json`)) ?? ''
    if (computeSha256(text) !== sha256) continue
    const known = EvidenceRecord.safeParse(JSON.parse(text)).data
    if (known && computeCacheKey(known) === words) return known
  }
  return undefined
}

/** The runs on record, each with what the contract expected of its clause then. */
function listRecordedRuns({ events, contractVersion }: SessionPaths) {
  let clauses: ContractClause[] = []
  return readLog(events).events.flatMap(event => {
    if (event.type === 'contract.sealed' || event.type === 'contract.amended') {
      const text = readIfPresent(contractVersion(event.type === 'contract.sealed' ? 1 : event.version)) ?? ''
      clauses =
        computeSha256(text) === event.sha256 ? parseContract(text, { allowsJudgedOnly: true }).contract.clauses : []
    }
    if (event.type !== 'check.ran') return []
    const proof = clauses.find(({ id }) => id === event.clauseId)?.proof
    return [{ ...event, expected: proof?.kind === 'check' ? proof.expectation : undefined }]
  })
}

/** The output of a record, if it is still the one that was seen. */
function readRecordedOutput({ session }: RunnerContext, { id, outputSha256 }: EvidenceRecord): string | undefined {
  const output = readIfPresent(path.join(session.paths.evidence, `${id}.txt`))
  return output !== undefined && computeSha256(output) === outputSha256 ? output : undefined
}
