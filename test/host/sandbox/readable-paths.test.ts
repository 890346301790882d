import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listReadablePaths, listToolFolders } from '#host/sandbox/readable-paths.ts'

test('tools on PATH are readable with what is beside them, a home is not', () => {
  const toolFolders = listToolFolders(
    '/usr/bin:/h/me/.cargo/bin:/h/me/bin:/h/me:/h/me/.local/bin:/srv/x/.bin:relative',
    '/h/me',
  )
  assert.deepEqual(
    toolFolders.filter(folder => !folder.includes('.rustup') && !/\.local\/(lib|pipx|share)/.test(folder)),
    ['/h/me/.cargo', '/h/me/bin', '/h/me/.local/bin', '/srv/x'],
  )
})

test('Linux lists what can be read, macOS what cannot', () => {
  assert.ok(listReadablePaths('/usr/bin', '/nowhere/me', 'linux').denied.includes('/'))
  assert.ok(!listReadablePaths('/usr/bin', '/nowhere/me', 'darwin').denied.includes('/'))
})
