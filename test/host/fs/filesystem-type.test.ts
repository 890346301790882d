import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectFileSystem } from '#host/fs'
import { classifyByMagic, classifyByMounts } from '#host/fs/filesystem-type.ts'

test('a network file system is recognized', async () => {
  assert.deepEqual(classifyByMagic(0x6969), { kind: 'nfs', isNetwork: true })
  assert.deepEqual(classifyByMagic(-11317950), { kind: 'cifs', isNetwork: true }) // 0xff534d42, as a signed number
  assert.deepEqual(classifyByMagic(0xef53), { kind: 'local', isNetwork: false })
  assert.equal((await detectFileSystem('/proc')).isNetwork, false)
  const mounts = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//me@nas._smb._tcp.local/my share on /Volumes/my share (smbfs, nodev, nosuid, mounted by me)
fileserver:/export on /net/work (nfs, nodev)`
  assert.deepEqual(classifyByMounts(mounts, '/Volumes/my share/dispatch'), { kind: 'smbfs', isNetwork: true })
  assert.deepEqual(classifyByMounts(mounts, '/net/work'), { kind: 'nfs', isNetwork: true })
  assert.deepEqual(classifyByMounts(mounts, '/net/works'), { kind: 'apfs', isNetwork: false })
  assert.deepEqual(classifyByMounts('', '/x'), { kind: 'unknown', isNetwork: false })
})
