/**
 * The machine starts again, for the programs that come after: they run in a mount namespace with another boot id. Nothing of the
 * earlier boot is trusted, not even a process that has the pid and the start time of a runner. Only root can do that.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type RunResult, runProgram } from '#host/exec.ts'
import { identify } from '#host/process'
import { helloTask } from '#rehearsal/hello.ts'
import { findProcesses } from '../fixtures/rig.ts'
import { type Lab, openLab, requireSoundRecord } from './kill-lab.ts'

const BOOT_ID = '/proc/sys/kernel/random/boot_id'

test('after a reboot a session is taken up, and a process with the pid of its runner is not it', async t => {
  if (await skipsWithoutNamespace(t)) return
  for (const hasTwin of [false, true]) {
    const lab = await openLab()
    const twin = spawn('sleep', ['600'], { stdio: 'ignore' })
    try {
      const started = await lab.dispatch([helloTask, '--json'])
      assert.equal(started.exitCode, 0, started.stderr)
      const { id } = JSON.parse(started.stdout) as { id: string }
      const { runnerLease } = lab.rig.readSession(id).paths
      await lab.rig.waitUntil('every process is gone', () => {
        const left = findProcesses(lab.rig.home)
        for (const { pid } of left) kill(pid)
        return left.length === 0
      })
      const lease = path.join(runnerLease, fs.readdirSync(runnerLease).sort().at(-1) ?? '')
      if (hasTwin) fs.writeFileSync(lease, JSON.stringify(await identify(twin.pid ?? 0)))
      const boot = path.join(lab.rig.home, 'boot-id')
      fs.writeFileSync(boot, `${randomUUID()}\n`)
      const listed = await runAfter(lab, boot, ['ls'])
      assert.match(listed.stdout, /^interrupted/, listed.stdout + listed.stderr)
      const resumed = await runAfter(lab, boot, ['resume', id])
      assert.equal(resumed.exitCode, 0, resumed.stderr)
      const waited = await runAfter(lab, boot, ['wait', id, '--json'])
      assert.equal(waited.exitCode, 0, waited.stdout.slice(0, 500) + waited.stderr)
      const stopped = await runAfter(lab, boot, ['stop', id])
      assert.equal(stopped.exitCode, 0, stopped.stderr)
      assert.equal(twin.exitCode ?? twin.signalCode, null, 'a process with a pid of an earlier boot is never killed')
      await requireSoundRecord(lab.rig, id)
    } finally {
      twin.kill()
      await lab.close()
    }
  }
  t.diagnostic('2 reboots')
})

function runAfter(lab: Lab, boot: string, args: string[]): Promise<RunResult> {
  const script = `mount --bind '${boot}' ${BOOT_ID} && exec /bin/sh '${lab.rig.entryPoint}' "$@"`
  return runProgram('unshare', ['-m', '/bin/sh', '-c', script, 'sh', ...args], {
    cwd: lab.repository,
    env: lab.rig.environment,
    timeoutMs: 150_000,
  })
}

async function skipsWithoutNamespace(t: TestContext): Promise<boolean> {
  const file = `/tmp/dispatch-boot-${process.pid}`
  fs.writeFileSync(file, 'x\n')
  const script = `mount --bind ${file} ${BOOT_ID} && cat ${BOOT_ID}`
  const ran = await runProgram('unshare', ['-m', '/bin/sh', '-c', script])
  fs.rmSync(file)
  const isPossible = ran.stdout === 'x\n'
  if (!isPossible) t.skip('no other boot id can be shown here: run it as root, outside of a container')
  return !isPossible
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {} // It has ended.
}
