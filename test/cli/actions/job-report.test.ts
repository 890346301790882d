import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseConclusion, type JobOutcome, renderTitle } from '#cli/actions/job-report.ts'
import { initialStatus, type SessionStatus } from '#session/status'

const outcome = (state: string, status: Partial<SessionStatus> = {}, damage: string[] = []) =>
  ({
    ...{ state, damage, pullRequest: undefined, problem: undefined },
    view: { status: { ...initialStatus, ...status } },
  }) as unknown as JobOutcome

test('only a PASS with a sound record is a success', () => {
  const cases: [JobOutcome, string][] = [
    [outcome('PASS', { phase: 'PASS' }), 'success'],
    [outcome('PASS', { phase: 'PASS' }, ['log: changed']), 'failure'],
    [outcome('PASS (void)', { phase: 'PASS' }), 'neutral'],
    [outcome('FAIL', { phase: 'FAIL' }), 'failure'],
    [outcome('INCONCLUSIVE', { phase: 'INCONCLUSIVE' }), 'neutral'],
    [outcome('stopped', { phase: 'asking' }), 'action_required'],
    [outcome('stopped', { phase: 'needs you' }), 'action_required'],
    [outcome('stopped', { phase: 'working' }), 'neutral'],
    [outcome('failed', { phase: 'failed' }), 'action_required'],
  ]
  for (const [each, conclusion] of cases) assert.equal(chooseConclusion(each), conclusion, renderTitle(each))
})
