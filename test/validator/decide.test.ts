import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '#session/log'
import { decideVerdict, type Gate, type JudgeReply, type JudgeReplyResult } from '#validator'
import { createClause, createEvidenceRecord, createGates, exampleContract } from '../fixtures/packet-examples.ts'

type Met = JudgeReply['clauses'][number]['met']

/** The judge answers C1, C2, … in this way. */
function answerAs(...answers: Met[]): JudgeReplyResult {
  const clauses = answers.map((met, index) => ({ id: `C${index + 1}`, met, evidence: [], reason: `I saw it (${met})` }))
  return { ok: true, reply: { clauses, findings: ['The output ends too early.'] } }
}

const noJudge: JudgeReplyResult = { ok: false, reason: 'GEMINI_API_KEY is not set', kind: 'bad key' }
const allYes = answerAs('yes', 'yes', 'yes')
const decide = (gates: Gate[], judged: JudgeReplyResult, uncovered: string[] = [], excluded: string[] = []) =>
  decideVerdict({ contract: exampleContract, gates, judged, uncovered, excluded })

test('every gate passes and the judge says yes to every clause: PASS', () => {
  const { verdict, reason, clauses, findings } = decide(createGates(), allYes)
  assert.equal(verdict, 'PASS')
  assert.equal(reason, '3 of 3 clauses are met: all checks pass and the judge agrees')
  assert.deepEqual(
    clauses.map(({ verdict }) => verdict),
    ['PASS', 'PASS', 'PASS'],
  )
  assert.deepEqual(findings, [])
  assert.deepEqual(clauses[0], {
    id: 'C1',
    sentence: exampleContract.clauses[0]?.sentence,
    proof: 'check',
    verdict: 'PASS',
    reason: 'exit 0; the judge says yes: I saw it (yes)',
    gate: 'green',
    judgement: { met: 'yes', reason: 'I saw it (yes)', evidence: [] },
    baseOutcome: 'red',
  })
})

