import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildChildEnvironment, readDefaultConfig } from '#host/config'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a child is told nothing of the service that keeps its daemon', t => {
  process.env['DISPATCH_SERVICE'] = '1'
  t.after(() => delete process.env['DISPATCH_SERVICE'])
  const environment = buildChildEnvironment(readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) }))
  assert.equal(environment['DISPATCH_SERVICE'], undefined)
  assert.equal(environment['PATH'], process.env['PATH'])
})
