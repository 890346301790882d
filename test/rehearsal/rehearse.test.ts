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
import { isTimeUp, selectCases } from '../long/matrix.ts'

describe('every scenario ends as it should, in words, and leaves nothing running', { concurrency: 2 }, () => {
  let place = ''
  before(() => {
    place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-scenarios-')))
  })
  after(() => fs.rmSync(place, { recursive: true, force: true }))

  const few = ['fibonacci', 'worker-lies']
  for (const name of selectCases(listScenarioNames(), name => name, few)) {
    it(name, async test => {
      if (isTimeUp(test)) return
      const { requiredProgram, endStates } = await loadScenario(name)
      if (requiredProgram && (await runProgram(requiredProgram, ['--version'])).exitCode !== 0)
        return test.skip(`${requiredProgram} is not on this machine`)
      const folder = path.join(place, `${name}.home`) // No name of a folder begins as another does.
      fs.mkdirSync(folder)
      const env = {
        ...pickVariables(['PATH', 'DISPATCH_DEV']),
        HOME: folder,
        TMPDIR: folder,
        NODE_COMPILE_CACHE: compileCacheFolder,
      }
      const ran = await runProgram('/bin/sh', [entryPoint, 'rehearse', name], { env, timeoutMs: 120_000 })
      assert.match(ran.stdout, /^The models in this rehearsal are scripted/)
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.ok(endStates.some(end => ran.stdout.includes(`ended as "${end}"`)))
      assert.deepEqual(findProcesses(folder), [])
    })
  }
})

it('the scenarios have names and titles a person can choose by', async () => {
  const ran = await runProgram('/bin/sh', [entryPoint, 'rehearse', '--list'])
  const lines = ran.stdout.trim().split('\n')
  assert.ok(lines.length >= 12)
  for (const line of lines) assert.match(line, /^[a-z-]+ +\S.{20,}$/)
})

it('a scenario that is not there is exit 4, with the names of those that are', async () => {
  const ran = await runProgram('/bin/sh', [entryPoint, 'rehearse', 'nonesuch'])
  assert.equal(ran.exitCode, 4)
  assert.match(ran.stderr, /fibonacci/)
})
