import fs from 'node:fs'
import path from 'node:path'
import { buildCheckEnvironment } from '#host/config'
import type { RunResult } from '#host/exec.ts'
import { deleteFolder, writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { planServices, readServiceOutput } from '#host/services'
import { sanitize } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import type { SessionPaths } from '#session'
import type { ContractClause } from '#session/contract'
import { EvidenceRecord, serializeEvidence, type TestCounts } from '#session/evidence'
import { type Commit, exportRepository } from '#session/repository'
import { listIgnoredFiles } from '#session/secrets'
import type { RunnerContext } from '../context.ts'
import type { Dependencies } from '../dependencies/dependencies.ts'
import { prepareToolHome } from '../dependencies/tool-home.ts'
import { runProjectCommand } from '../project-command.ts'
import { readTestCounts } from '../test-counts/read-test-counts.ts'
import { type CheckTree, leaveCheckTree, removeTree, takeCheckTree } from './check-tree.ts'
import { type CheckResult, classifyRun } from './classify-run.ts'
import { considerMachine, explainMissingTree } from './consider-machine.ts'
import { considerNetwork } from './consider-network.ts'
import { considerServices } from './consider-services.ts'

/** A clause that is proved by a command. */
export type CheckClause = ContractClause & { proof: { kind: 'check' } }

export function isCheckClause(clause: ContractClause): clause is CheckClause {
  return clause.proof.kind === 'check'
}

/** The record that is wanted: its id, and the tree it is about. */
export interface EvidenceRequest {
  id: string
  side: 'base' | 'head'
  round: number
  commit: Commit
}

/** Everything that the result of a check depends on. */
export type CheckConditions = Pick<
  EvidenceRecord,
  | 'command'
  | 'expected'
  | 'tree'
  | 'dependenciesKey'
  | 'toolVersions'
  | 'machine'
  | 'timeoutSeconds'
  | 'sandbox'
  | 'services'
>

/** Of each stream, this much is read, and this much is kept as evidence. The middle of a longer one is left out. */
const MAX_READ_BYTES = 4 << 20
const MAX_KEPT_CHARS = 1 << 20
const OUTPUT_TAIL_CHARS = 4096

/**
 * Run one check on a clean export of the tree, in an environment that is built from empty. The record is saved in
 * `evidence/<id>.json`, the output in `evidence/<id>.txt`. A quick check runs twice, each time on the tree as it was exported, so
 * that a flaky one shows.
 */
export async function runCheck(
  { session, config, status }: RunnerContext,
  clause: CheckClause,
  { id, side, round, commit }: EvidenceRequest,
  conditions: CheckConditions,
  dependencies: Dependencies,
): Promise<EvidenceRecord> {
  const exported = { ...commit, ...(status.base && { base: status.base.commit }) }
  const runOnce = () => runOnExport(session, clause, conditions, exported, dependencies)
  const first = await runOnce()
  const isRepeated = first.outcome !== 'could not run' && first.milliseconds < config.CHECK_REPEAT_SEC * SECOND_MS
  const attempts = isRepeated ? [first, await runOnce()] : [first]
  const { output, serviceOutput, ...shown } = attempts.findLast(({ outcome }) => outcome !== 'green') ?? first
  const record = EvidenceRecord.parse({
    format: 1,
    id,
    clauseId: clause.id,
    side,
    round,
    ...conditions,
    ...shown,
    ...combineAttempts(attempts),
    outputTail: sanitize(output.slice(-OUTPUT_TAIL_CHARS)),
    outputBytes: Buffer.byteLength(output),
    commit: commit.commit,
    time: new Date().toISOString(),
    runs: attempts,
  })
  if (serviceOutput !== undefined) writeAtomic(session.paths.serviceOutput(id), serviceOutput)
  saveEvidence(session.paths, record, output)
  return record
}

/** Save the output before the record, so that no record names an output that does not exist. */
export function saveEvidence(paths: SessionPaths, record: EvidenceRecord, output: string): void {
  writeAtomic(paths.evidenceOutput(record.id), output)
  writeAtomic(paths.evidenceRecord(record.id), serializeEvidence(record))
}

/** Combine the runs of one check on one tree: if they disagree it is flaky; if one could not run, so could the check. Pure. */
export function combineAttempts(attempts: CheckResult[]): CheckResult {
  const [first, ...others] = attempts
  if (first === undefined) throw new Error('a check that never ran has no outcome')
  const failed = attempts.find(({ outcome }) => outcome === 'could not run')
  const different = others.find(({ outcome }) => outcome !== first.outcome)
  if (failed || !different) {
    const { outcome, reason } = failed ?? first
    return { outcome, reason }
  }
  const notGreen = first.outcome === 'green' ? different : first
  return {
    outcome: 'flaky',
    reason: `${first.outcome}, then ${different.outcome}, on the same tree: ${notGreen.reason}`,
  }
}

// --- internal ---

/** One run and its result. */
interface CheckAttempt extends CheckResult {
  tests?: TestCounts
  exitCode: number | null
  milliseconds: number
  output: string
  outputSha256: string
  /** What the services beside it printed. */
  serviceOutput?: string
}

/** A commit with the one that the work begins from, to which a check may compare its tree. */
type ExportedCommit = Commit & { base?: string }

/** The machine's git configuration may name a process of Git LFS, which would take the place of dispatch's filter. */
const machineIndependence: Record<string, string> = { GIT_CONFIG_NOSYSTEM: '1' }

async function runOnExport(
  { paths, manifest }: RunnerContext['session'],
  { proof: { expectation } }: CheckClause,
  { command, timeoutSeconds, services }: CheckConditions,
  commit: ExportedCommit,
  dependencies: Dependencies,
): Promise<CheckAttempt> {
  if (!dependencies.ok) return createUnrunAttempt(dependencies.reason)
  const checkTree = await tryTakeTree(paths, commit, dependencies)
  if (typeof checkTree === 'string') return createUnrunAttempt(checkTree)
  const { scratch, tree, history } = checkTree
  const home = path.join(scratch, 'home')
  try {
    deleteFolder(home)
    fs.mkdirSync(home)
    const tools = await prepareToolHome(home, manifest.toolchains, dependencies)
    const plan = await planServices(services, { tempFolder: home, sandbox: manifest.sandbox.kind })
    const environment = {
      ...buildCheckEnvironment(home),
      ...machineIndependence,
      ...plan?.variables,
      ...tools.variables,
    }
    const searchPath = [...dependencies.listProgramFolders(tree, command), environment['PATH']].join(path.delimiter)
    const run = await runProjectCommand(manifest.sandbox.kind, {
      role: 'check',
      command,
      folder: tree,
      home,
      environment: { ...environment, PATH: searchPath },
      readablePaths: [...tools.readablePaths, ...history],
      hosts: [],
      services: plan,
      timeoutSeconds,
      maxOutputBytes: MAX_READ_BYTES,
    })
    const tests = readTestCounts(run, command)
    const shown = classifyRun(run, expectation, name => fs.existsSync(path.join(tree, name)), tests)
    const served = considerServices(shown, run, command, plan, { sandbox: manifest.sandbox.kind, scratch })
    const result = considerNetwork(served, run, tests, manifest.sandbox.kind)
    return {
      ...createAttempt(run, await considerMachine(result, run, scratch)),
      ...(tests !== undefined && { tests }),
      ...(plan && { serviceOutput: readServiceOutput(plan) }),
    }
  } finally {
    // Only in this sandbox every process of the check has ended, so that nothing writes to the tree any more.
    if (manifest.sandbox.kind === 'bubblewrap') await leaveCheckTree(checkTree)
    else removeTree(checkTree)
  }
}

function createUnrunAttempt(reason: string): CheckAttempt {
  const nothing = { exitCode: undefined, milliseconds: 0, stdout: '', stderr: '' }
  return createAttempt(nothing, { outcome: 'could not run', reason })
}

function createAttempt(
  { exitCode, milliseconds, stdout, stderr }: Pick<RunResult, 'exitCode' | 'milliseconds' | 'stdout' | 'stderr'>,
  result: CheckResult,
): CheckAttempt {
  const output = `${cutMiddle(stdout)}${stderr === '' ? '' : `\n[stderr]\n${cutMiddle(stderr)}`}`
  return { ...result, exitCode: exitCode ?? null, milliseconds, output, outputSha256: sha256(output) }
}

function cutMiddle(text: string): string {
  const half = MAX_KEPT_CHARS / 2
  const leftOut = text.length - MAX_KEPT_CHARS
  return leftOut > 0 ? `${text.slice(0, half)}\n[${leftOut} characters are left out]\n${text.slice(-half)}` : text
}

/** A copy of the commit with its dependencies; or why these cannot be copied into it. */
async function tryTakeTree(
  paths: SessionPaths,
  commit: ExportedCommit,
  dependencies: Extract<Dependencies, { ok: true }>,
): Promise<CheckTree | string> {
  const dependenciesKey = `${paths.folder} ${dependencies.key}`
  try {
    return await takeCheckTree(
      { content: `${dependenciesKey} ${commit.base} ${commit.tree}`, dependencies: dependenciesKey },
      async (tree, donor) => {
        const ignoredPaths = [...dependencies.paths, ...listIgnoredFiles(paths)]
        const history = await exportRepository(paths, commit, tree, ignoredPaths)
        await dependencies.copyInto(tree, donor)
        return history
      },
    )
  } catch (error) {
    const reason = explainMissingTree(error)
    if (reason === undefined) throw error
    return reason
  }
}
