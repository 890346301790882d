import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

/** Prints the address of each module of octokit that Node loads. */
const watchLoads = `
import { registerHooks } from 'node:module'
registerHooks({ load: (url, context, next) => {
  if (url.includes('@octokit')) process.stderr.write('loaded ' + url + '\\n')
  return next(url, context)
} })`

test('only a connection loads the client', async t => {
  const hook = path.join(createScratchFolder(t), 'hook.mjs')
  fs.writeFileSync(hook, watchLoads)
  const run = async (...args: string[]) => {
    const ran = await runProgram(process.execPath, ['--import', hook, ...args], { cwd: installFolder })
    assert.equal(ran.exitCode, 0, ran.stderr)
    return ran.stderr.split('\n').filter(line => line.startsWith('loaded ')).length
  }
  assert.equal(await run('bin/dispatch.ts', '--version'), 0)
  assert.equal(await run('--input-type=module', '-e', "await import('#forge')"), 0)
  const connect =
    "await (await import('#forge')).connectForge({host: 'github.com'}, {GITHUB_TOKEN: 'x', GITHUB_API_URL: ''})"
  assert.ok((await run('--input-type=module', '-e', connect)) > 10)
})
