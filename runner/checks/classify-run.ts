import vm from 'node:vm'
import type { RunResult } from '#host/exec.ts'
import { SECOND_MS } from '#host/time.ts'
import { explainComplaint } from '#host/toolchains'
import type { Expectation } from '#session/contract'
import { explainNothingRan, type TestCounts } from '#session/evidence'
import type { Outcome } from '#session/log'

/** What a run shows, and why it is not green. */
export interface CheckResult {
  outcome: Outcome
  reason: string
}

/** What `sandbox-exec` says in a sandbox of macOS. */
const NESTED_SANDBOX = /sandbox_apply: Operation not permitted/

const nestedSandboxRemedy =
  'it opens a sandbox of its own, which macOS does not allow in one; with Swift use `swift build --disable-sandbox`'

const PATTERN_TIMEOUT_MS = 2 * SECOND_MS

/**
 * Classify a run as green, red, nothing ran, or could not run. A run that ends as expected although no test ran, or all were
 * skipped, is not green. A missing tool, a version manager without a version, a command that cannot be executed, a timeout and a crash by signal prove nothing about the
 * work; a missing file of the work itself (`./fib.sh: not found`) is red. Pure.
 */
export function classifyRun(
  run: RunResult,
  expectation: Expectation,
  existsInTree: (name: string) => boolean,
  tests?: TestCounts,
): CheckResult {
  const couldNotRun = (reason: string): CheckResult => ({ outcome: 'could not run', reason })
  if (run.timedOut) return couldNotRun(`timed out after ${Math.round(run.milliseconds / SECOND_MS)} s`)
  if (run.startError) return couldNotRun(`it did not start: ${run.startError}`)
  if (run.exitCode === undefined) return couldNotRun(`ended by ${run.signal ?? 'a signal'}`)
  const complaint = run.exitCode === expectation.exitCode ? undefined : explainComplaint(run.stderr)
  if (complaint !== undefined) return couldNotRun(complaint)
  if (run.exitCode !== expectation.exitCode && NESTED_SANDBOX.test(run.stderr)) return couldNotRun(nestedSandboxRemedy)
  const words = run.exitCode === expectation.exitCode ? undefined : readMissingProgram(run)
  if (words !== undefined) return classifyMissingProgram(run, words, existsInTree)
  try {
    const mismatch = findMismatch(run, expectation)
    const nothing = explainNothingRan(tests)
    if (mismatch !== undefined) return { outcome: 'red', reason: nothing ? `${mismatch}; ${nothing}` : mismatch }
    if (nothing === undefined || (expectation.allowsSkips && hasSkipped(tests))) return { outcome: 'green', reason: '' }
    return { outcome: 'nothing ran', reason: nothing }
  } catch {
    // Every pattern was compiled when the contract was read, so only the time can be the cause.
    return couldNotRun(`a pattern took more than ${PATTERN_TIMEOUT_MS / SECOND_MS} s`)
  }
}

// --- internal ---

function hasSkipped(tests: TestCounts | undefined): boolean {
  return typeof tests === 'object' && tests.skipped > 0
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

/** Match a pattern from the contract. Some patterns would search for years, so this throws after a while. */
function matchesPattern(pattern: string, output: string): boolean {
  const code = "new RegExp(pattern, 'm').test(output)"
  return vm.runInNewContext(code, { pattern, output }, { timeout: PATTERN_TIMEOUT_MS }) === true
}

/** What was said about a program that did not start: exit 126 or 127, which GNU make turns into 2. Undefined for other runs. */
function readMissingProgram({ exitCode, stderr }: RunResult): string | undefined {
  if (exitCode === 126 || exitCode === 127) return stderr
  // `make: *** [Makefile:2: test] Error 127`. The words of the program stand just before it.
  const end = exitCode === 2 ? stderr.search(/^\S*make(?:\[\d+\])?: \*\*\* .* Error 12[67]$/m) : -1
  if (end >= 0) return stderr.slice(0, end).split('\n').slice(-3).join('\n')
  // GNU make 3.81, which is that of macOS, says `Error 1` where it started no shell and found no program.
  return exitCode === 2
    ? /^(\S*make(?:\[\d+\])?): [^\s:]+: No such file or directory(?=\n\1: \*\*\* .* Error 1$)/m.exec(stderr)?.[0]
    : undefined
}

/** A relative path is a file of the work, a bare name is a tool of this machine. */
function classifyMissingProgram(run: RunResult, words: string, existsInTree: (name: string) => boolean): CheckResult {
  // `sh: 1: pytest: not found`, `/bin/sh: pytest: command not found`, `sh: 1: ./there.sh: Permission denied`
  const [, name = ''] =
    // `bundler: command not found: rspec`, and the same of zsh
    /: command not found: (\S+)$/m.exec(words) ??
    /(?:^|: )([^\s:]+): (?:not found|command not found|No such file or directory|[Pp]ermission denied|[Ii]s a directory)/m.exec(
      words,
    ) ??
    []
  if (name.includes('/') && !name.startsWith('/'))
    return { outcome: 'red', reason: existsInTree(name) ? `${name} cannot be executed` : `${name} does not exist` }
  const reason = name === '' ? `exit ${run.exitCode}: a command is missing` : `${name} is not on this machine`
  return { outcome: 'could not run', reason }
}
