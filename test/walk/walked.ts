import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { runWalk } from './walk.ts'
import { walks } from './walks.ts'

const venv = await runProgram('python3', ['-c', 'import venv, ensurepip'])

describe('from git clone to judged work merged, at a terminal', { concurrency: 2 }, () => {
  for (const [name, { skip }] of Object.entries({
    python: { skip: venv.exitCode !== 0 },
    typescript: { skip: false },
  })) {
    it(`a ${name} project`, { skip }, async () => {
      const wanted = walks[name as keyof typeof walks]
      assert.ok(Object.keys(wanted.files).length >= 48, 'with what its build makes, fifty files')
      const screens = await runWalk(wanted)
      const all = screens.map(({ screen }) => screen).join('\n\n')
      assert.doesNotMatch(all, /internal error|^FAIL |not found|Error:/m, all)
      assert.match(all, /PASS +5 of 5 clauses are met/, all)
      assert.match(all, /ignored +\.claude\/settings\.json/)
      assert.match(screens.at(-1)?.screen ?? '', /angle III\narea III\ncharge III/, all)
      if (wanted.approve) assert.match(all, /approve/)
      else assert.match(all, /FAIL, to be fixed/)
    })
  }
})
