import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type TestContext, test } from 'node:test'
import { identify } from '#host/process'
import { parseHookEvent } from '#runner/orchestrator/hook-inbox.ts'
import { HungResults } from '#runner/workers/hung-result.ts'
import { findProcesses } from '../../fixtures/rig.ts'
import { waitUntil } from '../../fixtures/scratch.ts'
import { createWatchedSession } from '../../fixtures/watched-session.ts'
import { prepareWorkerScript } from '../../fixtures/worker-script.ts'

const GRACE_MS = 300
const result = JSON.stringify({ type: 'result', is_error: false, result: 'All done.', session_id: 'x' })

/** The real script of a worker, with a shell in place of claude that leaves a file, prints these lines and hangs. */
async function startWorker(t: TestContext, ...lines: string[]) {
  const { context, recorded } = createWatchedSession(t)
  const { folder, stream, claudeRunning } = context.session.paths.worker('hello')
  const script = await prepareWorkerScript(t, folder)
  const prints = lines.map(line => `echo '${line}'`).join('; ')
  const working = script.work(`echo half > left.txt; ${prints}; (exec sleep 600) & exec sleep 600`, { name: 'hello' })
  await waitUntil(
    () => fs.existsSync(stream) && fs.readFileSync(stream, 'utf8').includes(lines.at(-1) ?? ''),
    'it prints',
  )
  const find = () => findProcesses(folder.split('ü').at(-1) ?? folder) // The file system of processes is read as latin1.
  const pids = find().filter(({ command }) => command.includes('/agents/worker.sh'))
  const pid = Math.min(...pids.map(process => process.pid))
  const process = { ...((await identify(pid)) ?? assert.fail()), head: '' }
  context.record({ type: 'worker.started', worker: 'hello' })
  t.after(() => {
    for (const { pid } of find()) globalThis.process.kill(pid, 'SIGKILL')
  })
  const hungResults = new HungResults(GRACE_MS)
  const stop = () =>
    hungResults.recordHook(context.status, parseHookEvent('{"hook_event_name":"Stop"}', 'hello') ?? assert.fail())
  const check = () => hungResults.check(context, context.status.workers[0] ?? assert.fail(), process)
  return { script, recorded, working, check, stop, claudeRunning, clock: context.clock }
}

test('a claude that hangs after its result is ended, and what it left is committed', async t => {
  const { script, recorded, working, check, stop, claudeRunning, clock } = await startWorker(t, result)
  const startMs = clock.read()
  while (clock.read() - startMs < 2 * GRACE_MS) await check()
  assert.ok(fs.existsSync(claudeRunning), 'a result alone is one signal')
  stop()
  await waitUntil(async () => {
    await check()
    return recorded.some(({ type }) => type === 'worker.hung')
  }, 'it is ended')
  await working
  assert.deepEqual(script.readExit('hello'), {
    code: 137,
    fenced: false,
    commit: await script.git('rev-parse', 'HEAD'),
  })
  assert.equal(await script.git('show', 'HEAD:left.txt'), 'half')
  assert.equal(recorded.filter(({ type }) => type === 'worker.hung').length, 1)
})

test('a worker without its result is left alone, however long it is quiet', async t => {
  const { recorded, check, stop, claudeRunning, clock } = await startWorker(t, result, '{"type":"system"}')
  stop()
  const startMs = clock.read()
  while (clock.read() - startMs < 2 * GRACE_MS) await check()
  assert.ok(fs.existsSync(claudeRunning), 'it has begun another turn')
  assert.deepEqual(
    recorded.map(({ type }) => type),
    ['worker.started'],
  )
})
