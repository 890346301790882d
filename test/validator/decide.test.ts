import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '#session/log'
import { decideVerdict, type Gate, type JudgeReply, type JudgeReplyResult } from '#validator'
import { createClause, createEvidenceRecord, createGates, exampleContract } from '../fixtures/packet-examples.ts'

type Met = JudgeReply['clauses'][number]['met']

function judgedAs(...met: Met[]): JudgeReplyResult {
  const clauses = met.map((word, at) => ({ id: `C${at + 1}`, met: word, evidence: [], reason: `I saw it (${word})` }))
  return { ok: true, reply: { clauses, findings: ['The output ends too early.'] } }
}

const noJudge: JudgeReplyResult = { ok: false, reason: 'GEMINI_API_KEY is not set' }
const all = judgedAs('yes', 'yes', 'yes')
const on = (gates: Gate[], judged: JudgeReplyResult, uncovered: string[] = []) =>
  decideVerdict({ contract: exampleContract, gates, judged, uncovered })

test('all gates hold and the judge says yes to all: PASS', () => {
  const { verdict, reason, clauses, findings } = on(createGates(), all)
  assert.equal(verdict, 'PASS')
  assert.equal(reason, '3 of 3 clauses are met: our gates hold and the judge agrees')
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

test('the whole table: every gate, every word of the judge, every kind of proof', () => {
  const met: (Met | 'none')[] = ['yes', 'no', 'unproven', 'none']
  const table: [kind: number, gate: Gate['gate'], Verdict[]][] = [
    [0, 'green', ['PASS', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [0, 'red', ['FAIL', 'FAIL', 'FAIL', 'FAIL']],
    [0, 'could not run', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [0, 'broken', ['FAIL', 'FAIL', 'FAIL', 'FAIL']],
    [0, 'none', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [0, 'kept', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [1, 'none', ['PASS', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [2, 'kept', ['PASS', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [2, 'broken', ['FAIL', 'FAIL', 'FAIL', 'FAIL']],
    [2, 'none', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
    [2, 'green', ['INCONCLUSIVE', 'FAIL', 'INCONCLUSIVE', 'INCONCLUSIVE']],
  ]
  for (const [kind, gate, wanted] of table)
    for (const [at, word] of met.entries()) {
      const gates = createGates().map((one, index) => (index === kind ? { ...one, gate } : one))
      const words: Met[] = ['yes', 'yes', 'yes']
      if (word !== 'none') words[kind] = word
      const judged = word === 'none' ? noJudge : judgedAs(...words)
      const decided = on(gates, judged)
      assert.equal(decided.clauses[kind]?.verdict, wanted[at], `${kind} ${gate} ${word}`)
      assert.equal(decided.verdict, word === 'none' ? 'INCONCLUSIVE' : wanted[at], `${kind} ${gate} ${word}, the whole`)
    }
})

test('no judge: gates alone never pass, and the reason counts them', () => {
  const { verdict, reason, findings } = on(createGates(), noJudge)
  assert.equal(verdict, 'INCONCLUSIVE')
  assert.equal(reason, 'no judge: GEMINI_API_KEY is not set; 2 of 2 gates are green')
  assert.deepEqual(findings, [])
})

test('no judge and a red check: INCONCLUSIVE, and the reason names both', () => {
  const { verdict, reason, clauses, findings } = on(createGates('red'), noJudge)
  assert.equal(verdict, 'INCONCLUSIVE')
  assert.equal(
    reason,
    'no judge: GEMINI_API_KEY is not set; 1 of 2 gates are green; not met: C1 (exit 1, expected exit 0; no judge)',
  )
  assert.equal(clauses[0]?.verdict, 'FAIL')
  assert.equal(clauses[1]?.judgement, null)
  assert.match(findings.join(), /^C1, FAIL/)
})

test('the judge cannot lift a red check or a broken scope, and its disagreement is named', () => {
  for (const gates of [createGates('red'), createGates('green', 'broken')]) {
    const { verdict, clauses } = on(gates, all)
    assert.equal(verdict, 'FAIL')
    assert.match(clauses.map(({ reason }) => reason).join(), /the judge says yes against our gate, which stands/)
  }
})

test('a clause without a gate, or without a word of the judge, is not proved', () => {
  assert.equal(on(createGates().slice(1), all).verdict, 'INCONCLUSIVE')
  assert.equal(on([], all).verdict, 'INCONCLUSIVE')
  const { verdict, reason } = on(createGates(), judgedAs('yes', 'yes'))
  assert.equal(verdict, 'INCONCLUSIVE')
  assert.match(reason, /1 of 3 clauses is not proved: C3 \(fib\.py only; the judge says nothing of it\)/)
})

test('a contract without a clause is not passed', () => {
  assert.equal(
    decideVerdict({ contract: { ...exampleContract, clauses: [] }, gates: [], judged: all, uncovered: [] }).verdict,
    'INCONCLUSIVE',
  )
})

test('a check that was green before the work shows nothing, unless it is a guard', () => {
  const [one] = createGates()
  assert.ok(one && one.clause.proof.kind === 'check')
  const vacuous: Gate = { ...one, base: 'green' }
  const decided = on([vacuous, ...createGates().slice(1)], all)
  assert.equal(decided.verdict, 'INCONCLUSIVE')
  assert.match(decided.reason, /green before the work too/)
  const guard = createClause('C1', 'It still works', { ...one.clause.proof, isGuard: true })
  const guarded = decideVerdict({
    contract: { ...exampleContract, clauses: [guard] },
    gates: [{ ...vacuous, clause: guard }],
    judged: all,
    uncovered: [],
  })
  assert.deepEqual([guarded.verdict, guarded.clauses[0]?.proof], ['PASS', 'guard'])
})

test('a check that nobody saw red before the work shows nothing, unless it is a guard', () => {
  const [one, ...others] = createGates()
  assert.ok(one && one.clause.proof.kind === 'check')
  const { base: _, ...unseen } = one
  const decided = on([unseen, ...others], all)
  assert.equal(decided.verdict, 'INCONCLUSIVE')
  assert.match(decided.clauses[0]?.reason ?? '', /^nobody saw it before the work/)
  for (const base of ['could not run', 'flaky'] as const) {
    const { verdict, reason } = on([{ ...one, base }, ...others], all)
    assert.equal(verdict, 'INCONCLUSIVE', base)
    assert.match(reason, new RegExp(`${base} before the work, so nobody saw it red`))
  }
  const guard = createClause('C1', 'It still works', { ...one.clause.proof, isGuard: true })
  const guarded = { contract: { ...exampleContract, clauses: [guard] }, gates: [{ ...unseen, clause: guard }] }
  assert.equal(decideVerdict({ ...guarded, judged: all, uncovered: [] }).verdict, 'PASS')
})

test('a broken pin fails its check, and the finding says what was broken, not what the check shows', () => {
  const [one, ...others] = createGates()
  assert.ok(one)
  const { verdict, findings } = on([{ ...one, gate: 'broken', reason: '`test.sh` is pinned' }, ...others], all)
  assert.equal(verdict, 'FAIL')
  assert.match(findings[0] ?? '', /^C1, FAIL: .*\nSeen: `test\.sh` is pinned$/)
})

test('a remark on how a clause was shown stands in its words and in the reason of a PASS, and changes nothing', () => {
  const [one, ...others] = createGates()
  assert.ok(one)
  const { verdict, reason, clauses } = on([{ ...one, remark: 'by `test.sh`' }, ...others], all)
  assert.equal(verdict, 'PASS')
  assert.match(reason, /the judge agrees; C1 by `test\.sh`$/)
  assert.equal(clauses[0]?.reason, 'exit 0; by `test.sh`; the judge says yes: I saw it (yes)')
  assert.equal(clauses[0]?.note, 'by `test.sh`')
})

test('sentences that no clause covers are said, and change nothing', () => {
  assert.match(on(createGates(), all, ['S2: x']).reason, /; 1 sentence of the task is not covered$/)
  assert.equal(on(createGates(), all, ['S2: x', 'S3: y']).verdict, 'PASS')
})

test('findings name what should be, what was seen, and what the judge says', () => {
  const { findings } = on(createGates('red'), judgedAs('no', 'unproven', 'yes'))
  assert.equal(findings.length, 3)
  assert.equal(
    findings[0],
    [
      'C1, FAIL: Running the program prints the first ten Fibonacci numbers',
      'Run: python3 fib.py',
      'Expected: exit 0, output contains "34"',
      'Seen: exit 1; exit 1',
      'The end of its output:',
      'Traceback: no such thing',
      'The judge: I saw it (no)',
    ].join('\n'),
  )
  assert.equal(findings[1], 'C2, INCONCLUSIVE: The README says how to run it\nThe judge: I saw it (unproven)')
  assert.equal(findings[2], 'The output ends too early.')
})

test('findings carry no control characters and only the end of a long output', () => {
  const [one, ...others] = createGates('red')
  assert.ok(one)
  const outputTail = `${'line\n'.repeat(500)}\u001b[31mlast`
  const { findings } = on(
    [{ ...one, evidence: [createEvidenceRecord({ outcome: 'red', exitCode: 1, outputTail })] }, ...others],
    all,
  )
  assert.ok(!findings.join().includes('\u001b') && /last$/.test(findings[0] ?? ''))
  assert.ok((findings[0] ?? '').split('\n').length < 20)
})
