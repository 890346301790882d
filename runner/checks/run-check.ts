import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildCheckEnvironment } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { sanitize } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import type { SessionPaths } from '#session'
import type { ClauseProof, ContractClause } from '#session/contract'
import { type EvidenceRecord, serializeEvidence } from '#session/evidence'
import type { Outcome } from '#session/log'
import { type Commit, exportTree } from '#session/repository'
import type { Dependencies } from '../dependencies/dependencies.ts'
import { runSandboxedCommand } from '../sandboxed-command.ts'
import { classifyRun, formatExpectation } from './classify-run.ts'
import { machineDescription, readToolVersions } from './tool-versions.ts'

type Check = Extract<ClauseProof, { kind: 'check' }>

export interface CheckOptions {
  /** The id of the record. */
  id: string
  side: 'base' | 'head'
  round: number
  commit: Commit
  /** For one run. */
  timeoutSeconds: number
  /** A run that took less than this is repeated, so that a flaky check shows. */
  repeatBelowSeconds: number
  /** The project's dependencies for this tree. */
  dependencies: Dependencies
  /** The kind of sandbox; null: none. */
  sandbox: string | null
}

/** More output than this is cut. */
const MAX_OUTPUT_BYTES = 1024 * 1024
const OUTPUT_TAIL_CHARS = 4096

/**
 * Run one check on a clean export of the tree, in an environment that is built from empty. The record is saved in
 * `evidence/<id>.json`, the output in `evidence/<id>.txt`. A quick check runs twice, each time on an export of its own.
 */
export async function runCheck(
  paths: SessionPaths,
  clause: ContractClause,
  check: Check,
  options: CheckOptions,
): Promise<EvidenceRecord> {
  const { id, side, round, commit, timeoutSeconds, dependencies } = options
  const first = await runOnce(paths, check, options)
  const isQuick = dependencies.ok && first.run.milliseconds < options.repeatBelowSeconds * SECOND_MS
  const attempts =
    isQuick && first.outcome !== 'could not run' ? [first, await runOnce(paths, check, options)] : [first]
  const { run, output, outputSha256 } = attempts.findLast(({ outcome }) => outcome !== 'green') ?? first
  const record: EvidenceRecord = {
    format: 1,
    id,
    clauseId: clause.id,
    side,
    round,
    command: check.command,
    expected: formatExpectation(check.expectation),
    exitCode: run.exitCode ?? null,
    ...combineAttempts(attempts),
    milliseconds: run.milliseconds,
    outputTail: sanitize(output.slice(-OUTPUT_TAIL_CHARS)),
    outputBytes: Buffer.byteLength(output),
    outputSha256,
    commit: commit.commit,
    tree: commit.tree,
    time: new Date().toISOString(),
    timeoutSeconds,
    runs: attempts.map(attempt => ({
      exitCode: attempt.run.exitCode ?? null,
      outcome: attempt.outcome,
      milliseconds: attempt.run.milliseconds,
      outputSha256: attempt.outputSha256,
    })),
    toolVersions: await readToolVersions(check.command),
    machine: machineDescription,
    dependenciesKey: dependencies.ok ? dependencies.key : null,
    sandbox: options.sandbox ?? 'none',
  }
  saveEvidence(paths, record, output)
  return record
}

/** Save the output before the record, so that no record names an output that does not exist. */
export function saveEvidence(paths: SessionPaths, record: EvidenceRecord, output: string): void {
  writeAtomic(paths.evidenceOutput(record.id), output)
  writeAtomic(paths.evidenceRecord(record.id), serializeEvidence(record))
}

