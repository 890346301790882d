import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import vm from 'node:vm'
import { buildCheckEnvironment } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { writeAtomic } from '#host/fs'
import { sanitize } from '#host/text.ts'
import type { SessionPaths } from '#session'
import type { ClauseProof, ContractClause, Expectation } from '#session/contract'
import { type EvidenceRecord, serializeEvidence } from '#session/evidence'
import type { Outcome } from '#session/log'
import { type Commit, exportTree } from '#session/repository'
import type { Dependencies } from '../dependencies/dependencies.ts'
import { runSandboxedCommand } from '../sandboxed-command.ts'
import { machineDescription, readToolVersions } from './tool-versions.ts'

type Check = Extract<ClauseProof, { kind: 'check' }>

/** On which tree a check runs, and when. */
export interface CheckOptions {
  /** The record's name. */
  id: string
  side: 'base' | 'head'
  round: number
  commit: Commit
  /** Seconds that one run may take. */
  timeoutSeconds: number
  /** A run that took fewer seconds is run once more, so that a flaky check shows. */
  repeatBelowSeconds: number
  /** The project's dependencies for this tree. */
  dependencies: Dependencies
  /** What holds the command; null: nothing. */
  sandbox: string | null
}

/**
 * Run one check on a clean export of the tree, in an environment built from empty, and keep what was seen: the record
 * in `evidence/<id>.json`, the output in `evidence/<id>.txt`. A quick one is run twice, each time on an export of its own.
 */
export async function runCheck(
  paths: SessionPaths,
  clause: ContractClause,
  check: Check,
  occasion: CheckOptions,
): Promise<EvidenceRecord> {
  const { id, side, round, commit, timeoutSeconds, dependencies } = occasion
  const first = await runOnce(paths, check, occasion)
  const isQuick = dependencies.ok && first.ran.milliseconds < occasion.repeatBelowSeconds * 1000
  const runs = isQuick && first.outcome !== 'could not run' ? [first, await runOnce(paths, check, occasion)] : [first]
  const shown = runs.findLast(({ outcome }) => outcome !== 'green') ?? first
  const { ran, output, outputSha256 } = shown
  const record: EvidenceRecord = {
    format: 1,
    id,
    clauseId: clause.id,
    side,
    round,
    command: check.command,
    expected: formatExpectation(check.expectation),
    exitCode: ran.exitCode ?? null,
    ...combineAttempts(runs),
    milliseconds: ran.milliseconds,
    outputTail: sanitize(output.slice(-4096)),
    outputBytes: Buffer.byteLength(output),
    outputSha256,
    commit: commit.commit,
    tree: commit.tree,
    time: new Date().toISOString(),
    timeoutSeconds,
    runs: runs.map(each => ({
      exitCode: each.ran.exitCode ?? null,
      outcome: each.outcome,
      milliseconds: each.ran.milliseconds,
      outputSha256: each.outputSha256,
    })),
    toolVersions: await readToolVersions(check.command),
    machine: machineDescription,
    dependenciesKey: dependencies.ok ? dependencies.key : null,
    sandbox: occasion.sandbox ?? 'none',
  }
  saveEvidence(paths, record, output)
  return record
}

/** The output first, so that no record names one that is not there. */
export function saveEvidence(paths: SessionPaths, record: EvidenceRecord, output: string): void {
  writeAtomic(path.join(paths.evidence, `${record.id}.txt`), output)
  writeAtomic(path.join(paths.evidence, `${record.id}.json`), serializeEvidence(record))
}

