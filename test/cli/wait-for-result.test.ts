import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pickExitCode } from '#cli/wait-for-result.ts'
import { initialStatus, type SessionStatus } from '#session/status'

const closed = { actor: 'you', reason: '' } as const
const verdict = {
  ...{ verdict: 'PASS', round: 1, reason: '', isFinal: true, independence: '', commit: 'c', tree: 't' },
  ...{ time: '2026-11-21T00:00:00.000Z' },
} as NonNullable<SessionStatus['verdict']>
const isVoid = { ...verdict, voidReason: 'the work changed' }

const table: [string, Partial<SessionStatus>, number][] = [
  ['a PASS', { phase: 'PASS', verdict }, 0],
  ['a PASS that was closed', { phase: 'PASS', verdict, closed }, 0],
  ['a PASS that is void', { phase: 'PASS', verdict: isVoid }, 12],
  ['a PASS that is void and was closed', { phase: 'PASS', verdict: isVoid, closed }, 12],
  ['a FAIL that was closed', { phase: 'FAIL', verdict: { ...verdict, verdict: 'FAIL' }, closed }, 3],
  ['a start that failed', { phase: 'failed', startExitCode: 7, closed }, 7],
  ['a question', { phase: 'asking' }, 12],
  ['a lost login', { phase: 'needs you', problemExitCode: 7 }, 7],
  ['a lost login, stopped', { phase: 'needs you', problemExitCode: 7, closed }, 12],
  ['a changed record', { phase: 'needs you', problemExitCode: 13 }, 13],
  ['a changed record, stopped', { phase: 'needs you', problemExitCode: 13, closed }, 13],
  ['a changed record after a void verdict', { phase: 'needs you', problemExitCode: 13, verdict: isVoid }, 13],
  ['a lost login after a void verdict', { phase: 'needs you', problemExitCode: 7, verdict: isVoid }, 7],
  ['work that was stopped', { phase: 'working', closed }, 12],
]

for (const [what, changes, exitCode] of table)
  test(`${what} is exit ${exitCode}`, () => {
    assert.equal(pickExitCode({ ...initialStatus, ...changes }), exitCode)
  })
