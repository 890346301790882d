import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { listHostSockets, parseSocketTable } from '#host/sandbox/host-sockets.ts'

const table = `Num       RefCount Protocol Flags    Type St Inode Path
00000000c88b1d34: 00000003 00000000 00000000 0001 03 1797990
00000000e6d4db1c: 00000002 00000000 00010000 0001 01   23456 /run/docker.sock
000000008fde374c: 00000002 00000000 00010000 0001 01   23457 @/tmp/.X11-unix/X0
00000000aa4e462f: 00000002 00000000 00010000 0001 01   23458 relative.sock
00000000bb4e462f: 00000002 00000000 00010000 0001 01   23459 /srv/my tools/agent.sock
`

test('the table of sockets has their paths', () => {
  assert.deepEqual(parseSocketTable(table), ['/run/docker.sock', '/srv/my tools/agent.sock'])
  assert.deepEqual(parseSocketTable(''), [])
})

test('sockets below a readable folder are hidden, and the folders of daemons', async t => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'sockets-')))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  const [tools, other, closed] = ['tools', 'other', 'closed'].map(name => path.join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const place of [path.join(tools, 'run'), path.join(tools, 'lib'), path.join(other, 'run'), closed])
    fs.mkdirSync(place, { recursive: true })
  const sockets = [
    path.join(tools, 'lib/a.sock'),
    path.join(tools, 'run/b.sock'),
    path.join(other, 'c.sock'),
    path.join(closed, 'd.sock'),
  ]
  for (const file of sockets) {
    const server = net.createServer().listen(file)
    t.after(() => server.close())
    await once(server, 'listening')
  }
  const lines = sockets.map(file => `0000000000000000: 00000002 00000000 00010000 0001 01 1 ${file}`).join('\n')
  const hidden = [path.join(tools, 'run'), path.join(tools, 'lib/a.sock')]
  assert.deepEqual(listHostSockets([tools], [], lines), hidden)
  const alsoOthers = [...hidden, path.join(other, 'c.sock')]
  assert.deepEqual(listHostSockets([tools], [other], lines), alsoOthers, 'a folder run may be one of the project')
  // The kernel's own table has no order.
  if (process.platform === 'linux') assert.deepEqual(listHostSockets([tools], [other]).sort(), alsoOthers.sort())
})
