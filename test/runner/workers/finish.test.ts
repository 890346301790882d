import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { parseStreamLine } from '#host/claude'
import type { StreamResult } from '#host/claude/stream.ts'
import { runProgram } from '#host/exec.ts'
import { Service } from '#host/project'
import { planServices } from '#host/services'
import { classifyEnding, finishWorker } from '#runner/workers/finish.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createWatchedSession } from '../../fixtures/watched-session.ts'

const exit = { code: 0, fenced: false, commit: 'a' }

function createResult(fields: object = {}): StreamResult {
  const [event] = parseStreamLine(JSON.stringify({ type: 'result', is_error: false, result: 'done', ...fields }))
  assert.ok(event?.kind === 'result')
  return event.result
}

it('only the result line of the stream makes an ending "reported"', () => {
  assert.equal(classifyEnding(exit, createResult(), '').ending, 'reported')
  assert.equal(classifyEnding(exit, undefined, 'oops').ending, 'silent', 'exit 0 without a result is no success')
  assert.match(classifyEnding(exit, undefined, 'one\noops\n').reason, /oops/)
  const failed = createResult({ is_error: true, subtype: 'success' })
  assert.equal(classifyEnding(exit, failed, '').ending, 'failed', 'is_error counts, subtype does not')
})

it('a missing exit record is a death, a lost write lock a failure', () => {
  assert.equal(classifyEnding(undefined, undefined, '').ending, 'died')
  assert.equal(classifyEnding({ ...exit, fenced: true }, createResult(), '').ending, 'failed')
})

it('a worker whose service does not become ready has failed, for the reason of the service', async t => {
  const services = [Service.parse({ name: 'db', command: 'echo no room; exit 3', ready: 'false' })]
  const plan = await planServices(services, { tempFolder: createScratchFolder(t), sandbox: null })
  const [program = '', ...words] = [...(plan?.prefix ?? []), 'claude']
  const { exitCode: code = 0, stderr } = await runProgram(program, words)
  const reason = 'service db ended with exit 3 before it was ready: no room'
  assert.deepEqual(classifyEnding({ ...exit, code }, undefined, stderr), { ending: 'failed', reason })
})

it('the caches of a worker are removed when it ends, and nothing else that it wrote', async t => {
  const { context } = createWatchedSession(t)
  const { folder, tempFolder, toolHome } = context.session.paths.worker('hello')
  const cache = path.join(toolHome, 'go/pkg/mod/m')
  fs.mkdirSync(cache, { recursive: true })
  fs.writeFileSync(path.join(cache, 'm.go'), '')
  fs.chmodSync(cache, 0o500)
  const note = path.join(tempFolder, 'note')
  fs.writeFileSync(note, '')
  const [worker] = context.status.workers
  assert.ok(worker)
  await finishWorker(context, worker)
  assert.deepEqual([fs.existsSync(toolHome), fs.existsSync(note)], [false, true])

  const elsewhere = createScratchFolder(t)
  fs.mkdirSync(path.join(elsewhere, 'home'))
  fs.rmSync(path.join(folder, 'tmp'), { recursive: true })
  fs.symlinkSync(elsewhere, path.join(folder, 'tmp'))
  await finishWorker(context, worker)
  assert.ok(fs.existsSync(path.join(elsewhere, 'home')), 'no link is followed')
})
