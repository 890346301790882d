import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runProgram } from '#host/exec.ts'
import { SleepWatch } from '#runner/put-to-sleep.ts'
import { getTmuxSession } from '#runner/terminal.ts'
import { readLog } from '#session/log'
import { createTestContext } from '../fixtures/runner-context.ts'
import { waitUntil } from '../fixtures/scratch.ts'

test('a session sleeps neither under a person at its terminal, nor while claude works', async t => {
  const context = createTestContext(t, { id: '20261121-say-doze' }, { SLEEP_AFTER_SEC: 0.001 })
  const { tmux } = context
  t.after(() => runProgram('tmux', [...tmux.socketArguments, 'kill-server']))
  const terminal = getTmuxSession(context.session)
  await tmux.openSession(terminal, [{ name: 'orchestrator', command: ['sleep', '1000'] }], ['PATH'])
  context.status = { ...context.status, phase: 'asking', phaseStartedAt: new Date().toISOString() }
  await sleep(10)
  const isAsleep = async (idleMs: number) => {
    await new SleepWatch().check(context, { measureIdle: () => idleMs })
    return readLog(context.session.paths.events).events.some(({ type }) => type === 'session.slept')
  }
  assert.equal(await isAsleep(0), false, 'claude works')
  const client = spawn('tmux', [...tmux.socketArguments, '-C', 'attach-session', '-t', `=${terminal.session}`])
  await waitUntil(() => tmux.isAttached(terminal.session), 'a person is there')
  assert.equal(await tmux.isAttached('another'), false)
  assert.equal(await isAsleep(1000), false, 'a person is there')
  client.stdin.end()
  await once(client, 'exit')
  await waitUntil(async () => !(await tmux.isAttached(terminal.session)), 'the person has left')
  context.status = { ...context.status, problemExitCode: 13 }
  assert.equal(await isAsleep(1000), false, 'its record was changed')
  context.status = { ...context.status, problemExitCode: 7 }
  assert.equal(await isAsleep(1000), true, 'also after a problem with the login')
  assert.deepEqual(await tmux.listPanes(), [])
})
