import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { RunResult } from '#host/exec.ts'
import { classifyRun } from '#runner/checks/classify-run.ts'
import type { TestCounts } from '#session/evidence'

const expectation = { exitCode: 0, outputContains: [], outputMatches: [] }
const success: RunResult = {
  exitCode: 0,
  signal: undefined,
  timedOut: false,
  startError: undefined,
  stdout: '',
  stderr: '',
  milliseconds: 1,
}

/** What GNU make 4.3 prints. */
const make = (words: string) =>
  `cat: notes: No such file or directory\na\nb\n${words}\nmake: *** [Makefile:2: test] Error 127\n`

it('a run is green, red, or could not run, with the reason', () => {
  const contains34 = { ...expectation, outputContains: ['34'] }
  const equalsXy = { ...expectation, outputEquals: 'x\ny' }
  const matchesTwo = { ...expectation, outputMatches: ['^two$'] }
  const cases: [Partial<RunResult>, Parameters<typeof classifyRun>[1], string, RegExp][] = [
    [{}, expectation, 'green', /^$/],
    [{ exitCode: 1 }, expectation, 'red', /exit 1, not 0/],
    [{ exitCode: 3 }, { ...expectation, exitCode: 3 }, 'green', /^$/],
    [
      { exitCode: 1, stderr: 'error: rustup could not choose a version of cargo to run' },
      expectation,
      'could not run',
      /^rustup found no version to run; install the version .* RUSTUP_HOME /,
    ],
    [{ exitCode: 127, stderr: 'pyenv: py: command not found' }, expectation, 'could not run', /PYENV_ROOT/],
    [{ stderr: 'pyenv: py: command not found' }, expectation, 'green', /^$/],
    [{ exitCode: 127 }, { ...expectation, exitCode: 127 }, 'green', /^$/],
    [{ stdout: 'a 34 b' }, contains34, 'green', /^$/],
    [{ stdout: '3 4' }, contains34, 'red', /does not contain "34"/],
    [{ stderr: '34' }, contains34, 'red', /does not contain/],
    [{ stdout: 'x\r\ny\r\n' }, equalsXy, 'green', /^$/],
    [{ stdout: 'x\ny\nz' }, equalsXy, 'red', /is not/],
    [{ stdout: 'one\ntwo' }, matchesTwo, 'green', /^$/],
    [{ stdout: 'one' }, matchesTwo, 'red', /does not match/],
    [{ stdout: `${'a'.repeat(39)}b` }, { ...expectation, outputMatches: ['^(a+)+$'] }, 'could not run', /2 s/],
    [{ exitCode: undefined, timedOut: true, milliseconds: 2000 }, expectation, 'could not run', /2 s/],
    [{ exitCode: undefined, signal: 'SIGKILL' }, expectation, 'could not run', /SIGKILL/],
    [{ exitCode: 127, stderr: 'sh: 1: ./fib.sh: not found' }, expectation, 'red', /\.\/fib\.sh/],
    [{ exitCode: 127, stderr: 'sh: 1: pytest: not found' }, expectation, 'could not run', /pytest/],
    [{ exitCode: 127, stderr: '/bin/sh: pytest: command not found' }, expectation, 'could not run', /pytest/],
    [{ exitCode: 127, stderr: 'bundler: command not found: rspec\n' }, expectation, 'could not run', /^rspec is not/],
    [
      { exitCode: 2, stderr: make('make: pytest: No such file or directory') },
      expectation,
      'could not run',
      /^pytest /,
    ],
    [{ exitCode: 2, stderr: make('/bin/sh: 1: pytest: not found') }, expectation, 'could not run', /^pytest /],
    [{ exitCode: 2, stderr: make('make: ./fib.sh: No such file or directory') }, expectation, 'red', /^\.\/fib\.sh/],
    [
      { exitCode: 2, stderr: 'a.c:1: x\nmake: nasm: No such file or directory\nmake: *** [test] Error 1\n' },
      expectation,
      'could not run',
      /^nasm is not/,
    ],
    [
      { exitCode: 2, stderr: 'cat: notes: No such file or directory\nmake: *** [test] Error 1\n' },
      expectation,
      'red',
      /^exit 2/,
    ],
    [
      { exitCode: 1, stderr: 'error: sandbox-exec: sandbox_apply: Operation not permitted\n' },
      expectation,
      'could not run',
      /--disable-sandbox/,
    ],
    [{ stderr: 'sandbox_apply: Operation not permitted' }, expectation, 'green', /^$/],
    [{ exitCode: 2, stderr: make('1 failed').replace('127', '1') }, expectation, 'red', /^exit 2, not 0/],
    [{ exitCode: 126, stderr: 'sh: 1: ./there.sh: Permission denied' }, expectation, 'red', /cannot be executed/],
  ]
  for (const [changes, expected, outcome, reason] of cases) {
    const result = classifyRun({ ...success, ...changes }, expected, name => name === './there.sh')
    assert.equal(result.outcome, outcome, JSON.stringify(changes))
    assert.match(result.reason, reason)
  }
})

