import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNextStep } from '#cli/output/next-step.ts'
import { initialStatus } from '#session/status'

const approval = { sha256: 'f', state: 'asked' as const, dilutions: [], reason: '' }

const table = [
  ['a question', { phase: 'asking' }, 'answer'],
  ['an orchestrator that gave up', { phase: 'needs you' }, 'answer'],
  ['the end of claude', { phase: 'needs you', problem: 'the orchestrator is gone: its process ended' }, 'continue'],
  ['a contract to approve', { phase: 'asking', approval }, 'approve'],
  ['a record that was changed', { phase: 'needs you', problemExitCode: 13 }, 'verify'],
  ['a lost login', { phase: 'needs you', problemExitCode: 7 }, 'log in'],
  ['a login that was found again', { phase: 'working', problemExitCode: 7 }, undefined],
  ['the end of a session that works', { phase: 'working', closed: { actor: 'you', reason: '' } }, 'go on'],
  ['the end of a session that asks', { phase: 'asking', closed: { actor: 'you', reason: '' } }, 'answer'],
  ['a verdict', { phase: 'PASS' }, undefined],
] as const

for (const [what, change, label] of table)
  test(`after ${what}, the next step is ${label ?? 'left out'}`, () => {
    assert.equal(findNextStep({ ...initialStatus, ...change }, 'bf3a')?.label, label)
  })

test('a record that was changed gets no message, and a lost login gets one afterwards', () => {
  const explain = (problemExitCode: number) =>
    findNextStep({ ...initialStatus, phase: 'needs you', problemExitCode }, 'bf3a')?.text ?? ''
  assert.doesNotMatch(explain(13), /dispatch say/)
  assert.match(explain(13), /dispatch audit bf3a/)
  assert.match(explain(7), /\/login.*dispatch say bf3a/)
})

test('a session that sleeps has no terminal, so only an answer is named', () => {
  const text = findNextStep({ ...initialStatus, phase: 'asking' }, 'bf3a', true)?.text ?? ''
  assert.match(text, /dispatch say bf3a/)
  assert.doesNotMatch(text, /attach/)
})

test('a closed session that asks is resumed with an answer: without one, it is refused', () => {
  const closed = { actor: 'you', reason: '' }
  const text = findNextStep({ ...initialStatus, phase: 'asking', closed }, 'bf3a')?.text ?? ''
  assert.match(text, /^dispatch resume bf3a "/)
})
