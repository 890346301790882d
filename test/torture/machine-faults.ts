/**
 * Faults that strace puts into the system calls of dispatch: a disk that reports errors, one that is full, too many open files,
 * programs that cannot start. A command says so (exit 10, with the path) and works when it is over. A session goes on by itself.
 * FAULTS_SECONDS says for how long; without it, each kind of fault comes once.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RunResult, runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { bash } from '#rehearsal/scenario.ts'
import type { Event } from '#session/log'
import { findProcesses } from '../fixtures/rig.ts'
import { createRandom } from '../fixtures/scratch.ts'
import { type Lab, openLab, requireSoundRecord, robustScenario } from './kill-lab.ts'

const seconds = Number(process.env['FAULTS_SECONDS'] ?? 0)
const random = createRandom(Number(process.env['FAULTS_SEED'] ?? 1))
const MAX_FAULT_MS = 2500

/** A fault of a command, in calls that name one file of the home. */
const commandFaults: [args: string[], calls: string, error: string, file: string][] = [
  [['ls'], 'openat', 'EMFILE', '.env'],
  [['ls'], 'read,pread64', 'EIO', '.env'],
  [['later', 'two'], 'openat', 'EMFILE', 'queue.db'],
  [['later', 'two'], 'openat', 'EIO', 'queue.db'],
  [['later', 'two'], 'pwrite64', 'ENOSPC', 'queue.db-wal'],
  [['later', 'two'], 'pwrite64', 'EIO', 'queue.db-wal'],
  [['later', 'two'], 'fsync,fdatasync', 'EIO', 'queue.db-wal'],
  [['queue'], 'pread64', 'EIO', 'queue.db'],
  [['pause'], 'rename,renameat,renameat2', 'EROFS', 'paused.json'],
  [['show'], 'openat', 'EIO', 'SESSION/events.jsonl'],
  [['show'], 'openat', 'EMFILE', 'SESSION/events.jsonl'],
  [['audit'], 'read,pread64', 'EIO', 'SESSION/events.jsonl'],
  [['say', 'SID', 'hello'], 'openat', 'ENOSPC', 'SESSION/messages'],
  [['stop', 'SID'], 'rename,renameat,renameat2', 'EIO', 'SESSION/stop-request'],
]

/** A fault of a runner that works. `file` limits it to calls that name this file of the session. */
const runnerFaults: { calls: string; error: string; file?: string }[] = [
  { calls: 'write', error: 'EIO', file: 'events.jsonl' },
  { calls: 'write', error: 'ENOSPC', file: 'events.jsonl' },
  { calls: 'fdatasync', error: 'EIO', file: 'events.jsonl' },
  { calls: 'openat', error: 'EMFILE', file: 'events.jsonl' },
  { calls: 'openat', error: 'EMFILE' },
  { calls: 'openat', error: 'EMFILE:when=1+2' },
  { calls: 'rename,renameat,renameat2', error: 'EIO' },
  { calls: 'mkdir,mkdirat', error: 'ENOSPC' },
  { calls: 'fsync', error: 'EIO' },
  { calls: 'fsync', error: 'EROFS:when=1+2' },
  { calls: 'pipe2,socketpair', error: 'EMFILE' },
  { calls: 'clone,clone3,vfork,fork', error: 'EAGAIN' },
]
const stopFaults = [
  { calls: 'write', error: 'EIO' },
  { calls: 'write', error: 'ENOSPC' },
  { calls: 'fdatasync', error: 'EIO' },
]
const moments: Event['type'][] = [
  'base.prepared',
  'contract.sealed',
  'worker.started',
  'worker.ended',
  'judging.started',
]

