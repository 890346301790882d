import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { StreamResult } from '#host/claude'
import type { RunResult } from '#host/exec.ts'
import { classifyRun } from '#runner/checks/run-check.ts'
import { findVacuousCheck } from '#runner/contract/base-checks.ts'
import { explainStopBlock } from '#runner/stop-gate.ts'
import { classifyEnding } from '#runner/workers/workers.ts'
import { initialStatus, type SessionStatus, type WorkerStatus } from '#session/status'

const expect = { exitCode: 0, outputContains: [], outputMatches: [] }
const ran = (changes: Partial<RunResult>): RunResult => ({
  exitCode: 0,
  signal: undefined,
  timedOut: false,
  startError: undefined,
  stdout: '',
  stderr: '',
  milliseconds: 1,
  ...changes,
})

it('a check is green, red, or could not run, and says why', () => {
  const cases: [Partial<RunResult>, Parameters<typeof classifyRun>[1], string, RegExp][] = [
    [{}, expect, 'green', /^$/],
    [{ exitCode: 1 }, expect, 'red', /exit 1, not 0/],
    [{ exitCode: 3 }, { ...expect, exitCode: 3 }, 'green', /^$/],
    [{ exitCode: 127 }, { ...expect, exitCode: 127 }, 'green', /^$/],
    [{ stdout: 'a 34 b' }, { ...expect, outputContains: ['34'] }, 'green', /^$/],
    [{ stdout: '3 4' }, { ...expect, outputContains: ['34'] }, 'red', /does not contain "34"/],
    [{ stdout: 'x\r\ny\r\n' }, { ...expect, outputEquals: 'x\ny' }, 'green', /^$/],
    [{ stdout: 'x\ny\nz' }, { ...expect, outputEquals: 'x\ny' }, 'red', /is not/],
    [{ stdout: 'one\ntwo' }, { ...expect, outputMatches: ['^two$'] }, 'green', /^$/],
    [{ stdout: 'one' }, { ...expect, outputMatches: ['^two$'] }, 'red', /does not match/],
    [{ stdout: `${'a'.repeat(39)}b` }, { ...expect, outputMatches: ['^(a+)+$'] }, 'could not run', /2 s/],
    [{ stderr: '34' }, { ...expect, outputContains: ['34'] }, 'red', /does not contain/],
    [{ exitCode: undefined, timedOut: true, milliseconds: 2000 }, expect, 'could not run', /not done after 2 s/],
    [{ exitCode: undefined, signal: 'SIGKILL' }, expect, 'could not run', /SIGKILL/],
    [{ exitCode: 127, stderr: 'sh: 1: ./fib.sh: not found' }, expect, 'red', /\.\/fib\.sh is not there/],
    [{ exitCode: 127, stderr: 'sh: 1: pytest: not found' }, expect, 'could not run', /pytest is not on this machine/],
    [{ exitCode: 127, stderr: '/bin/sh: pytest: command not found' }, expect, 'could not run', /pytest/],
    [{ exitCode: 126, stderr: 'sh: 1: ./there.sh: Permission denied' }, expect, 'red', /cannot be executed/],
  ]
  for (const [changes, wanted, outcome, why] of cases) {
    const found = classifyRun(ran(changes), wanted, name => name === './there.sh')
    assert.equal(found.outcome, outcome, JSON.stringify(changes))
    assert.match(found.reason, why)
  }
})

it('a check that proves nothing is refused before any work: red unless a guard, green if one, and able to run', () => {
  const found = (outcome: 'green' | 'red' | 'could not run', isGuard: boolean) =>
    findVacuousCheck(3, 'C1', { isGuard }, { outcome, reason: 'because', command: 'true' })
  assert.deepEqual(found('red', false), [])
  assert.deepEqual(found('green', true), [])
  for (const [outcome, guard] of [
    ['green', false],
    ['red', true],
    ['could not run', false],
    ['could not run', true],
  ] as const) {
    const [problem, ...more] = found(outcome, guard)
    assert.equal(more.length, 0)
    assert.equal(problem?.line, 3)
    assert.ok(problem?.message.includes('C1') && problem.remedy.length > 20)
  }
})

it('only the result line speaks for a worker’s model', () => {
  const exit = { code: 0, fenced: false, commit: 'a' }
  const result = { type: 'result', is_error: false, result: 'done' } as StreamResult
  assert.equal(classifyEnding(exit, result, '').how, 'reported')
  assert.equal(classifyEnding(exit, undefined, 'oops').how, 'silent', 'exit 0 without a result is no success')
  assert.match(classifyEnding(exit, undefined, 'one\noops\n').reason, /oops/)
  assert.equal(
    classifyEnding(exit, { ...result, is_error: true, subtype: 'success' }, '').how,
    'failed',
    'is_error counts, subtype does not',
  )
  assert.equal(classifyEnding(undefined, undefined, '').how, 'died')
  assert.equal(classifyEnding({ ...exit, fenced: true }, result, '').how, 'failed')
})

it('the orchestrator is held while no verdict stands, with the next thing to do, and let go when one does or a person is asked', () => {
  const worker = (changes: Partial<WorkerStatus>): WorkerStatus => ({
    name: 'w',
    kind: 'code',
    model: 'opus',
    clauses: [],
    files: [],
    queuedAt: '1',
    blockedBy: null,
    ...changes,
  })
  const verdict = {
    round: 1,
    verdict: 'FAIL' as const,
    reason: '',
    commit: '',
    tree: '',
    isFinal: false,
    independence: '',
    time: '2',
  }
  const contract = { sha256: '', version: 1, uncoveredSentences: [], dilutions: [] }
  const cases: [Partial<SessionStatus>, RegExp | undefined][] = [
    [{ phase: 'planning' }, /contract check/],
    [{ phase: 'working', contract }, /spawn-worker/],
    [{ phase: 'working', contract, workers: [worker({})] }, /At work: w\. Run `wait-workers`/],
    [{ phase: 'working', contract, workers: [worker({ endedAt: '2' })] }, /Run `submit`/],
    [{ phase: 'working', contract, workers: [worker({ endedAt: '2' })], verdict }, /FAIL in round 1/],
    [{ phase: 'judging', contract, workers: [worker({ endedAt: '2' })] }, /submit/],
    [{ phase: 'PASS', contract, verdict: { ...verdict, verdict: 'PASS', isFinal: true } }, undefined],
    [
      { phase: 'PASS', contract, verdict: { ...verdict, verdict: 'PASS', isFinal: true, voidReason: 'x' } },
      /no longer holds/,
    ],
    [{ phase: 'FAIL', contract, verdict: { ...verdict, isFinal: true } }, undefined],
    [{ phase: 'asking' }, undefined],
    [{ phase: 'needs you' }, undefined],
    [{ phase: 'planning', closed: { actor: 'you', reason: '' } }, undefined],
  ]
  for (const [changes, expected] of cases) {
    const reason = explainStopBlock({ ...initialStatus, ...changes })
    if (expected === undefined) assert.equal(reason, undefined, JSON.stringify(changes))
    else assert.match(reason ?? 'let go', expected)
  }
})
