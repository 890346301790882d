import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readCode, readRunningDaemon, writeDaemonRecord } from '#host/installed-code'
import { identify } from '#host/process'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a record counts while its very process runs', async t => {
  const home = createScratchFolder(t)
  assert.equal(readRunningDaemon(home), undefined)
  const self = (await identify(process.pid)) ?? assert.fail()
  const record = { process: self, code: readCode(), startedAt: new Date(0).toISOString(), isService: true }
  writeDaemonRecord(home, record)
  assert.deepEqual(readRunningDaemon(home), record)
  if (process.platform === 'linux') {
    writeDaemonRecord(home, { ...record, process: { ...self, startTime: '1' } })
    assert.equal(readRunningDaemon(home), undefined, 'another process has its pid now')
  }
  fs.writeFileSync(path.join(home, 'daemon.json'), '{')
  assert.equal(readRunningDaemon(home), undefined)
})
