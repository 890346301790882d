import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pickVariables } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { listScenarioNames } from '#rehearsal'
import { loadScenario } from '#rehearsal/rehearse.ts'
import { compileCacheFolder, entryPoint, findProcesses } from '../fixtures/rig.ts'
import { HANG_MS, waitUntil } from '../fixtures/scratch.ts'
import { whyNoProgram } from '../fixtures/skip-reasons.ts'
import { isTimeUp, selectCases } from '../long/select-cases.ts'

describe('a scenario ends as it should and leaves no process', { concurrency: 2 }, () => {
  let folder = ''
  before(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-scenarios-')))
  })
  after(() => fs.rmSync(folder, { recursive: true, force: true }))

  const names = listScenarioNames().filter(name => name !== 'night') // It takes minutes, and is torture of its own.
  for (const name of selectCases(names, name => name, ['fibonacci'])) {
    it(name, async test => {
      if (isTimeUp(test)) return
      const { requiredProgram, endStates } = await loadScenario(name)
      const reason = requiredProgram && whyNoProgram(requiredProgram)
      if (reason) return test.skip(reason)
      const home = path.join(folder, `${name}.home`) // No path is the beginning of another.
      fs.mkdirSync(home)
      const env = {
        ...pickVariables(['PATH', 'DISPATCH_DEV']),
        HOME: home,
        TMPDIR: home,
        NODE_COMPILE_CACHE: compileCacheFolder,
      }
      const ran = await runProgram('/bin/sh', [entryPoint, 'rehearse', name], { env, timeoutMs: HANG_MS })
      assert.match(ran.stdout, /^The models in this rehearsal are scripted/)
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.ok(endStates.some(state => ran.stdout.includes(`ended as "${state}"`)))
      // A deliverer that has nothing left to do may take a moment to end.
      await waitUntil(
        () => findProcesses(home).length === 0,
        `no process is left: ${JSON.stringify(findProcesses(home))}`,
      )
    })
  }
})

it('--list prints a name and a title for each scenario', async () => {
  const ran = await runProgram('/bin/sh', [entryPoint, 'rehearse', '--list'])
  const lines = ran.stdout.trim().split('\n')
  assert.equal(lines.length, listScenarioNames().length)
  for (const line of lines) assert.match(line, /^[a-z-]+ +\S.{20,}$/)
})

it('an unknown scenario is exit 4 and lists the others', async () => {
  const ran = await runProgram('/bin/sh', [entryPoint, 'rehearse', 'nonesuch'])
  assert.equal(ran.exitCode, 4)
  assert.match(ran.stderr, /fibonacci/)
})
