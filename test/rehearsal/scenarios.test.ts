import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { run, variables } from '../../host/index.ts'
import { scenarioNames } from '../../rehearsal/index.ts'
import { readScenario } from '../../rehearsal/rehearse.ts'
import { compiled, door, processesOf } from '../rig.ts'
import { isOver, sweep } from '../sweep.ts'

describe('every scenario ends as it should, in words, and leaves nothing running', { concurrency: 2 }, () => {
  let place = ''
  before(() => {
    place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-scenarios-')))
  })
  after(() => fs.rmSync(place, { recursive: true, force: true }))

  const few = ['fibonacci', 'worker-lies']
  for (const name of sweep(scenarioNames(), name => name, few)) {
    it(name, async test => {
      if (isOver(test)) return
      const { needs, ends } = await readScenario(name)
      if (needs && (await run(needs, ['--version'])).code !== 0) return test.skip(`${needs} is not on this machine`)
      const folder = path.join(place, `${name}.home`) // No name of a folder begins as another does.
      fs.mkdirSync(folder)
      const env = {
        ...variables(['PATH', 'DISPATCH_DEV']),
        HOME: folder,
        TMPDIR: folder,
        NODE_COMPILE_CACHE: compiled,
      }
      const ran = await run('/bin/sh', [door, 'rehearse', name], { env, deadline: 120_000 })
      assert.match(ran.stdout, /^The models in this rehearsal are scripted/)
      assert.equal(ran.code, 0, ran.stdout + ran.stderr)
      assert.ok(ends.some(end => ran.stdout.includes(`ended as "${end}"`)))
      assert.deepEqual(processesOf(folder), [])
    })
  }
})

it('the scenarios have names and titles a person can choose by', async () => {
  const ran = await run('/bin/sh', [door, 'rehearse', '--list'])
  const lines = ran.stdout.trim().split('\n')
  assert.ok(lines.length >= 12)
  for (const line of lines) assert.match(line, /^[a-z-]+ +\S.{20,}$/)
})

it('a scenario that is not there is exit 4, with the names of those that are', async () => {
  const ran = await run('/bin/sh', [door, 'rehearse', 'nonesuch'])
  assert.equal(ran.code, 4)
  assert.match(ran.stderr, /fibonacci/)
})
