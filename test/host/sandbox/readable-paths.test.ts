import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { listReadablePaths, listToolFolders } from '#host/sandbox/readable-paths.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('tools on PATH are readable with what is beside them, a home is not', () => {
  const toolFolders = listToolFolders(
    '/usr/bin:/h/me/.cargo/bin:/h/me/bin:/h/me:/h/me/.local/bin:/srv/x/.bin:relative',
    ['/h/me'],
  )
  assert.deepEqual(toolFolders, ['/h/me/.cargo', '/h/me/bin', '/h/me/.local/bin', '/srv/x'])
})

test('what Debian installs below /var is part of the system', () => {
  assert.deepEqual(listToolFolders('/var/lib/gems/3.2.0/bin:/var/lib/x/bin', ['/h/me']), ['/var/lib/x'])
})

test('the home of the user is not readable by its bin, whichever home a role has', t => {
  assert.deepEqual(listToolFolders('/h/me/bin', ['/nowhere/me', '/h/me']), ['/h/me/bin'])
  const link = path.join(createScratchFolder(t), 'link')
  fs.symlinkSync(os.userInfo().homedir, link)
  for (const home of [os.userInfo().homedir, os.homedir(), link]) {
    const { allowed } = listReadablePaths(`${home}/bin:${home}`, '/nowhere/me', 'linux')
    assert.ok(!allowed.includes(home), home)
  }
})

test('Linux lists what can be read, macOS what cannot', () => {
  assert.ok(listReadablePaths('/usr/bin', '/nowhere/me', 'linux').denied.includes('/'))
  assert.ok(!listReadablePaths('/usr/bin', '/nowhere/me', 'darwin').denied.includes('/'))
})

test('logins beside the programs of a tool are hidden, whichever home a role has', t => {
  const folder = createScratchFolder(t)
  for (const name of ['.cargo/bin/cargo', '.cargo/credentials.toml', '.docker/bin/docker', '.docker/config.json']) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), '')
  }
  const searchPath = [path.join(folder, '.cargo/bin'), path.join(folder, '.docker/bin')].join(':')
  for (const home of [folder, '/nowhere/me']) {
    const { denied } = listReadablePaths(searchPath, home, 'linux')
    for (const name of ['.cargo/credentials.toml', '.docker/config.json'])
      assert.ok(denied.includes(path.join(folder, name)), `${name}, home ${home}`)
  }
})
