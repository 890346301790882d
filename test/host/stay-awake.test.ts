import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { createStayAwake } from '#host/stay-awake.ts'
import { createScratchFolder, waitUntil } from '../fixtures/scratch.ts'

test('caffeinate runs while it is needed, once, and for this process only', async t => {
  const folder = createScratchFolder(t)
  const program = path.join(folder, 'caffeinate')
  const log = path.join(folder, 'log')
  fs.writeFileSync(program, `#!/bin/sh\necho "$$ $*" >>'${log}'\nexec sleep 600\n`, { mode: 0o755 })
  const readLines = () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\n').slice(0, -1) : [])
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  const awake = createStayAwake(program)
  awake.hold(false)
  awake.hold(true)
  awake.hold(true)
  await waitUntil(() => readLines().length > 0, 'it has started')
  const [pid = '', ...args] = readLines()[0]?.split(' ') ?? []
  assert.deepEqual(args, ['-i', '-w', String(process.pid)])
  awake.hold(false)
  await waitUntil(() => !isAlive(Number(pid)), 'it has ended')
  assert.equal(readLines().length, 1)
  awake.hold(true)
  await waitUntil(() => readLines().length === 2, 'it has started again')
  awake.hold(false)
  createStayAwake('/nonexistent').hold(true) // Throws nothing.
})
