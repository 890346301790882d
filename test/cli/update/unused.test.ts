import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listUnused, removeUnused } from '#cli/update/unused.ts'
import { getVersionFolder, listVersions, writeVersionChoice } from '#host/installed-code'
import { findSession } from '#session'
import { LogWriter } from '#session/log'
import { createFilledHome } from '../../fixtures/backup-home.ts'

test('a version goes unless it is used, was before, or is named by a session that has not ended', async t => {
  const { config, around } = createFilledHome(t, 2)
  const cloneFolder = path.join(fs.realpathSync(around), 'clone')
  fs.mkdirSync(cloneFolder)
  const names = [1, 2, 3, 4, 5, 6].map(minor => `0.${minor}.0-0123456789ab`)
  const [current = '', previous = '', launched = '', recorded = '', ofClosed = '', unused = ''] = names
  for (const name of names) fs.mkdirSync(path.join(getVersionFolder(cloneFolder, name), 'bin'), { recursive: true })
  for (const name of names) fs.writeFileSync(path.join(getVersionFolder(cloneFolder, name), 'bin/dispatch'), '')
  fs.writeFileSync(path.join(getVersionFolder(cloneFolder, recorded), 'package.json'), '{"version":"0.4.0"}')
  writeVersionChoice(cloneFolder, { current, previous })
  const [open, closed] = fs.readdirSync(config.workspace).map(id => findSession(config.workspace, id))
  assert.ok(open && closed)
  fs.writeFileSync(open.paths.launchScript, `exec '${getVersionFolder(cloneFolder, launched)}/built/sandbox.js'\n`)
  fs.writeFileSync(closed.paths.launchScript, `exec '${getVersionFolder(cloneFolder, ofClosed)}/built/sandbox.js'\n`)
  const log = new LogWriter(open.paths.events, open.id)
  log.append({ type: 'session.reopened', actor: 'you' }, new Date())
  log.append({ type: 'runner.started', pid: 1, generation: 1, version: '0.4.0+unknown' }, new Date())
  const updated = { ...config, cloneFolder }
  assert.deepEqual(
    (await listUnused(updated)).map(({ name }) => name),
    [ofClosed, unused],
  )
  assert.deepEqual(await removeUnused(updated), [ofClosed, unused])
  assert.deepEqual(listVersions(cloneFolder), [current, previous, launched, recorded])
})
