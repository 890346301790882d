import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import {
  byMagic,
  byMounts,
  clashes,
  fileSystemOf,
  listenerOn,
  nested,
  parseListener,
  parseSockets,
} from '../../host/index.ts'

test('who listens on a port is found, with its program', { skip: process.platform !== 'linux' }, async () => {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const found = await listenerOn(port)
  assert.equal(found?.pid, process.pid)
  assert.ok((found?.program ?? '').length > 0)
  server.close()
  await once(server, 'close')
  assert.equal(await listenerOn(port), undefined)
})

test('macOS: what lsof -Fpc prints', () => {
  assert.deepEqual(parseListener('p4242\ncPython\nf3\n'), { pid: 4242, program: 'Python' })
  assert.deepEqual(parseListener('p501\ng1\ncControlCe\nf9\np502\ncother\n'), { pid: 501, program: 'ControlCe' })
  assert.equal(parseListener(''), undefined)
})

test('Linux: only sockets that listen, on exactly this port', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1E61 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000
   1: 0100007F:1E61 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000
   2: 0100007F:1E62 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0000000000000000`
  assert.deepEqual(parseSockets(table, 7777), ['4711'])
  assert.deepEqual(parseSockets(table, 80), [])
})

test('a file system of another machine is told', async () => {
  assert.deepEqual(byMagic(0x6969), { kind: 'nfs', network: true })
  assert.deepEqual(byMagic(-11317950), { kind: 'cifs', network: true }) // 0xff534d42, as a signed number
  assert.deepEqual(byMagic(0xef53), { kind: 'local', network: false })
  assert.equal((await fileSystemOf('/proc')).network, false)
  const mounts = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//me@nas._smb._tcp.local/my share on /Volumes/my share (smbfs, nodev, nosuid, mounted by me)
fileserver:/export on /net/work (nfs, nodev)`
  assert.deepEqual(byMounts(mounts, '/Volumes/my share/dispatch'), { kind: 'smbfs', network: true })
  assert.deepEqual(byMounts(mounts, '/net/work'), { kind: 'nfs', network: true })
  assert.deepEqual(byMounts(mounts, '/net/works'), { kind: 'apfs', network: false })
  assert.deepEqual(byMounts('', '/x'), { kind: 'unknown', network: false })
})

test('names that clash where case does not count, and submodules, are told', () => {
  const entry = (file: string, mode = '100644') => ({ path: file, mode, blob: '' })
  assert.deepEqual(clashes([entry('a'), entry('b'), entry('dir/a')]), [])
  assert.match(clashes([entry('README'), entry('readme')]).join(), /^README and readme are one file/)
  assert.equal(clashes([entry('caf\u00e9'), entry('cafe\u0301')]).length, 1)
  assert.deepEqual(nested([entry('a'), entry('v', '160000')]), ['1 submodule left empty: v'])
  assert.match(nested(['a', 'b', 'c', 'd'].map(name => entry(name, '160000'))).join(), /4 submodules.*and 1 more/)
})
