import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseConclusion, type JobOutcome, renderReport, renderTitle } from '#cli/actions/job-report.ts'
import { initialStatus, type SessionStatus } from '#session/status'
import { buildMatrix } from '#session/traceability/matrix.ts'

const outcome = (state: string, status: Partial<SessionStatus> = {}, damage: string[] = []) =>
  ({
    ...{ state, damage, pullRequest: undefined, problem: undefined },
    view: { status: { ...initialStatus, ...status } },
  }) as unknown as JobOutcome

test('only a PASS with a sound record is a success', () => {
  const cases: [JobOutcome, string][] = [
    [outcome('PASS', { phase: 'PASS' }), 'success'],
    [outcome('PASS', { phase: 'PASS' }, ['log: changed']), 'failure'],
    [outcome('PASS (void)', { phase: 'PASS' }), 'action_required'],
    [outcome('FAIL', { phase: 'FAIL' }), 'failure'],
    [outcome('INCONCLUSIVE', { phase: 'INCONCLUSIVE' }), 'action_required'],
    [outcome('stopped', { phase: 'asking' }), 'action_required'],
    [outcome('stopped', { phase: 'needs you' }), 'action_required'],
    [outcome('stopped', { phase: 'working' }), 'action_required'],
    [outcome('failed', { phase: 'failed' }), 'action_required'],
  ]
  for (const [each, conclusion] of cases) assert.equal(chooseConclusion(each), conclusion, renderTitle(each))
})

test('a report about a question has a command that takes the answer, in the home into which the record was restored', () => {
  const render = (phase: 'asking' | 'PASS') => {
    const status = { ...initialStatus, phase, question: 'Which port?' }
    const id = '2026-11-20-login-a3f9'
    const shown = { ...{ sessionId: id, task: 'x', contractText: undefined, evidence: [] }, verdictRecord: undefined }
    const matrix = buildMatrix({ ...shown, status, state: 'stopped' })
    const view = { ...outcome('stopped', status).view, session: { id } }
    return renderReport(
      { ...outcome('stopped', status), view, matrix } as JobOutcome,
      'https://github.test/run',
      60_000,
    )
  }
  assert.match(render('asking'), /`dispatch resume a3f9 "your answer" --force`/)
  assert.doesNotMatch(render('PASS'), /resume/)
})