test('the whole table: every kind of proof, gate and answer', () => {
  const met: (Met | 'none')[] = ['yes', 'no', 'unproven', 'none']
  const table: [kind: number, gate: Gate['gate'], Verdict[]][] = [
    [0, 'green', ['PASS', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [0, 'red', ['FAIL', 'FAIL', 'FAIL', 'FAIL']],
    [0, 'could not run', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [0, 'nothing ran', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [0, 'broken', ['FAIL', 'FAIL', 'FAIL', 'FAIL']],
    [0, 'none', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [0, 'kept', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [1, 'none', ['PASS', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [2, 'kept', ['PASS', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [2, 'broken', ['FAIL', 'FAIL', 'FAIL', 'FAIL']],
    [2, 'none', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [2, 'green', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
  ]
  for (const [kind, gate, expected] of table)
    for (const [column, answer] of met.entries()) {
      const gates = createGates().map((example, index) => (index === kind ? { ...example, gate } : example))
      const answers: Met[] = ['yes', 'yes', 'yes']
      if (answer !== 'none') answers[kind] = answer
      const judged = answer === 'none' ? noJudge : answerAs(...answers)
      const decided = decide(gates, judged)
      assert.equal(decided.clauses[kind]?.verdict, expected[column], `${kind} ${gate} ${answer}`)
      assert.equal(
        decided.verdict,
        answer === 'none' ? 'INCONCLUSIVE' : expected[column],
        `${kind} ${gate} ${answer}, the whole`,
      )
    }
})

test('a check that ran no test before the work is as good as a red one', () => {
  const verdictAfter = (base: Gate['base']) => {
    const gates = createGates().map((gate, index) => (index === 0 && base ? { ...gate, base } : gate))
    return decide(gates, allYes).verdict
  }
  assert.equal(verdictAfter('red'), 'PASS')
  assert.equal(verdictAfter('nothing ran'), 'PASS')
  for (const base of ['green', 'could not run', 'flaky'] as const)
    assert.equal(verdictAfter(base), 'INCONCLUSIVE', base)
})

test('without a judge there is no PASS, and the reason counts the gates', () => {
  const { verdict, reason, findings } = decide(createGates(), noJudge)
  assert.equal(verdict, 'INCONCLUSIVE')
  assert.equal(reason, 'no judge: GEMINI_API_KEY is not set; 2 of 2 gates are green')
  assert.deepEqual(findings, [])
})

test('without a judge a red check is INCONCLUSIVE, and the reason names both', () => {
  const { verdict, reason, clauses, findings } = decide(createGates('red'), noJudge)
  assert.equal(verdict, 'INCONCLUSIVE')
  assert.equal(
    reason,
    'no judge: GEMINI_API_KEY is not set; 1 of 2 gates are green; not met: C1 (exit 1, expected exit 0; no judge)',
  )
  assert.equal(clauses[0]?.verdict, 'FAIL')
  assert.equal(clauses[1]?.judgement, null)
  assert.match(findings.join(), /^C1, FAIL/)
})

test('a yes of the judge does not pass a red check or a broken scope', () => {
  for (const gates of [createGates('red'), createGates('green', 'broken')]) {
    const { verdict, clauses } = decide(gates, allYes)
    assert.equal(verdict, 'FAIL')
    assert.match(clauses.map(({ reason }) => reason).join(), /the judge says yes, but the gate decides/)
  }
})

test('a clause without a gate or without an answer is not proved', () => {
  assert.equal(decide(createGates().slice(1), allYes).verdict, 'INCONCLUSIVE')
  assert.equal(decide([], allYes).verdict, 'INCONCLUSIVE')
  const { verdict, reason } = decide(createGates(), answerAs('yes', 'yes'))
  assert.equal(verdict, 'INCONCLUSIVE')
  assert.match(reason, /1 of 3 clauses is not proved: C3 \(fib\.py only; the judge did not answer it\)/)
})

test('a contract without a clause is never PASS', () => {
  assert.equal(
    decideVerdict({
      contract: { ...exampleContract, clauses: [] },
      gates: [],
      judged: allYes,
      uncovered: [],
      excluded: [],
    }).verdict,
    'INCONCLUSIVE',
  )
})

test('a check that was green before the work proves nothing, except a guard', () => {
  const [first] = createGates()
  assert.ok(first && first.clause.proof.kind === 'check')
  const vacuous: Gate = { ...first, base: 'green' }
  const decided = decide([vacuous, ...createGates().slice(1)], allYes)
  assert.equal(decided.verdict, 'INCONCLUSIVE')
  assert.match(decided.reason, /green before the work too/)
  const guard = createClause('C1', 'It still works', { ...first.clause.proof, isGuard: true })
  const guarded = decideVerdict({
    contract: { ...exampleContract, clauses: [guard] },
    gates: [{ ...vacuous, clause: guard }],
    judged: allYes,
    uncovered: [],
    excluded: [],
  })
  assert.deepEqual([guarded.verdict, guarded.clauses[0]?.proof], ['PASS', 'guard'])
})

test('a check that was never red proves nothing, except a guard', () => {
  const [first, ...others] = createGates()
  assert.ok(first && first.clause.proof.kind === 'check')
  const { base: _, ...unseenCheck } = first
  const decided = decide([unseenCheck, ...others], allYes)
  assert.equal(decided.verdict, 'INCONCLUSIVE')
  assert.match(decided.clauses[0]?.reason ?? '', /^it was not run before the work/)
  for (const base of ['could not run', 'flaky'] as const) {
    const { verdict, reason } = decide([{ ...first, base }, ...others], allYes)
    assert.equal(verdict, 'INCONCLUSIVE', base)
    assert.match(reason, new RegExp(`${base} before the work, so it was never seen red`))
  }
  const guard = createClause('C1', 'It still works', { ...first.clause.proof, isGuard: true })
  const guarded = { contract: { ...exampleContract, clauses: [guard] }, gates: [{ ...unseenCheck, clause: guard }] }
  assert.equal(decideVerdict({ ...guarded, judged: allYes, uncovered: [], excluded: [] }).verdict, 'PASS')
})

test('a broken pin fails its check, and the finding names the pin', () => {
  const [first, ...others] = createGates()
  assert.ok(first)
  const { verdict, findings } = decide([{ ...first, gate: 'broken', reason: '`test.sh` is pinned' }, ...others], allYes)
  assert.equal(verdict, 'FAIL')
  assert.match(findings[0] ?? '', /^C1, FAIL: .*\nObserved: `test\.sh` is pinned$/)
})

test('a note is in the reasons of clause and verdict, and changes neither', () => {
  const [first, ...others] = createGates()
  assert.ok(first)
  const { verdict, reason, clauses } = decide([{ ...first, note: 'by `test.sh`' }, ...others], allYes)
  assert.equal(verdict, 'PASS')
  assert.match(reason, /the judge agrees; C1 by `test\.sh`$/)
  assert.equal(clauses[0]?.reason, 'exit 0; by `test.sh`; the judge says yes: I saw it (yes)')
  assert.equal(clauses[0]?.note, 'by `test.sh`')
})

test('uncovered sentences are in the reason, and change no verdict', () => {
  assert.match(decide(createGates(), allYes, ['S2: x']).reason, /; 1 sentence of the task is not covered$/)
  assert.match(
    decide(createGates(), allYes, [], ['S2: x (too hard)', 'S3: y (no)']).reason,
    /; 2 sentences of the task are left out$/,
  )
  assert.equal(decide(createGates(), allYes, ['S2: x', 'S3: y']).verdict, 'PASS')
})

test('findings name what was expected and observed, and the judge’s reason', () => {
  const { findings } = decide(createGates('red'), answerAs('no', 'unproven', 'yes'))
  assert.equal(findings.length, 3)
  assert.equal(
    findings[0],
    [
      'C1, FAIL: Running the program prints the first ten Fibonacci numbers',
      'Command: python3 fib.py',
      'Expected: exit 0, output contains "34"',
      'Observed: exit 1; exit 1',
      'End of its output:',
      'Traceback: no such thing',
      'The judge: I saw it (no)',
    ].join('\n'),
  )
  assert.equal(findings[1], 'C2, INCONCLUSIVE: The README says how to run it\nThe judge: I saw it (unproven)')
  assert.equal(findings[2], 'The output ends too early.')
})

test('findings have no control characters, and only the end of an output', () => {
  const [first, ...others] = createGates('red')
  assert.ok(first)
  const outputTail = `${'line\n'.repeat(500)}\u001b[31mlast`
  const { findings } = decide(
    [{ ...first, evidence: [createEvidenceRecord({ outcome: 'red', exitCode: 1, outputTail })] }, ...others],
    allYes,
  )
  assert.ok(!findings.join().includes('\u001b') && /last$/.test(findings[0] ?? ''))
  assert.ok((findings[0] ?? '').split('\n').length < 20)
})
