import assert from 'node:assert/strict'
import fs from 'node:fs'
import { it } from 'node:test'
import { explainStopBlock, writeStopGate } from '#runner/stop-gate.ts'
import { initialStatus, type SessionStatus, type WorkerStatus } from '#session/status'
import { createTestSession } from '../fixtures/new-session.ts'

const contract = { sha256: '', version: 1, uncoveredSentences: [], excludedSentences: [], dilutions: [] }
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
const passed = { ...verdict, verdict: 'PASS' as const, isFinal: true }

const running: WorkerStatus = {
  name: 'w',
  kind: 'code',
  model: 'opus',
  clauses: [],
  files: [],
  queuedAt: '1',
  blockedBy: null,
}
const ended: WorkerStatus = { ...running, endedAt: '2' }

it('without a verdict the turn is blocked, with the next thing to do', () => {
  const cases: [Partial<SessionStatus>, RegExp][] = [
    [{ phase: 'planning' }, /contract check/],
    [{ phase: 'working', contract }, /spawn-worker/],
    [{ phase: 'working', contract, workers: [running] }, /\bw\b.*`wait-workers`/],
    [{ phase: 'working', contract, workers: [ended] }, /`submit`/],
    [{ phase: 'working', contract, workers: [ended], verdict }, /FAIL in round 1/],
    [{ phase: 'judging', contract, workers: [ended] }, /`submit`/],
    [{ phase: 'PASS', contract, verdict: { ...passed, voidReason: 'x' } }, /void/],
  ]
  for (const [changes, expected] of cases)
    assert.match(explainStopBlock({ ...initialStatus, ...changes }) ?? 'not blocked', expected)
})

it('a turn may end after a verdict, a question, a call or the end of the session', () => {
  const cases: Partial<SessionStatus>[] = [
    { phase: 'PASS', contract, verdict: passed },
    { phase: 'FAIL', contract, verdict: { ...verdict, isFinal: true } },
    { phase: 'asking' },
    { phase: 'needs you' },
    { phase: 'planning', closed: { actor: 'you', reason: '' } },
  ]
  for (const changes of cases) assert.equal(explainStopBlock({ ...initialStatus, ...changes }), undefined)
})

it('the file exists exactly while the turn is blocked', t => {
  const session = createTestSession(t)
  const { stopGate } = session.paths
  writeStopGate({ session, status: { ...initialStatus, phase: 'planning' } })
  assert.equal(JSON.parse(fs.readFileSync(stopGate, 'utf8')).decision, 'block')
  writeStopGate({ session, status: { ...initialStatus, phase: 'asking' } })
  assert.ok(!fs.existsSync(stopGate))
})
