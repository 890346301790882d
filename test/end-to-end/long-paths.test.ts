/** A session starts from an install folder and a home with very long paths. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { drainOutbox } from '#notify'
import { helloTask } from '#rehearsal/hello.ts'
import { findRunningServer } from '#webui'
import { copyInstall } from '../fixtures/copy-install.ts'
import { idleScenario, withRig } from '../fixtures/rig.ts'
import { HANG_MS, waitUntil } from '../fixtures/scratch.ts'

/** Make a folder below `parent` whose path is exactly `length` characters long. */
function makeLongFolder(length: number, parent: string): string {
  let folder = parent
  while (length - folder.length > 201) folder = path.join(folder, 'x'.repeat(100))
  folder = path.join(folder, 'y'.repeat(length - folder.length - 1))
  fs.mkdirSync(folder, { recursive: true })
  assert.equal(folder.length, length)
  return folder
}

describe('a session starts', { concurrency: 2 }, () => {
  for (const length of [1000, 3500])
    it(`from an install and a home of ${length} characters`, () =>
      withRig(idleScenario, async rig => {
        const entry = copyInstall(makeLongFolder(length, path.join(rig.home, 'install')))
        const HOME = makeLongFolder(length, path.join(rig.home, 'far'))
        const DISPATCH_HOME = path.join(HOME, '.claude-dispatch')
        const env = { ...rig.environment, HOME, DISPATCH_HOME, WEBUI_PORT: '' }
        const dispatch = (...args: string[]) =>
          runProgram('/bin/sh', [entry, ...args], { env, cwd: path.join(rig.home, 'elsewhere'), timeoutMs: HANG_MS })
        try {
          const ran = await dispatch(helloTask, '--approve', '--json')
          assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
          await waitUntil(() => findRunningServer(DISPATCH_HOME), 'the page has started too')
        } finally {
          await dispatch('stop', '--all')
          await drainOutbox(DISPATCH_HOME, 3000)
        }
      }))
})
