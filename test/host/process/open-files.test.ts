import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { isOpenForWriting } from '#host/process'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

test('a file is open for writing until its last writer has closed it', { skip: whyNotLinux }, t => {
  const file = path.join(createScratchFolder(t), 'a b.md')
  assert.ok(!isOpenForWriting(file))
  const [writer, reader] = [fs.openSync(file, 'w'), fs.openSync(file, 'r')]
  assert.ok(isOpenForWriting(file))
  fs.closeSync(writer)
  assert.ok(!isOpenForWriting(file), 'a reader does not count')
  fs.closeSync(reader)
  const both = fs.openSync(file, 'r+')
  const other = `${file}.new`
  fs.writeFileSync(other, '')
  fs.renameSync(other, file)
  assert.ok(!isOpenForWriting(file), 'another file has its name now')
  fs.closeSync(both)
  assert.ok(!isOpenForWriting(file, '/nowhere'))
})
