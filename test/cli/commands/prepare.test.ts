import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { DAY_MS } from '#host/time.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('prepare --prune shows what goes and why, and asks', async t => {
  const home = createScratchFolder(t)
  const tree = path.join(home, 'prepared/key1/tree')
  fs.mkdirSync(tree, { recursive: true })
  const made = { format: 1, commands: ['npm ci'], tree, made: [], seconds: 1, bytes: 5 }
  fs.writeFileSync(path.join(home, 'prepared/key1/made.json'), JSON.stringify(made))
  const store = path.join(home, 'repositories/store')
  const commit = path.join(store, 'commits', 'a'.repeat(40))
  fs.mkdirSync(path.dirname(commit), { recursive: true })
  fs.writeFileSync(commit, '')
  const old = new Date(Date.now() - 31 * DAY_MS)
  fs.utimesSync(commit, old, old)
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const prepare = (...options: string[]) =>
    runProgram('/bin/sh', [path.join(import.meta.dirname, '../../../bin/dispatch'), 'prepare', ...options], {
      env,
      cwd: home,
    })
  assert.match((await prepare('--list')).stdout, /npm ci\n.*The history of 1 project is kept/s)
  const asked = await prepare('--prune')
  assert.equal(asked.exitCode, exitCodes.usage, asked.stderr)
  assert.match(
    asked.stdout,
    /5 B .* no open session uses it +npm ci\n.* no session has started for 30 days +the history/,
  )
  assert.match(asked.stderr, /dispatch prepare --prune --yes/)
  assert.equal((await prepare('--prune', '--json')).exitCode, exitCodes.usage)
  assert.ok(fs.existsSync(tree) && fs.existsSync(store))
  const removed = await prepare('--prune', '--yes')
  assert.match(removed.stdout, /Removed 1 installation and the history of 1 project, /, removed.stderr)
  assert.ok(!fs.existsSync(tree) && !fs.existsSync(store))
  assert.deepEqual(JSON.parse((await prepare('--prune', '--json')).stdout), { installations: [], repositories: [] })
})
