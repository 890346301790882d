/** `dispatch update` with the real npm and a real rehearsal, and with a service that keeps the daemon. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listNames } from '#host/fs'
import { getVersionFolder, getVersionsFolder, readVersionChoice } from '#host/installed-code'
import { idleScenario, openRig } from '../fixtures/rig.ts'
import { createScratchFolder, waitUntil } from '../fixtures/scratch.ts'
import { openServiceRig } from '../fixtures/service-home.ts'
import { createReleaseClone } from '../fixtures/update/release-clone.ts'

const standInNpm = path.join(import.meta.dirname, '../fixtures/update')
const hasRegistry = spawnSync('npm', ['ping'], { timeout: 20_000 }).status === 0

test('a release and a tarball of npm are installed by npm, and rehearsed', {
  skip: !hasRegistry && 'no npm registry answers: allow the network',
}, async t => {
  const clone = await createReleaseClone(fs.realpathSync(createScratchFolder(t)))
  await clone.release('1.1.0')
  const home = path.join(path.dirname(clone.folder), 'npm-home')
  // npm keeps its own settings and its cache: a real user has them.
  const npm = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^npm_config_|proxy$|^NODE_EXTRA_CA_CERTS$/i.test(name)),
  )
  const rig = await openRig(
    idleScenario,
    { ...(npm as Record<string, string>), DISPATCH_DEV: '0', npm_config_cache: home, RIG_CLAUDE: 'real' },
    clone.program,
  )
  t.after(() => rig.close())
  const update = async (...args: string[]) => {
    const ran = await rig.dispatch(['update', ...args])
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    return readVersionChoice(clone.folder).current
  }
  const first = await update()
  assert.match(first, /^1\.1\.0-[0-9a-f]{12}$/)
  const folder = getVersionFolder(clone.folder, first)
  assert.ok(fs.existsSync(path.join(folder, 'node_modules/node/bin/node')))
  assert.deepEqual(
    listNames(rig.environment['TMPDIR'] ?? '').filter(name => name.startsWith('dispatch-update-')),
    [],
  )
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', rig.home], {
    cwd: clone.folder,
    encoding: 'utf8',
  })
  const second = await update(path.join(rig.home, packed.stdout.trim().split('\n').at(-1) ?? ''))
  assert.match(second, /^1\.0\.0-[0-9a-f]{12}$/)
  assert.notEqual(second, first)
})

test('an update that is killed while it rehearses leaves nothing after the next one', async t => {
  const clone = await createReleaseClone(fs.realpathSync(createScratchFolder(t)))
  await clone.release('1.1.0')
  const changes = { DISPATCH_DEV: '0', RIG_CLAUDE: 'real', PATH: `${standInNpm}:${process.env['PATH']}` }
  const rig = await openRig(idleScenario, changes, clone.program)
  t.after(() => rig.close())
  const running = rig.dispatch(['update'])
  const find = (pattern: RegExp) => rig.listProcesses().filter(({ command }) => pattern.test(command))
  await waitUntil(() => find(/runner\.js /).length > 0, 'the rehearsal runs')
  for (const { pid } of find(/dispatch\.js update$/)) process.kill(pid, 'SIGKILL')
  await running
  assert.equal(readVersionChoice(clone.folder).current, 'clone')
  const next = await rig.dispatch(['update', '--json'])
  assert.equal(next.exitCode, 0, next.stderr)
  assert.deepEqual(rig.listProcesses(), [])
  assert.deepEqual(
    listNames(getVersionsFolder(clone.folder)).filter(name => name.startsWith('.new-')),
    [],
  )
  assert.deepEqual(
    listNames(rig.environment['TMPDIR'] ?? '').filter(name => name.startsWith('dispatch-update-')),
    [],
  )
})

test('a service starts the new version, and keeps its unit', async t => {
  const clone = await createReleaseClone(fs.realpathSync(createScratchFolder(t)))
  await clone.release('1.1.0')
  const rig = await openServiceRig(idleScenario, 'stand-in', clone.program)
  t.after(() => rig.close())
  rig.environment['PATH'] = `${standInNpm}:${rig.environment['PATH']}`
  const dispatch = async (...args: string[]) => {
    const ran = await rig.dispatch(args)
    assert.equal(ran.exitCode, 0, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
    return ran.stdout
  }
  await dispatch('service', 'install')
  const { file } = JSON.parse(await dispatch('service', 'status', '--json'))
  const unit = fs.readFileSync(file, 'utf8')
  assert.ok(unit.includes(`${clone.folder}/bin/dispatch`))
  await dispatch('update')
  const status = JSON.parse(await dispatch('service', 'status', '--json'))
  assert.deepEqual([status.isRunning, status.version.split('+')[0]], [true, '1.1.0'])
  assert.equal(fs.readFileSync(file, 'utf8'), unit)
  await dispatch('service', 'install')
  assert.equal(fs.readFileSync(file, 'utf8'), unit, 'the new version writes the same unit')
  await dispatch('update', '--rollback')
  assert.equal(JSON.parse(await dispatch('service', 'status', '--json')).version.split('+')[0], '1.0.0')
})
