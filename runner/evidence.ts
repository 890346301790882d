import path from 'node:path'
import { readIfPresent } from '../host/index.ts'
import { type Commit, type ContractClause, EvidenceRecord, type ProofOf, readLog } from '../session/index.ts'
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
  const grounds = groundsOf({
    command: check.command,
    expected: describe(check.expect),
    tree: at.tree,
    setup: ready.ok ? ready.key : null,
    tools: await toolsIn(check.command),
    machine,
    limitSeconds,
    sandbox: session.opening.sandbox.kind ?? 'none',
  })
  const known = seen.get(grounds) ?? vouchedFor(running, grounds)
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

/** All that an outcome rests on, in one line. */
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
function vouchedFor({ session }: Running, grounds: string): EvidenceRecord | undefined {
  const { evidence, events } = session.paths
  const ran = readLog(events).events.flatMap(event => (event.is === 'check.ran' ? [event] : []))
  for (const { record, sha256, outcome } of ran.toReversed()) {
    if (outcome === 'could not run') continue
    const text = readIfPresent(path.join(evidence, `${record}.json`)) ?? ''
    if (hashOf(text) !== sha256) continue
    const known = EvidenceRecord.safeParse(JSON.parse(text)).data
    if (known && groundsOf(known) === grounds) return known
  }
  return undefined
}

/** The output of a record, if it is still the one that was seen. */
function keptOutput({ session }: Running, { id, outputSha256 }: EvidenceRecord): string | undefined {
  const output = readIfPresent(path.join(session.paths.evidence, `${id}.txt`))
  return output !== undefined && hashOf(output) === outputSha256 ? output : undefined
}