/** One run and what it came to. */
interface CheckAttempt {
  outcome: Outcome
  reason: string
  ran: RunResult
  output: string
  outputSha256: string
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
    const hindrance = dependencies.ok ? await tryCopyDependencies(dependencies, tree) : dependencies.reason
    const shell = ['/bin/sh', '-c', check.command]
    const ran =
      dependencies.ok && hindrance === undefined
        ? await (sandbox === null ? runUnsandboxed : runInSandbox)(shell, {
            tree,
            home,
            ready: dependencies,
            limitSeconds: timeoutSeconds,
          })
        : notRun
    const found =
      hindrance === undefined
        ? classifyRun(ran, check.expectation, name => fs.existsSync(path.join(tree, name)))
        : { outcome: 'could not run' as const, reason: hindrance }
    const output = `${ran.stdout}${ran.stderr === '' ? '' : `\n[stderr]\n${ran.stderr}`}`
    return { ...found, ran, output, outputSha256: createHash('sha256').update(output).digest('hex') }
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

/** Why the dependencies cannot be put into this tree; undefined when they are in it. */
async function tryCopyDependencies(
  ready: Extract<Dependencies, { ok: true }>,
  tree: string,
): Promise<string | undefined> {
  try {
    await ready.copyInto(tree)
    return undefined
  } catch (error) {
    if (error instanceof DispatchError && error.exitCode === exitCodes.integrity) return error.message
    throw error
  }
}

/** Where a check runs: on an export of the tree, with a home of its own. */
interface CheckFolders {
  tree: string
  home: string
  ready: Extract<Dependencies, { ok: true }>
  limitSeconds: number
}

function buildEnvironment({ tree, home, ready }: CheckFolders): Record<string, string> {
  return prependToPath({ ...buildCheckEnvironment(home), ...ready.getVariables(tree) }, ready.listProgramFolders(tree))
}

function runUnsandboxed([program = '', ...words]: string[], place: CheckFolders): Promise<RunResult> {
  const env = buildEnvironment(place)
  return runProgram(program, words, {
    cwd: place.tree,
    env,
    timeoutMs: place.limitSeconds * 1000,
    maxOutputChars: MAX_OUTPUT_BYTES,
  })
}

/** Inside: no network, and nothing to write but the export and its home. */
function runInSandbox(command: string[], place: CheckFolders): Promise<RunResult> {
  const { tree, home, ready, limitSeconds: timeoutSeconds } = place
  const readablePaths = Object.values(ready.getVariables(tree))
  const environment = buildEnvironment(place)
  return runSandboxedCommand({
    role: 'check',
    command,
    folder: tree,
    home,
    environment,
    readablePaths,
    hosts: [],
    timeoutSeconds,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  })
}

/** Runs of one check on one tree agree, or it is flaky and proves nothing; one that could not run says nothing at all. Pure. */
export function combineAttempts(runs: Pick<CheckAttempt, 'outcome' | 'reason'>[]): {
  outcome: Outcome
  reason: string
} {
  const stopped = runs.find(({ outcome }) => outcome === 'could not run')
  if (stopped) return { outcome: stopped.outcome, reason: stopped.reason }
  const [first, ...others] = runs
  if (first === undefined) throw new Error('a check that never ran has no outcome')
  const different = others.find(({ outcome }) => outcome !== first.outcome)
  if (different === undefined) return { outcome: first.outcome, reason: first.reason }
  const red = [first, different].find(({ outcome }) => outcome === 'red')
  return { outcome: 'flaky', reason: `${first.outcome}, then ${different.outcome}, on the same tree: ${red?.reason}` }
}

/**
 * Green, red, or could not run. A missing tool, a command that cannot be executed, a deadline and a crash by signal say
 * nothing about the work; a missing file of the work itself (`./fib.sh: not found`) is plainly red. Pure.
 */
export function classifyRun(
  ran: RunResult,
  expect: Expectation,
  existsInTree: (name: string) => boolean,
): { outcome: Outcome; reason: string } {
  if (ran.timedOut)
    return { outcome: 'could not run', reason: `not done after ${Math.round(ran.milliseconds / 1000)} s` }
  if (ran.startError) return { outcome: 'could not run', reason: `it did not start: ${ran.startError}` }
  if (ran.exitCode === undefined) return { outcome: 'could not run', reason: `ended by ${ran.signal ?? 'a signal'}` }
  if ((ran.exitCode === 126 || ran.exitCode === 127) && expect.exitCode !== ran.exitCode)
    return classifyMissingProgram(ran, existsInTree)
  let wrong: string | undefined
  try {
    wrong = findMismatch(ran, expect)
  } catch (error) {
    if (error instanceof PatternTimeout)
      return { outcome: 'could not run', reason: 'a pattern was not done with the output in 2 s' }
    throw error
  }
  return wrong === undefined ? { outcome: 'green', reason: '' } : { outcome: 'red', reason: wrong }
}

/** `exit 0, output contains "34"`. */
export function formatExpectation(expect: Expectation): string {
  return [
    `exit ${expect.exitCode}`,
    ...expect.outputContains.map(text => `output contains ${JSON.stringify(text)}`),
    ...expect.outputMatches.map(text => `output matches /${text}/`),
    ...(expect.outputEquals === undefined ? [] : [`output equals ${JSON.stringify(expect.outputEquals)}`]),
  ].join(', ')
}

const MAX_OUTPUT_BYTES = 1024 * 1024

const notRun: RunResult = {
  exitCode: undefined,
  signal: undefined,
  timedOut: false,
  startError: undefined,
  stdout: '',
  stderr: '',
  milliseconds: 0,
}

function prependToPath(environment: Record<string, string>, folders: string[]): Record<string, string> {
  return { ...environment, PATH: [...folders, environment['PATH']].join(path.delimiter) }
}

/** What the run does not show, though it should; undefined when it shows everything. */
function findMismatch(ran: RunResult, expect: Expectation): string | undefined {
  if (ran.exitCode !== expect.exitCode) return `exit ${ran.exitCode}, not ${expect.exitCode}`
  const output = ran.stdout.replace(/\r\n/g, '\n')
  const absent = expect.outputContains.find(text => !output.includes(text))
  if (absent !== undefined) return `the output does not contain ${JSON.stringify(absent)}`
  const unmatched = expect.outputMatches.find(text => !matchesPattern(text, output))
  if (unmatched !== undefined) return `the output does not match /${unmatched}/`
  if (expect.outputEquals !== undefined && output.trimEnd() !== expect.outputEquals.trimEnd())
    return `the output is not ${JSON.stringify(expect.outputEquals.slice(0, 80))}`
  return undefined
}

/** A pattern of the contract's author, given two seconds: some would search for years. */
function matchesPattern(pattern: string, output: string): boolean {
  try {
    return vm.runInNewContext("new RegExp(pattern, 'm').test(output)", { pattern, output }, { timeout: 2000 }) === true
  } catch {
    throw new PatternTimeout() // The pattern was read before, so it can only be the time; vm's own error is no Error of this realm.
  }
}

/** A pattern that is not done in its time. */
class PatternTimeout extends Error {}

/** Exit 126 or 127: whose absence is it? A path is the work's, a bare name is a tool of this machine's. */
function classifyMissingProgram(
  ran: RunResult,
  standsInTree: (name: string) => boolean,
): { outcome: Outcome; reason: string } {
  const [, name = ''] =
    /(?:^|: )([^\s:]+): (?:not found|command not found|No such file or directory|[Pp]ermission denied|[Ii]s a directory)/m.exec(
      ran.stderr,
    ) ?? []
  if (name.includes('/') && !name.startsWith('/'))
    return { outcome: 'red', reason: standsInTree(name) ? `${name} cannot be executed` : `${name} is not there` }
  return {
    outcome: 'could not run',
    reason: name === '' ? `exit ${ran.exitCode}: a command is missing` : `${name} is not on this machine`,
  }
}