test('a command that meets a fault of the disk is exit 10 with the path, and works afterwards', async t => {
  if (await skipsWithoutStrace(t)) return
  const lab = await openLab(undefined, {}, { ...robustScenario, orchestrator: [{ hang: true }] })
  try {
    const started = await lab.dispatch([helloTask, '--json', '--no-wait'])
    const { id } = JSON.parse(started.stdout) as { id: string }
    assert.equal((await lab.dispatch(['pause'])).exitCode, 0)
    fs.writeFileSync(path.join(lab.rig.home, 'dispatch/.env'), 'ROUNDS=3\n')
    assert.equal((await lab.dispatch(['later', 'one'])).exitCode, 0)
    for (const [args, calls, error, file] of commandFaults) {
      const words = args.map(word => (word === 'SID' ? id : word))
      const name = path.join(lab.rig.home, 'dispatch', file.replace('SESSION', `workspace/${id}`))
      const ran = await runWithFault(lab, words, { calls, error, file: name })
      const shown = `${args.join(' ')}, ${error} at ${calls} of ${file}: exit ${ran.exitCode}\n${ran.stdout}${ran.stderr}`
      assert.doesNotMatch(ran.stderr, /internal error|\n {4}at /, shown)
      assert.ok([0, 10].includes(ran.exitCode ?? -1), shown)
      if (ran.exitCode === 10) assert.match(ran.stderr, /\/dispatch\//, shown)
      t.diagnostic(shown.split('\n')[0] ?? '')
    }
    for (const args of [['ls'], ['queue'], ['show', id], ['audit', id], ['later', 'three'], ['stop', id]]) {
      const ran = await lab.dispatch(args)
      assert.equal(ran.exitCode, 0, `${args.join(' ')} afterwards: ${ran.stderr}`)
    }
  } finally {
    await lab.close()
  }
})

test('a session whose runner meets faults goes on when they are over, and reaches its verdict', async t => {
  if (await skipsWithoutStrace(t)) return
  const endsAtMs = Date.now() + seconds * 1000
  let count = 0
  do {
    for (const fault of runnerFaults) {
      if (seconds > 0 && Date.now() > endsAtMs) break
      const moment = moments[Math.floor(random() * moments.length)] ?? 'worker.started'
      const durationMs = 300 + Math.floor(random() * MAX_FAULT_MS)
      const { calls, error, file = 'any file' } = fault
      const name = `${error} at ${calls} of ${file}, ${durationMs} ms after ${moment}`
      await t.test(name, () => runFaultySession(fault, moment, durationMs))
      count++
    }
  } while (Date.now() < endsAtMs)
  t.diagnostic(`${count} faults of a runner`)
})

for (const { calls, error } of stopFaults)
  test(`dispatch stop ends every process although its event cannot be written (${error} at ${calls}), and is exit 10`, async t => {
    if (await skipsWithoutStrace(t)) return
    const lab = await openLab(undefined, {}, { ...robustScenario, orchestrator: [bash(':'), { hang: true }] })
    const { rig } = lab
    try {
      const started = await lab.dispatch([helloTask, '--json'])
      assert.equal(started.exitCode, 0, started.stderr)
      const { paths, id } = rig.readSession()
      const [runner] = rig.listRunners()
      assert.ok(runner)
      const strace = injectFault(runner.pid, { calls, error, file: paths.events })
      const stopped = await runWithFault(lab, ['stop', id], { calls, error, file: paths.events })
      const shown = `exit ${stopped.exitCode}\n${stopped.stdout}${stopped.stderr}`
      assert.equal(stopped.exitCode, 10, shown)
      assert.ok(stopped.stderr.includes(paths.events), shown)
      assert.match(stopped.stderr, /every process .* has ended[\s\S]*dispatch stop/, shown)
      // The daemon may have started a runner that reads the request to stop.
      const left = findProcesses(`DISPATCH_SESSION=${id}`).filter(({ command }) => !command.includes('/runner.js '))
      assert.deepEqual(left, [], shown)
      await strace.end()
      const again = await lab.dispatch(['stop', id])
      assert.equal(again.exitCode, 0, again.stderr)
      assert.equal(rig.readEvents().filter(({ type }) => type === 'session.closed').length, 1)
      await requireSoundRecord(rig, id)
    } finally {
      await lab.close()
    }
  })

async function runFaultySession(
  { calls, error, file }: (typeof runnerFaults)[number],
  moment: Event['type'],
  durationMs: number,
): Promise<void> {
  const lab = await openLab()
  const { rig } = lab
  try {
    const starting = lab.dispatch([helloTask, '--json'])
    const has = (type: Event['type']) => () => {
      try {
        return rig.readEvents().some(event => event.type === type)
      } catch {
        return false // There is no session yet.
      }
    }
    await rig.waitUntil(moment, has(moment))
    const { paths, id } = rig.readSession()
    const [runner] = rig.listRunners()
    assert.ok(runner)
    const strace = injectFault(runner.pid, {
      calls,
      error,
      ...(file === undefined ? {} : { file: path.join(paths.folder, file) }),
    })
    await sleep(durationMs)
    await strace.end()
    const started = await starting
    assert.equal(started.exitCode, 0, started.stderr)
    const waited = await lab.dispatch(['wait', id, '--json'])
    const story = rig.readEvents().map(event => JSON.stringify({ ...event, prev: undefined }).slice(0, 240))
    assert.equal(waited.exitCode, 0, `${waited.stderr}\n${story.join('\n')}`)
    await requireSoundRecord(rig, id)
  } finally {
    await lab.close()
  }
}

/** Put a fault into a process that runs, until it is over. */
function injectFault(pid: number, { calls, error, file }: (typeof runnerFaults)[number]): { end(): Promise<void> } {
  const only = file === undefined ? [] : ['-P', file]
  const inject = ['-e', `inject=${calls}:error=${error}`]
  const strace = spawn('strace', ['-f', '-qq', '-o', '/dev/null', '-p', String(pid), ...only, ...inject])
  const ended = once(strace, 'exit')
  return {
    async end() {
      strace.kill('SIGINT')
      await ended
    },
  }
}

function runWithFault(
  lab: Lab,
  args: string[],
  { calls, error, file }: { calls: string; error: string; file: string },
): Promise<RunResult> {
  const strace = ['-f', '-qq', '-o', '/dev/null', '-P', file, '-e', `inject=${calls}:error=${error}`]
  return runProgram('strace', [...strace, '/bin/sh', lab.rig.entryPoint, ...args], {
    cwd: lab.repository,
    env: lab.rig.environment,
    timeoutMs: 120_000,
  })
}

async function skipsWithoutStrace(t: TestContext): Promise<boolean> {
  const ran = await runProgram('strace', ['-qq', '-o', '/dev/null', '-e', 'inject=mkdir:error=EIO', 'true'])
  const isWorking = ran.exitCode === 0
  if (!isWorking) t.skip('strace cannot put faults into calls here: install it, and allow ptrace')
  return !isWorking
}
