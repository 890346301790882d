import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byMagic, byMounts, fileSystemOf } from '../../host/index.ts'

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
