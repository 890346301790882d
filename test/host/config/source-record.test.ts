import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { buildFolder, isBuildCurrent, writeSourceRecord } from '#host/config'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a build is current until one of its sources changes', t => {
  const install = createScratchFolder(t)
  fs.mkdirSync(path.join(install, buildFolder))
  fs.writeFileSync(path.join(install, 'a.ts'), 'a')
  assert.equal(isBuildCurrent(install), false, 'nothing is recorded')
  writeSourceRecord(path.join(install, buildFolder), install, ['a.ts', 'missing.ts'])
  assert.equal(isBuildCurrent(install), true)
  fs.writeFileSync(path.join(install, 'a.ts'), 'b')
  assert.equal(isBuildCurrent(install), false)
  fs.writeFileSync(path.join(install, 'a.ts'), 'a')
  fs.writeFileSync(path.join(install, 'missing.ts'), '')
  assert.equal(isBuildCurrent(install), true, 'an empty file counts as a missing one')
})
