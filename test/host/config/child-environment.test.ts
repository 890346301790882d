import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildChildEnvironment } from '#host/config'

test('a child is told nothing of the service that keeps its daemon, and gets no setting that this process does not have', t => {
  process.env['DISPATCH_SERVICE'] = '1'
  t.after(() => delete process.env['DISPATCH_SERVICE'])
  const environment = buildChildEnvironment()
  assert.equal(environment['DISPATCH_SERVICE'], undefined)
  for (const name of ['PATH', 'BUDGET_USD', 'ROUNDS']) assert.equal(environment[name], process.env[name])
})
