import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readIfPresent } from '../host/index.ts'
import {
  type Commit,
  type ContractClause,
  EvidenceRecord,
  type Expectation,
  evidenceText,
  type Paths,
  type ProofOf,
  parseContract,
  readLog,
} from '../session/index.ts'
import { describe, keepRecord, runCheck } from './checks.ts'
import { hashOf } from './human.ts'
import type { Running } from './running.ts'
import { readyFor } from './setup.ts'
import { machine, toolsIn } from './tools.ts'

/** Which record is wanted: its name, and the tree it is to speak of. */
export interface Wanted {
  id: string
  side: 'base' | 'head'
  round: number
  at: Commit
}

/**
 * What a check shows on a tree. Where nothing that it rests on has changed it is not run again: the same command, the same
 * tree, dependencies, programs and machine have been seen. So a check that was flaky on a tree stays so; only one that could not
 * run is tried again.
 */
export async function evidenceFor(
  running: Running,
  clause: ContractClause,
  check: Extract<ProofOf, { is: 'check' }>,
  { id, side, round, at }: Wanted,
): Promise<EvidenceRecord> {
  const { session, config, seen } = running
  const ready = await readyFor(running, at)
  const limitSeconds = check.limitSeconds ?? config.CHECK_TIMEOUT_SEC
  const words = groundsOf({
    command: check.command,
    expected: describe(check.expect),
    tree: at.tree,
    setup: ready.ok ? ready.key : null,
    tools: await toolsIn(check.command),
    machine,
    limitSeconds,
    sandbox: session.opening.sandbox.kind ?? 'none',
  })
  const grounds = JSON.stringify([words, check.expect]) // Two expectations may read alike, as the patterns /a/ and /b/ in one.
  const known = seen.get(grounds) ?? vouchedFor(running, words, check.expect)
  const output = known && keptOutput(running, known)
  if (known && output !== undefined && ready.ok) return known.id === id ? known : again(known, output)
  const repeatSeconds = config.CHECK_REPEAT_SEC
  const record = await runCheck(session.paths, clause, check, {
    id,
    side,
    round,
    at,
    limitSeconds,
    repeatSeconds,
    ready,
    sandbox: session.opening.sandbox.kind,
  })
  if (record.outcome !== 'could not run') seen.set(grounds, record)
  return record

  function again(earlier: EvidenceRecord, text: string): EvidenceRecord {
    const repeated = {
      ...earlier,
      id,
      clause: clause.id,
      side,
      round,
      commit: at.commit,
      from: earlier.from ?? earlier.id,
    }
    keepRecord(session.paths, repeated, text)
    return repeated
  }
}

/** Say in the log what a check has shown, with the hash of its record. */
export function recordCheck(running: Running, record: EvidenceRecord): void {
  const { side, round, clause, outcome, why, milliseconds, id } = record
  const sha256 = hashOf(evidenceText(record))
  running.record({
    is: 'check.ran',
    side,
    round,
    clause,
    outcome,
    why: why.slice(0, 300),
    milliseconds,
    record: id,
    sha256,
  })
}

/** All that an outcome rests on, in one line of a record's own words. */
function groundsOf({
  command,
  expected,
  tree,
  setup,
  tools,
  machine: on,
  limitSeconds,
  sandbox,
}: Pick<
  EvidenceRecord,
  'command' | 'expected' | 'tree' | 'setup' | 'tools' | 'machine' | 'limitSeconds' | 'sandbox'
>): string {
  return JSON.stringify([command, expected, tree, setup, Object.entries(tools), on, limitSeconds, sandbox])
}

/** A record that an earlier runner of this session took, if it is still what the log says. */
function vouchedFor({ session }: Running, words: string, expect: Expectation): EvidenceRecord | undefined {
  const { evidence } = session.paths
  for (const { record, sha256, outcome, expected } of runsIn(session.paths).toReversed()) {
    if (outcome === 'could not run' || !isDeepStrictEqual(expected, expect)) continue
    const text = readIfPresent(path.join(evidence, `${record}.json`)) ?? ''
    if (hashOf(text) !== sha256) continue
    const known = EvidenceRecord.safeParse(JSON.parse(text)).data
    if (known && groundsOf(known) === words) return known
  }
  return undefined
}

/** The runs on record, each with what the contract expected of its clause then. */
function runsIn({ events, contractVersion }: Paths) {
  let clauses: ContractClause[] = []
  return readLog(events).events.flatMap(event => {
    if (event.is === 'contract.sealed' || event.is === 'contract.amended') {
      const text = readIfPresent(contractVersion(event.is === 'contract.sealed' ? 1 : event.version)) ?? ''
      clauses = hashOf(text) === event.sha256 ? parseContract(text, { judgedOnly: true }).contract.clauses : []
    }
    if (event.is !== 'check.ran') return []
    const proof = clauses.find(({ id }) => id === event.clause)?.proof
    return [{ ...event, expected: proof?.is === 'check' ? proof.expect : undefined }]
  })
}

/** The output of a record, if it is still the one that was seen. */
function keptOutput({ session }: Running, { id, outputSha256 }: EvidenceRecord): string | undefined {
  const output = readIfPresent(path.join(session.paths.evidence, `${id}.txt`))
  return output !== undefined && hashOf(output) === outputSha256 ? output : undefined
}
