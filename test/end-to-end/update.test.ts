/** `dispatch update`, from a remote with tags, while a session runs: forward, not to what does not work, and back. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { describeVersions } from '#cli/doctor/running-code.ts'
import { runProgram } from '#host/exec.ts'
import { getVersionsFolder, readVersionChoice, writeVersionChoice } from '#host/installed-code'
import { findFreePort } from '../fixtures/free-port.ts'
import { idleScenario, openRig } from '../fixtures/rig.ts'
import { createScratchFolder, waitUntil } from '../fixtures/scratch.ts'
import { createReleaseClone } from '../fixtures/update/release-clone.ts'

interface Health {
  version: string
  isOutdated: boolean
  daemon: { pid: number; version: string; isOutdated: boolean }
}

/** A rehearsal that passes at once, for versions of which another thing is tested. */
const quickRehearsal =
  "import { defineCommand } from '../command.ts'\nexport const command = defineCommand({ about: '', async run() { return 0 } })\n"
const brokenDaemon = "throw new Error('this daemon is broken')\n"

it('a version is brought beside the clone, checked and switched to, and a session goes on', async t => {
  const clone = await createReleaseClone(fs.realpathSync(createScratchFolder(t)))
  const versions = getVersionsFolder(clone.folder)
  const port = await findFreePort()
  const npm = path.join(import.meta.dirname, '../fixtures/update')
  const path0 = `${npm}:${path.join(import.meta.dirname, '../fixtures/scripted-claude')}:${process.env['PATH']}`
  const changes = { WEBUI_PORT: String(port), DISPATCH_DEV: '0', PATH: path0, RIG_CLAUDE: 'real' }
  const rig = await openRig(idleScenario, changes, clone.program)
  t.after(() => rig.close())
  const dispatch = async (args: string[], exitCode = 0) => {
    const ran = await rig.dispatch(args)
    assert.equal(ran.exitCode, exitCode, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
    return ran.stdout + ran.stderr
  }
  const readHealth = async () => (await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as Health
  const requireRunning = async (version: string) => {
    const { daemon, ...page } = await readHealth()
    const runs = new RegExp(`^${version}\\+`)
    assert.match(page.version, runs)
    assert.match(daemon.version, runs)
    assert.deepEqual([page.isOutdated, daemon.isOutdated], [false, false])
    assert.equal(await dispatch(['--version']), `${version}\n`)
  }

  await dispatch(['do it', '--no-repo'])
  await waitUntil(async () => (await readHealth().catch(() => undefined))?.daemon, 'daemon and page run')
  const listRunners = () => rig.listProcesses().filter(({ command }) => command.includes('/built/runner.js '))
  const [runner] = listRunners()
  assert.ok(runner)

  await t.test('nothing newer is no failure, and a pre-release is not taken', async () => {
    await clone.release('2.0.0-rc.1')
    assert.match(await dispatch(['update']), /is the newest version/)
    assert.equal(JSON.parse(await dispatch(['update', '--check', '--json'])).result, 'nothing newer')
  })

  await clone.release('1.1.0', { 'cli/commands/rehearse.ts': quickRehearsal })
  await t.test('an agent is refused, and a clone with changes of its own, which are named', async () => {
    const byAgent = await rig.dispatch(['update'], { env: { DISPATCH_SESSION: 'x' } })
    assert.equal(byAgent.exitCode, 5)
    assert.match(byAgent.stderr, /only a person may run `update`/)
    fs.appendFileSync(path.join(clone.folder, 'README.md'), 'mine\n')
    assert.match(await dispatch(['update'], 5), /README\.md/)
    await clone.git('commit', '-q', '-a', '-m', 'my own work')
    assert.match(await dispatch(['update'], 5), /commit [0-9a-f]+ my own work/)
    await clone.git('reset', '-q', '--hard', 'v1.0.0')
    assert.equal(JSON.parse(await dispatch(['update', '--check', '--json'])).available, 'v1.1.0')
    assert.equal(fs.existsSync(versions), false)
  })

  await t.test('the newest release is installed', async () => {
    const [unused, needed] = ['0.8.0-000000000000', '0.9.0-000000000000'].map(name => path.join(versions, name))
    for (const folder of [unused, needed]) fs.mkdirSync(path.join(folder ?? '', 'bin'), { recursive: true })
    const script = path.join(needed ?? '', 'bin/sleep.sh')
    fs.writeFileSync(script, 'read never\n')
    const user = spawn('/bin/sh', [script])
    const report = JSON.parse(await dispatch(['update', '--json']))
    user.kill()
    assert.match(report.installed, /^1\.1\.0-[0-9a-f]{12}$/)
    assert.deepEqual(report.removed, ['0.8.0-000000000000'], 'a process runs from the other')
    await requireRunning('1.1.0')
    assert.deepEqual(listRunners(), [runner], 'the session goes on with its code')
    const olderCode = [path.join(clone.folder, 'built/dispatch.js'), 'daemon', '--restart']
    assert.equal((await runProgram(process.execPath, olderCode, { env: rig.environment })).exitCode, 0)
    await waitUntil(async () => (await readHealth().catch(() => undefined))?.daemon, 'daemon and page run')
    await requireRunning('1.1.0')
    assert.match(await dispatch(['ls']), /^1 session goes on with older code to the end$/m)
    assert.match(await dispatch(['update']), /is the newest version/)
    const used = path.join(versions, readVersionChoice(clone.folder).current)
    assert.equal(describeVersions(used), `in ${used} (beside it: clone, 0.9.0-000000000000)`)
  })
  const updated = readVersionChoice(clone.folder)

  await t.test('a version whose daemon does not start is taken back', async () => {
    await clone.release('1.2.0', { 'cli/commands/rehearse.ts': quickRehearsal, 'cli/commands/daemon.ts': brokenDaemon })
    assert.match(await dispatch(['update'], 6), /do not work with 1\.2\.0-.*this daemon is broken.*as it was before/s)
    assert.deepEqual(readVersionChoice(clone.folder), updated)
    await requireRunning('1.1.0')
  })

  await t.test('an update that is killed or ended changes nothing, and the next one clears away the rest', async () => {
    await clone.release('1.3.0', { 'cli/commands/rehearse.ts': quickRehearsal })
    const startUpdate = async (signal: 'SIGKILL' | 'SIGINT') => {
      const gate = path.join(rig.home, signal)
      fs.writeFileSync(gate, '')
      const running = rig.dispatch(['update'], { env: { STAND_IN_NPM_WAIT: gate } })
      await waitUntil(() => fs.existsSync(`${gate}.reached`), 'npm runs')
      const updates = rig.listProcesses().filter(({ command }) => /built\/dispatch\.js update$/.test(command))
      assert.equal(updates.length, 1)
      if (signal === 'SIGINT') assert.match(await dispatch(['update'], 5), /another `dispatch update`/)
      process.kill(updates[0]?.pid ?? 0, signal)
      const ran = await running
      fs.rmSync(gate) // The npm of an update that is killed goes on: it must not write while the next one clears away the rest.
      const isNpm = ({ command }: { command: string }) => /update\/npm|scripts\/build\.ts/.test(command)
      await waitUntil(() => !rig.listProcesses().some(isNpm), 'npm has ended')
      return ran
    }
    const listStages = () => fs.readdirSync(versions).filter(name => name.startsWith('.new-'))
    await startUpdate('SIGKILL')
    assert.equal(listStages().length, 1)
    assert.match(await dispatch(['update', '--check']), /v1\.3\.0 is available/)
    const interrupted = await startUpdate('SIGINT')
    assert.equal(interrupted.exitCode, 130, interrupted.stderr)
    assert.deepEqual(listStages(), [])
    assert.deepEqual(readVersionChoice(clone.folder), updated)
    await requireRunning('1.1.0')
  })

  await t.test('the version before comes back, and then the newer one again', async () => {
    writeVersionChoice(clone.folder, { current: 'clone', previous: updated.current })
    const { isOutdated, daemon } = await readHealth()
    assert.deepEqual(
      [isOutdated, daemon.isOutdated],
      [true, true],
      'after an update that was killed right after its switch',
    )
    writeVersionChoice(clone.folder, updated)
    const report = JSON.parse(await dispatch(['update', '--rollback', '--json']))
    assert.deepEqual(report, { installed: 'clone', readOnly: [], unreadable: [] })
    await requireRunning('1.0.0')
    assert.match(await dispatch(['update', '--rollback']), /switched to 1\.1\.0-/)
    await requireRunning('1.1.0')
    assert.deepEqual(listRunners(), [runner])
  })
})
