import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { openUserService } from '#host/user-service'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const standIn = path.join(import.meta.dirname, '../../fixtures/launchd-stand-in')

/** Its program writes its environment, and takes a while to end. */
const program = `#!/bin/sh
env >"$DISPATCH_HOME/environment"
trap 'sleep 0.3; exit 0' TERM
while :; do sleep 0.05; done
`

test('a LaunchAgent is loaded, started again, replaced and removed', async t => {
  const home = createScratchFolder(t)
  const before = { HOME: process.env['HOME'], PATH: process.env['PATH'] }
  Object.assign(process.env, { HOME: home, PATH: `${standIn}:${before.PATH}` })
  t.after(() => Object.assign(process.env, before))
  fs.mkdirSync(path.join(home, 'install/bin'), { recursive: true })
  fs.writeFileSync(path.join(home, 'install/bin/dispatch'), program)
  const service = openUserService(home, 'darwin')
  assert.equal(await service.explainUnavailable(), undefined)
  const compose = (NOTE: string) =>
    service.compose({
      home,
      installFolder: path.join(home, 'install'),
      logsFolder: home,
      variables: { PATH: '/usr/bin:/bin', DISPATCH_HOME: home, NOTE },
    })
  const readPid = async () => (await service.readState()).pid ?? assert.fail('it does not run')
  const waitForNote = (note: string) =>
    waitUntil(() => {
      const file = path.join(home, 'environment')
      return fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes(`NOTE=${note}\n`)
    }, `it runs with ${note}`)

  await service.install(compose('a <b> & "c" ü'))
  await waitForNote('a <b> & "c" ü')
  const first = await readPid()
  await service.start()
  assert.equal(await readPid(), first, 'it runs already')
  await service.restart()
  const second = await readPid()
  assert.notEqual(second, first)
  assert.equal((await service.readState()).restarts, 1)

  await service.install(compose('another'))
  await waitForNote('another')
  const third = await readPid()
  assert.ok(third !== second && !fs.existsSync(`/proc/${second}/exe`), 'the one before has ended')
  await service.stop()
  assert.deepEqual(await service.readState(), { isInstalled: true, isEnabled: true, pid: undefined, restarts: 0 })
  await service.start()
  await readPid()
  await service.remove()
  assert.deepEqual(await service.readState(), { isInstalled: false, isEnabled: false, pid: undefined, restarts: 0 })
  assert.match((await service.surviveLogout()) ?? '', /ends when you log out/)
})