it('a version that a tool cannot download could not run', () => {
  const said: [stderr: string, name: string][] = [
    [
      "error: toolchain '1.75.0-x86_64-unknown-linux-gnu' is not installed\nhelp: run `rustup toolchain install`",
      'rustup',
    ],
    ["error: override toolchain 'nightly' is not installed: the RUSTUP_TOOLCHAIN environment variable", 'rustup'],
    ["error: could not download file from 'https://static.rust-lang.org/dist/channel-rust-1.85.toml.sha256'", 'rustup'],
    ['go: downloading go1.25.0 (linux/amd64)\ngo: download go1.25.0 for linux/amd64: toolchain not available', 'go'],
    ['go: go.mod requires go >= 1.25 (running go 1.24.6; GOTOOLCHAIN=local)', 'go'],
    ['Internal Error: Error when performing the request to https://npm.example.com/pnpm/latest', 'corepack'],
    ['error: No interpreter found for Python 3.13 in managed installations', 'uv python'],
  ]
  for (const [stderr, name] of said) {
    const { outcome, reason } = classifyRun({ ...success, exitCode: 1, stderr }, expectation, () => false)
    assert.equal(outcome, 'could not run', stderr)
    assert.ok(
      reason.startsWith(`${name} found no version to run; install the version`) && !reason.includes('undefined'),
    )
  }
})

it('a run without a test is not green, whatever it exits with; counts never make a run better', () => {
  const none = { ran: 0, failed: 0, skipped: 0 }
  const skipped = { ran: 0, failed: 0, skipped: 3 }
  const some = { ran: 12, failed: 0, skipped: 3 }
  const cases: [TestCounts | undefined, exitCode: number, allowsSkips: boolean, outcome: string, reason: RegExp][] = [
    [none, 0, false, 'nothing ran', /^no test ran$/],
    [skipped, 0, false, 'nothing ran', /^no test ran: all 3 were skipped$/],
    [{ ...skipped, skipped: 1 }, 0, false, 'nothing ran', /the only one was skipped/],
    [some, 0, false, 'green', /^$/],
    ['unknown', 0, false, 'green', /^$/],
    ['cached', 0, false, 'green', /^$/],
    [undefined, 0, false, 'green', /^$/],
    [skipped, 0, true, 'green', /^$/],
    [none, 0, true, 'nothing ran', /^no test ran$/],
    [none, 5, false, 'red', /^exit 5, not 0; no test ran$/],
    [some, 1, true, 'red', /^exit 1, not 0$/],
  ]
  for (const [tests, exitCode, allowsSkips, outcome, reason] of cases) {
    const result = classifyRun({ ...success, exitCode }, { ...expectation, allowsSkips }, () => false, tests)
    assert.equal(result.outcome, outcome, JSON.stringify([tests, exitCode, allowsSkips]))
    assert.match(result.reason, reason)
  }
})
