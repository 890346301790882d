import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Ran, Result } from '../../host/index.ts'
import { vacuity } from '../../runner/base.ts'
import { weigh } from '../../runner/checks.ts'
import { holdReason } from '../../runner/hold.ts'
import { judgeEnding } from '../../runner/workers.ts'
import { nothing, type Status, type Worker } from '../../session/index.ts'

const expect = { exit: 0, contains: [], matches: [] }
const ran = (changes: Partial<Ran>): Ran => ({
  code: 0,
  signal: undefined,
  timedOut: false,
  unstartable: undefined,
  stdout: '',
  stderr: '',
  milliseconds: 1,
  ...changes,
})

it('a check is green, red, or could not run, and says why', () => {
  const cases: [Partial<Ran>, Parameters<typeof weigh>[1], string, RegExp][] = [
    [{}, expect, 'green', /^$/],
    [{ code: 1 }, expect, 'red', /exit 1, not 0/],
    [{ code: 3 }, { ...expect, exit: 3 }, 'green', /^$/],
    [{ code: 127 }, { ...expect, exit: 127 }, 'green', /^$/],
    [{ stdout: 'a 34 b' }, { ...expect, contains: ['34'] }, 'green', /^$/],
    [{ stdout: '3 4' }, { ...expect, contains: ['34'] }, 'red', /does not contain "34"/],
    [{ stdout: 'x\r\ny\r\n' }, { ...expect, equals: 'x\ny' }, 'green', /^$/],
    [{ stdout: 'x\ny\nz' }, { ...expect, equals: 'x\ny' }, 'red', /is not/],
    [{ stdout: 'one\ntwo' }, { ...expect, matches: ['^two$'] }, 'green', /^$/],
    [{ stdout: 'one' }, { ...expect, matches: ['^two$'] }, 'red', /does not match/],
    [{ stdout: `${'a'.repeat(39)}b` }, { ...expect, matches: ['^(a+)+$'] }, 'could not run', /2 s/],
    [{ stderr: '34' }, { ...expect, contains: ['34'] }, 'red', /does not contain/],
    [{ code: undefined, timedOut: true, milliseconds: 2000 }, expect, 'could not run', /not done after 2 s/],
    [{ code: undefined, signal: 'SIGKILL' }, expect, 'could not run', /SIGKILL/],
    [{ code: 127, stderr: 'sh: 1: ./fib.sh: not found' }, expect, 'red', /\.\/fib\.sh is not there/],
    [{ code: 127, stderr: 'sh: 1: pytest: not found' }, expect, 'could not run', /pytest is not on this machine/],
    [{ code: 127, stderr: '/bin/sh: pytest: command not found' }, expect, 'could not run', /pytest/],
    [{ code: 126, stderr: 'sh: 1: ./there.sh: Permission denied' }, expect, 'red', /cannot be executed/],
  ]
  for (const [changes, wanted, outcome, why] of cases) {
    const found = weigh(ran(changes), wanted, name => name === './there.sh')
    assert.equal(found.outcome, outcome, JSON.stringify(changes))
    assert.match(found.why, why)
  }
})

it('a check that proves nothing is refused before any work: red unless a guard, green if one, and able to run', () => {
  const found = (outcome: 'green' | 'red' | 'could not run', guard: boolean) =>
    vacuity(3, 'C1', { guard }, { outcome, why: 'because', command: 'true' })
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
    assert.ok(problem?.what.includes('C1') && problem.remedy.length > 20)
  }
})

it('only the result line speaks for a worker’s model', () => {
  const exit = { code: 0, fenced: false, commit: 'a' }
  const result = { type: 'result', is_error: false, result: 'done' } as Result
  assert.equal(judgeEnding(exit, result, '').how, 'reported')
  assert.equal(judgeEnding(exit, undefined, 'oops').how, 'silent', 'exit 0 without a result is no success')
  assert.match(judgeEnding(exit, undefined, 'one\noops\n').why, /oops/)
  assert.equal(
    judgeEnding(exit, { ...result, is_error: true, subtype: 'success' }, '').how,
    'failed',
    'is_error counts, subtype does not',
  )
  assert.equal(judgeEnding(undefined, undefined, '').how, 'died')
  assert.equal(judgeEnding({ ...exit, fenced: true }, result, '').how, 'failed')
})

it('the orchestrator is held while no verdict stands, with the next thing to do, and let go when one does or a person is asked', () => {
  const worker = (changes: Partial<Worker>): Worker => ({
    name: 'w',
    kind: 'code',
    model: 'opus',
    clauses: [],
    files: [],
    queuedAt: '1',
    waitsFor: null,
    ...changes,
  })
  const verdict = {
    round: 1,
    verdict: 'FAIL' as const,
    reason: '',
    commit: '',
    tree: '',
    final: false,
    independence: '',
    at: '2',
  }
  const contract = { sha256: '', version: 1, uncovered: [], dilutions: [] }
  const cases: [Partial<Status>, RegExp | undefined][] = [
    [{ phase: 'planning' }, /contract check/],
    [{ phase: 'working', contract }, /spawn-worker/],
    [{ phase: 'working', contract, workers: [worker({})] }, /At work: w\. Run `wait-workers`/],
    [{ phase: 'working', contract, workers: [worker({ endedAt: '2' })] }, /Run `submit`/],
    [{ phase: 'working', contract, workers: [worker({ endedAt: '2' })], verdict }, /FAIL in round 1/],
    [{ phase: 'judging', contract, workers: [worker({ endedAt: '2' })] }, /submit/],
    [{ phase: 'PASS', contract, verdict: { ...verdict, verdict: 'PASS', final: true } }, undefined],
    [
      { phase: 'PASS', contract, verdict: { ...verdict, verdict: 'PASS', final: true, voided: 'x' } },
      /no longer holds/,
    ],
    [{ phase: 'FAIL', contract, verdict: { ...verdict, final: true } }, undefined],
    [{ phase: 'asking' }, undefined],
    [{ phase: 'needs you' }, undefined],
    [{ phase: 'planning', closed: { by: 'you', why: '' } }, undefined],
  ]
  for (const [changes, expected] of cases) {
    const reason = holdReason({ ...nothing, ...changes })
    if (expected === undefined) assert.equal(reason, undefined, JSON.stringify(changes))
    else assert.match(reason ?? 'let go', expected)
  }
})
