import assert from 'node:assert/strict'
import { test } from 'node:test'
import { confirmAction } from '#cli/input/confirm.ts'

test('without a terminal, a yes in advance is for exactly what was typed', async t => {
  const { argv } = process
  t.after(() => {
    process.argv = argv
  })
  process.argv = ['node', 'dispatch', 'prepare', '--repo', 'my repo', '--older', '90d']
  await assert.rejects(confirmAction('Use it?', 'prepare'), {
    exitCode: 2,
    remedy: /: dispatch prepare --repo 'my repo' --older 90d --yes$/,
  })
})
