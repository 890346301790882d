import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { appendEvent } from '#session/log'
import { findUnsavedWork, finishRemovals, removeSession } from '#session/removal'
import { importWork, prepareRepository } from '#session/repository'
import { createTestSession } from '../../fixtures/new-session.ts'

test('a session is removed with folders that a build made read-only', t => {
  const session = createTestSession(t)
  const workspace = path.dirname(session.paths.folder)
  const folder = path.join(session.paths.folder, 'a/b')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'file'), '')
  for (const name of [folder, path.dirname(folder)]) fs.chmodSync(name, 0o500)
  removeSession(workspace, session)
  assert.deepEqual(fs.readdirSync(workspace), [])
})

test('an interrupted removal is finished later', t => {
  const { paths } = createTestSession(t)
  const workspace = path.dirname(paths.folder)
  fs.renameSync(paths.folder, path.join(workspace, '.removed-20261121-say-abcd'))
  finishRemovals(workspace)
  assert.deepEqual(fs.readdirSync(workspace), [])
})

test('work is unsaved until it is committed and a known repository has the commit', async t => {
  const session = createTestSession(t)
  const { paths } = session
  assert.equal(await findUnsavedWork(session, []), undefined, 'there is no base yet')
  const base = await prepareRepository(paths, 'work', undefined)
  appendEvent(paths.events, { type: 'base.prepared', ...base }, 0, new Date())
  assert.equal(await findUnsavedWork(session, []), undefined, 'there is no work yet')
  fs.writeFileSync(path.join(paths.outputs, 'a.txt'), 'a')
  assert.match((await findUnsavedWork(session, []))?.description ?? '', /not committed in outputs\/: a\.txt/)
  for (const args of [
    ['add', '-A'],
    ['commit', '-qm', 'a'],
  ])
    assert.equal((await runProgram('git', args, { cwd: paths.outputs })).exitCode, 0)
  assert.match((await findUnsavedWork(session, []))?.description ?? '', /is not in any known repository/)
  assert.equal(await findUnsavedWork(session, [paths.outputs]), undefined)
  // As after a squash: another commit has the same files.
  const repository = path.join(path.dirname(paths.folder), 'copy')
  for (const args of [
    ['clone', '-q', paths.outputs, repository],
    ['-C', repository, 'commit', '-q', '--amend', '-m', 'squashed'],
    ['-C', repository, 'update-ref', '-d', 'refs/remotes/origin/HEAD'],
    ['-C', repository, 'remote', 'remove', 'origin'],
  ])
    assert.equal((await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...args])).exitCode, 0)
  assert.equal(await findUnsavedWork(session, [repository]), undefined)
})

test('judged work is unsaved without outputs/ too, and also if the log has lost the base', async t => {
  const session = createTestSession(t)
  const { paths } = session
  const base = await prepareRepository(paths, 'work', undefined)
  const run = async (...args: string[]) =>
    assert.equal((await runProgram('git', args, { cwd: paths.outputs })).exitCode, 0)
  await run('commit', '-qm', 'a', '--allow-empty')
  const head = await importWork(paths)
  const description = async (...folders: string[]) => (await findUnsavedWork(session, folders))?.description ?? ''
  const unknown = /^dispatch cannot tell what would be lost: events.jsonl lacks the base/
  assert.match(await description(), unknown)
  appendEvent(paths.events, { type: 'base.prepared', ...base }, 0, new Date())
  appendEvent(paths.events, { type: 'verdict.given', ...verdict, ...head }, 1, new Date())
  const copy = path.join(path.dirname(paths.folder), 'copy')
  fs.renameSync(paths.outputs, copy)
  assert.match(await description(), /\(judged\) is not in any known repository/)
  assert.equal(await description(copy), '')
  fs.writeFileSync(paths.events, '')
  assert.equal(await description(), '', 'a start that failed while the repository was copied')
  fs.mkdirSync(path.join(paths.workers, 'w'))
  assert.match(await description(), unknown)
})

test('a session that cannot be compared is unsaved', async t => {
  const session = createTestSession(t)
  const base = await prepareRepository(session.paths, 'work', undefined)
  appendEvent(session.paths.events, { type: 'base.prepared', ...base }, 0, new Date())
  fs.appendFileSync(path.join(session.paths.bareRepository, 'config'), '[alias]\n\tx = !x\n')
  assert.match(
    (await findUnsavedWork(session, []))?.description ?? '',
    /^dispatch cannot tell what would be lost: .*not set up as dispatch made it/,
  )
})

const verdict = {
  round: 1,
  verdict: 'PASS' as const,
  reason: '',
  isFinal: true,
  independence: '',
  clauses: [],
}
