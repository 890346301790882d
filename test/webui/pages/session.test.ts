import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSessionPaths } from '#session/paths.ts'
import type { SessionView } from '#session/readonly.ts'
import { initialStatus, type SessionStatus } from '#session/status'
import { buildSessionPage } from '#webui/pages/session.ts'
import { blankManifest } from '../../fixtures/blank-manifest.ts'

test('the page names a command that works', () => {
  const session = { id: 'x', paths: resolveSessionPaths('/x'), manifest: blankManifest }
  const time = '2026-11-30T00:00:00.000Z'
  const status = { ...initialStatus, openedAt: time, phaseStartedAt: time, lastEventAt: time }
  const find = (view: Partial<SessionView>, changes: Partial<SessionStatus>) => {
    const whole: SessionView = {
      ...{ session, runnerLiveness: 'alive', unreadableLines: 0, state: 'asking' },
      ...view,
      status: { ...status, phase: 'asking', ...changes },
    }
    const data = { view: whole, events: [], evidence: [], verdictRecord: undefined, files: [], installedVersion: '' }
    const work = { work: undefined, changes: undefined, problem: '' }
    return buildSessionPage({ ...data, work }, new Date(time)).nextCommand
  }
  const approval = { sha256: '', state: 'asked' as const, dilutions: [], reason: '' }
  const closed = { actor: 'you', reason: '' }
  assert.equal(find({}, { approval }), 'dispatch approve x')
  assert.equal(find({ state: 'stopped', runnerLiveness: 'dead' }, { approval, closed }), 'dispatch show x')
  assert.equal(find({ state: 'failed', runnerLiveness: 'dead' }, { phase: 'failed' }), 'dispatch show x')
  assert.equal(find({ runnerLiveness: 'elsewhere', otherHost: 'attic' }, { approval }), 'dispatch show x')
  assert.equal(find({ state: 'PASS', runnerLiveness: 'dead' }, { phase: 'PASS', closed }), 'dispatch apply x')
  assert.equal(find({ runnerLiveness: 'dead' }, {}), 'dispatch say x "…"')
  assert.equal(find({ state: 'interrupted', runnerLiveness: 'dead' }, { phase: 'working' }), 'dispatch resume x')
  assert.equal(find({}, {}), 'dispatch attach x')
})
