import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { walks } from './list.ts'
import { recordWalk } from './record-walk.ts'

const pythonVenv = await runProgram('python3', ['-c', 'import venv, ensurepip'])

describe('from git clone to merged work, in a terminal', { concurrency: 2 }, () => {
  for (const [name, { skip }] of Object.entries({
    python: { skip: pythonVenv.exitCode !== 0 },
    typescript: { skip: false },
  })) {
    it(`a ${name} project`, { skip }, async () => {
      const walk = walks[name as keyof typeof walks]
      assert.ok(Object.keys(walk.files).length >= 48, 'fifty files, with those of its build')
      const steps = await recordWalk(walk)
      const all = steps.map(({ screen }) => screen).join('\n\n')
      assert.doesNotMatch(all, /internal error|^FAIL |not found|Error:/m, all)
      assert.match(all, /PASS +5 of 5 clauses/, all)
      assert.match(all, /\.claude\/settings\.json/)
      assert.match(steps.at(-1)?.screen ?? '', /angle III\narea III\ncharge III/, all)
      if (walk.approve) assert.match(all, /approve/)
      else assert.match(all, /FAIL, to be fixed/)
    })
  }
})