/** Combine the runs of one check on one tree: if they disagree it is flaky; if one could not run, so could the check. Pure. */
export function combineAttempts(attempts: Pick<CheckAttempt, 'outcome' | 'reason'>[]): {
  outcome: Outcome
  reason: string
} {
  const failed = attempts.find(({ outcome }) => outcome === 'could not run')
  if (failed) return { outcome: failed.outcome, reason: failed.reason }
  const [first, ...others] = attempts
  if (first === undefined) throw new Error('a check that never ran has no outcome')
  const different = others.find(({ outcome }) => outcome !== first.outcome)
  if (different === undefined) return { outcome: first.outcome, reason: first.reason }
  const red = [first, different].find(({ outcome }) => outcome === 'red')
  return { outcome: 'flaky', reason: `${first.outcome}, then ${different.outcome}, on the same tree: ${red?.reason}` }
}

// --- internal ---

/** One run and its outcome. */
interface CheckAttempt {
  outcome: Outcome
  reason: string
  run: RunResult
  output: string
  outputSha256: string
}

/** The result of a command that was not run. */
const notRun: RunResult = {
  exitCode: undefined,
  signal: undefined,
  timedOut: false,
  startError: undefined,
  stdout: '',
  stderr: '',
  milliseconds: 0,
}

async function runOnce(
  paths: SessionPaths,
  check: Check,
  { commit, timeoutSeconds, dependencies, sandbox }: CheckOptions,
): Promise<CheckAttempt> {
  const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-check-')))
  try {
    const tree = path.join(scratch, 'tree')
    const home = path.join(scratch, 'home')
    for (const folder of [tree, home]) fs.mkdirSync(folder)
    await exportTree(paths, commit.commit, tree)
    const copyError = dependencies.ok ? await tryCopyDependencies(dependencies, tree) : dependencies.reason
    if (!dependencies.ok || copyError !== undefined)
      return createAttempt(notRun, { outcome: 'could not run', reason: copyError ?? '' })
    const runIn = sandbox === null ? runUnsandboxed : runInSandbox
    const run = await runIn(['/bin/sh', '-c', check.command], { tree, home, dependencies, timeoutSeconds })
    return createAttempt(
      run,
      classifyRun(run, check.expectation, name => fs.existsSync(path.join(tree, name))),
    )
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

function createAttempt(run: RunResult, result: { outcome: Outcome; reason: string }): CheckAttempt {
  const output = `${run.stdout}${run.stderr === '' ? '' : `\n[stderr]\n${run.stderr}`}`
  return { ...result, run, output, outputSha256: sha256(output) }
}

/** Why the dependencies cannot be copied into this tree; undefined if they were. */
async function tryCopyDependencies(dependencies: InstalledDependencies, tree: string): Promise<string | undefined> {
  try {
    await dependencies.copyInto(tree)
    return undefined
  } catch (error) {
    if (error instanceof DispatchError && error.exitCode === exitCodes.integrity) return error.message
    throw error
  }
}

type InstalledDependencies = Extract<Dependencies, { ok: true }>

/** A check runs in an export of the tree, with an empty home. */
interface CheckRun {
  tree: string
  home: string
  dependencies: InstalledDependencies
  timeoutSeconds: number
}

function runUnsandboxed([program = '', ...args]: string[], check: CheckRun): Promise<RunResult> {
  return runProgram(program, args, {
    cwd: check.tree,
    env: buildEnvironment(check),
    timeoutMs: check.timeoutSeconds * SECOND_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  })
}

/** Without network, and with nothing to write but the export and the home. */
function runInSandbox(command: string[], check: CheckRun): Promise<RunResult> {
  const { tree, home, dependencies, timeoutSeconds } = check
  return runSandboxedCommand({
    role: 'check',
    command,
    folder: tree,
    home,
    environment: buildEnvironment(check),
    readablePaths: Object.values(dependencies.getVariables(tree)),
    hosts: [],
    timeoutSeconds,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  })
}

function buildEnvironment({ tree, home, dependencies }: CheckRun): Record<string, string> {
  const environment = { ...buildCheckEnvironment(home), ...dependencies.getVariables(tree) }
  const searchPath = [...dependencies.listProgramFolders(tree), environment['PATH']].join(path.delimiter)
  return { ...environment, PATH: searchPath }
}
