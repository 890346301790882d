import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { writeSourceRecord } from '#host/config'
import { findClone, getVersionsFolder, isOtherBuild, isOutdated, readCode } from '#host/installed-code'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a build has another version once its sources have changed', t => {
  const install = createScratchFolder(t)
  fs.mkdirSync(path.join(install, 'built'))
  fs.writeFileSync(path.join(install, 'package.json'), '{ "version": "0.1.0" }')
  assert.equal(readCode(install, true).version, '0.1.0+unknown')
  const build = (text: string) => {
    fs.writeFileSync(path.join(install, 'a.ts'), text)
    writeSourceRecord(path.join(install, 'built'), install, ['a.ts'])
    return readCode(install, true)
  }
  const [first, same, second] = [build('one'), build('one'), build('two')]
  assert.match(first.version, /^0\.1\.0\+[0-9a-f]{12}$/)
  assert.deepEqual([isOutdated(first, same), isOutdated(first, second)], [false, true])
  assert.equal(isOutdated({ ...first, install: '/elsewhere' }, second), false, 'of another install nothing is known')
  const version = path.join(getVersionsFolder(install), '0.2.0-0123456789ab')
  assert.equal(isOutdated({ ...first, install: version }, second), true, 'a version beside the clone belongs to it')
  assert.equal(isOutdated(first, { ...second, install: version }), true)
  assert.deepEqual([findClone(version), findClone(install)], [install, install])
  assert.equal(findClone(`${install}.versions/mine`), `${install}.versions/mine`)
})

test('of a process that runs the sources nothing is known', t => {
  const install = createScratchFolder(t)
  const sources = readCode(install, false).version
  assert.equal(sources, 'unknown+sources')
  assert.deepEqual([isOtherBuild(sources, '0.1.0+1'), isOtherBuild('0.1.0+1', sources)], [false, false])
})
