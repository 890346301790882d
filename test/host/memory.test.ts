import assert from 'node:assert/strict'
import os from 'node:os'
import { test } from 'node:test'
import { computeGroupRoom, listGroupFolders, measureAvailableMemory, parseMeminfo, parseVmStat } from '#host/memory.ts'

/** As macOS 14 prints it on a machine of 16 GB in use. */
const vmStat = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                5346.
Pages active:                            311231.
Pages inactive:                          308164.
Pages speculative:                         1891.
Pages throttled:                              0.
Pages wired down:                        131284.
Pages purgeable:                           3210.
"Translation faults":                 812345678.
Pages copy-on-write:                   23456789.
`

test('on macOS inactive pages count as memory that can be had', () => {
  assert.equal(parseVmStat(vmStat), 16384 * (5346 + 308_164 + 1891 + 3210))
  assert.equal(parseVmStat('vm_stat: command failed'), undefined)
})

test('on Linux the machine and each control group limit the memory', async () => {
  assert.equal(parseMeminfo('MemTotal: 9 kB\nMemAvailable:   22386880 kB\n'), 22_386_880 * 1024)
  assert.equal(parseMeminfo('MemTotal: 9 kB\n'), undefined)
  assert.deepEqual(listGroupFolders('0::/user.slice/user-1.slice\n'), [
    '/sys/fs/cgroup',
    '/sys/fs/cgroup/user.slice',
    '/sys/fs/cgroup/user.slice/user-1.slice',
  ])
  assert.deepEqual(listGroupFolders('9:name=systemd:/x\n4:cpu,memory:/init.scope\n2:cpuset:/\n'), [
    '/sys/fs/cgroup/memory',
    '/sys/fs/cgroup/memory/init.scope',
  ])
  const available = await measureAvailableMemory()
  assert.ok(available > 1 << 20 && available <= os.totalmem(), `${available}`)
})

test('files that a control group only keeps in memory are no use of it', () => {
  const group = { limit: '4294967296\n', usage: '4200000000\n', stat: 'anon 7\ninactive_file 3000000000\n' }
  assert.equal(computeGroupRoom(group), 4_294_967_296 - 4_200_000_000 + 3_000_000_000)
  const ofVersion1 = { ...group, stat: 'inactive_file 1\ntotal_inactive_file 3000000000\n' }
  assert.equal(computeGroupRoom(ofVersion1), computeGroupRoom(group))
  for (const limit of ['max\n', '']) assert.equal(computeGroupRoom({ ...group, limit }), Number.POSITIVE_INFINITY)
  assert.equal(computeGroupRoom({ limit: '10\n', usage: '20\n', stat: '' }), 0)
})
