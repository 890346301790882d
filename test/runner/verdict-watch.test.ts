import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { submitWork } from '#runner/rounds/submit.ts'
import { explainStopBlock } from '#runner/stop-gate.ts'
import { chooseIntervalMs, VerdictWatch } from '#runner/verdict-watch.ts'
import type { VerdictRecord } from '#session/evidence'
import { requirePass } from '#session/landing'
import { importWork, prepareRepository } from '#session/repository'
import { runPlainGit } from '../fixtures/hostile-git.ts'
import { createTestContext } from '../fixtures/runner-context.ts'

test('a look that takes long is followed by a long rest', () => {
  assert.deepEqual([1, 20, 150, 90_000].map(chooseIntervalMs), [2000, 2000, 15_000, 60_000])
})

test('a lock that an earlier runner left does not keep git from looking', async t => {
  const context = createTestContext(t)
  const { paths } = context.session
  const base = await prepareRepository(paths, 'work', undefined)
  const verdict = { round: 1, verdict: 'PASS' as const, reason: '', isFinal: true, independence: '' }
  context.record({ type: 'verdict.given', ...verdict, ...base, clauses: [] })
  const lock = `${paths.verdictIndex(base.commit)}.lock`
  fs.writeFileSync(lock, '')
  await new VerdictWatch().check(context)
  assert.equal(fs.existsSync(lock), false)
  assert.ok(fs.existsSync(paths.verdictIndex(base.commit)))
})

const emptyRecord: Partial<VerdictRecord> = {
  format: 1,
  packetSha256: null,
  judge: '',
  sandbox: '',
  time: '',
  uncoveredSentences: [],
  excludedSentences: [],
  contractVersion: 1,
  dilutions: [],
}

/** A session with a PASS, whose verdict a new file has made void. */
async function prepareVoid(t: TestContext) {
  const context = createTestContext(t)
  const { paths } = context.session
  const base = await prepareRepository(paths, 'work', undefined)
  context.record({ type: 'base.prepared', ...base })
  fs.writeFileSync(path.join(paths.outputs, 'a.txt'), 'a')
  runPlainGit(paths.outputs, ['add', '.'])
  runPlainGit(paths.outputs, ['commit', '-q', '-m', 'work'])
  const work = await importWork(paths)
  const contractSha256 = 'a'.repeat(64)
  const sealed = { sha256: contractSha256, clauses: [], uncoveredSentences: [] }
  context.record({ type: 'contract.sealed', ...sealed })
  const worker = { worker: 'w', kind: 'code' as const, model: 'm', clauses: [], files: [] }
  context.record({ type: 'worker.queued', ...worker, blockedBy: null })
  const ending = { ending: 'reported' as const, reason: '', changedFiles: 1, costUsd: null, seconds: 1 }
  context.record({ type: 'worker.ended', worker: 'w', commit: work.commit, ...ending })
  const verdict = { round: 1, verdict: 'PASS' as const, reason: '', independence: '' }
  const record = { ...verdict, ...work, contractSha256, sessionId: context.session.id, clauses: [], findings: [] }
  fs.writeFileSync(paths.verdictRecord, JSON.stringify({ ...emptyRecord, ...record }))
  context.record({ type: 'verdict.given', ...verdict, ...work, isFinal: true, clauses: [] })
  const extra = path.join(paths.outputs, 'coverage.txt')
  fs.writeFileSync(extra, 'x')
  await new VerdictWatch().check(context)
  assert.match(context.status.verdict?.voidReason ?? '', /coverage\.txt/)
  await assert.rejects(requirePass(context.session, context.status), /void|changed since/)
  return { context, extra }
}

test('a void verdict holds again, and lands, once the change is undone', async t => {
  const { context, extra } = await prepareVoid(t)
  const watch = new VerdictWatch()
  await watch.check(context)
  assert.ok(context.status.verdict?.voidReason, 'it is not undone')
  fs.rmSync(extra)
  await new VerdictWatch().check(context)
  assert.equal(context.status.verdict?.voidReason, undefined)
  assert.equal(explainStopBlock(context.status), undefined)
  assert.doesNotMatch(fs.readFileSync(context.session.paths.verdictText, 'utf8'), /void/)
  assert.equal((await requirePass(context.session, context.status)).warning, undefined)
  fs.writeFileSync(extra, 'x')
  await new VerdictWatch().check(context)
  assert.match(context.status.verdict?.voidReason ?? '', /coverage\.txt/, 'and can be void again')
})

test('submit says that a void verdict holds again, also after new work has begun', async t => {
  const { context, extra } = await prepareVoid(t)
  context.record({ type: 'question.answered', source: 'its terminal' })
  assert.equal(context.status.phase, 'working')
  assert.notEqual((await submitWork(context, '1'))?.exitCode, 0, 'it is not undone')
  fs.rmSync(extra)
  await new VerdictWatch().check(context)
  assert.ok(context.status.verdict?.voidReason, 'while others work, the watch says nothing')
  const reply = await submitWork(context, '2')
  assert.deepEqual([reply?.exitCode, context.status.phase], [0, 'PASS'], reply?.text)
  assert.equal((await requirePass(context.session, context.status)).warning, undefined)
  assert.notEqual((await submitWork(context, '3'))?.exitCode, 0, 'a valid one needs new work')
})
