import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import vm from 'node:vm'
import { buildCheckEnvironment } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { sanitize } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import type { SessionPaths } from '#session'
import type { ClauseProof, ContractClause, Expectation } from '#session/contract'
import { type EvidenceRecord, serializeEvidence } from '#session/evidence'
import type { Outcome } from '#session/log'
import { type Commit, exportTree } from '#session/repository'
import type { Dependencies } from '../dependencies/dependencies.ts'
import { runSandboxedCommand } from '../sandboxed-command.ts'
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
const PATTERN_TIMEOUT_MS = 2 * SECOND_MS

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
  writeAtomic(path.join(paths.evidence, `${record.id}.txt`), output)
  writeAtomic(path.join(paths.evidence, `${record.id}.json`), serializeEvidence(record))
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

/**
 * Classify a run as green, red, or could not run. A missing tool, a command that cannot be executed, a timeout and a crash by
 * signal prove nothing about the work; a missing file of the work itself (`./fib.sh: not found`) is red. Pure.
 */
export function classifyRun(
  run: RunResult,
  expectation: Expectation,
  existsInTree: (name: string) => boolean,
): { outcome: Outcome; reason: string } {
  if (run.timedOut)
    return { outcome: 'could not run', reason: `timed out after ${Math.round(run.milliseconds / SECOND_MS)} s` }
  if (run.startError) return { outcome: 'could not run', reason: `it did not start: ${run.startError}` }
  if (run.exitCode === undefined) return { outcome: 'could not run', reason: `ended by ${run.signal ?? 'a signal'}` }
  if ((run.exitCode === 126 || run.exitCode === 127) && expectation.exitCode !== run.exitCode)
    return classifyMissingProgram(run, existsInTree)
  try {
    const mismatch = findMismatch(run, expectation)
    return mismatch === undefined ? { outcome: 'green', reason: '' } : { outcome: 'red', reason: mismatch }
  } catch (error) {
    if (error instanceof PatternTimeout)
      return { outcome: 'could not run', reason: `a pattern took more than ${PATTERN_TIMEOUT_MS / SECOND_MS} s` }
    throw error
  }
}

/** `exit 0, output contains "34"`. */
export function formatExpectation(expectation: Expectation): string {
  return [
    `exit ${expectation.exitCode}`,
    ...expectation.outputContains.map(text => `output contains ${JSON.stringify(text)}`),
    ...expectation.outputMatches.map(text => `output matches /${text}/`),
    ...(expectation.outputEquals === undefined ? [] : [`output equals ${JSON.stringify(expectation.outputEquals)}`]),
  ].join(', ')
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

/** The first expectation that a run does not meet; undefined if it meets all. */
function findMismatch(run: RunResult, expectation: Expectation): string | undefined {
  if (run.exitCode !== expectation.exitCode) return `exit ${run.exitCode}, not ${expectation.exitCode}`
  const output = run.stdout.replace(/\r\n/g, '\n')
  const missing = expectation.outputContains.find(text => !output.includes(text))
  if (missing !== undefined) return `the output does not contain ${JSON.stringify(missing)}`
  const unmatched = expectation.outputMatches.find(text => !matchesPattern(text, output))
  if (unmatched !== undefined) return `the output does not match /${unmatched}/`
  if (expectation.outputEquals !== undefined && output.trimEnd() !== expectation.outputEquals.trimEnd())
    return `the output is not ${JSON.stringify(expectation.outputEquals.slice(0, 80))}`
  return undefined
}

/** Match a pattern from the contract, with a timeout: some patterns would search for years. */
function matchesPattern(pattern: string, output: string): boolean {
  const code = "new RegExp(pattern, 'm').test(output)"
  try {
    return vm.runInNewContext(code, { pattern, output }, { timeout: PATTERN_TIMEOUT_MS }) === true
  } catch {
    // The pattern was compiled when the contract was read, so only the time can be the cause.
    throw new PatternTimeout()
  }
}

class PatternTimeout extends Error {}

/** Exit 126 or 127: a relative path is a file of the work, a bare name is a tool of this machine. */
function classifyMissingProgram(
  run: RunResult,
  existsInTree: (name: string) => boolean,
): { outcome: Outcome; reason: string } {
  // `sh: 1: pytest: not found`, `/bin/sh: pytest: command not found`, `sh: 1: ./there.sh: Permission denied`
  const [, name = ''] =
    /(?:^|: )([^\s:]+): (?:not found|command not found|No such file or directory|[Pp]ermission denied|[Ii]s a directory)/m.exec(
      run.stderr,
    ) ?? []
  if (name.includes('/') && !name.startsWith('/'))
    return { outcome: 'red', reason: existsInTree(name) ? `${name} cannot be executed` : `${name} does not exist` }
  return {
    outcome: 'could not run',
    reason: name === '' ? `exit ${run.exitCode}: a command is missing` : `${name} is not on this machine`,
  }
}
