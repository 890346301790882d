import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { waitForOwnDaemon } from '#cli/service/wait.ts'
import { readDefaultConfig } from '#host/config'
import { openUserService } from '#host/user-service'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const standIn = path.join(import.meta.dirname, '../../fixtures/launchd-stand-in')

test('launchd counts each start, and a service that was restarted often still works', async t => {
  const userHome = createScratchFolder(t)
  const before = { HOME: process.env['HOME'], PATH: process.env['PATH'] }
  Object.assign(process.env, { HOME: userHome, PATH: `${standIn}:${before.PATH}` })
  const variables = {
    PATH: before.PATH ?? '',
    HOME: userHome,
    DISPATCH_HOME: path.join(userHome, 'dispatch'),
    ...{ DISPATCH_DEV: '1', DISPATCH_SERVICE: '1', WEBUI_PORT: '0' },
  }
  const config = readDefaultConfig(variables)
  fs.mkdirSync(config.logsFolder, { recursive: true })
  const service = openUserService(config.home, 'darwin')
  const { home, installFolder, logsFolder } = config
  await service.install(service.compose({ home, installFolder, logsFolder, variables }))
  try {
    const pids = new Set<number>()
    for (let count = 0; count <= 4; count++) {
      if (count > 0) await service.restart()
      const health = await waitForOwnDaemon(service, { ...config, WEBUI_PORT: 0 })
      assert.ok('pid' in health, `after ${count} restarts: ${JSON.stringify(health)}`)
      pids.add(health.pid)
    }
    assert.equal(pids.size, 5)
    assert.equal((await service.readState()).restarts, 4)
  } finally {
    await service.remove()
    Object.assign(process.env, before)
  }
})
