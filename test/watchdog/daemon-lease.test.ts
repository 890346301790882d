import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { acquireLease, holdsLease } from '#host/lease'
import { identify } from '#host/process'
import { acquireDaemonLease, findDaemonHost, holdsDaemonLease, releaseGoneDaemon } from '#watchdog'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('the daemon of another machine is left alone, until that machine is said to be gone', async t => {
  const home = createScratchFolder(t)
  const folder = path.join(home, 'daemon')
  const place = { hostName: 'attic', machine: 'another', pidNamespace: 'pid:[1]' }
  const self = (await identify(process.pid)) ?? assert.fail()
  const lease = (await acquireLease(folder, { ...self, bootId: 'another', place })) ?? assert.fail()
  const anHourAhead = new Date(Date.now() + 3_600_000)
  fs.utimesSync(path.join(folder, '000000000001'), anHourAhead, anHourAhead) // Its clock is ahead.
  assert.equal(await findDaemonHost(home), 'attic')
  await assert.rejects(acquireDaemonLease(home), {
    exitCode: 5,
    message: /runs on attic/,
    remedy: /If attic is gone for good: dispatch daemon --restart --host-gone/,
  })

  await releaseGoneDaemon(home)
  assert.ok(!holdsLease(folder, lease), 'one that lives after all stands aside')
  assert.equal(await findDaemonHost(home), undefined)
  const own = await acquireDaemonLease(home)
  await releaseGoneDaemon(home)
  assert.ok(holdsDaemonLease(home, own), 'that of this machine stays')
})
