/** A session starts wherever dispatch is installed and wherever its home is, as long as the system can name both. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { drainOutbox } from '#notify'
import { helloTask } from '#rehearsal/hello.ts'
import { copyInstall } from '../fixtures/copy.ts'
import { idleScenario, withRig } from '../fixtures/rig.ts'

/** A folder below this one whose path has exactly so many characters. */
function folderOf(length: number, above: string): string {
  let folder = above
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
        const own = copyInstall(folderOf(length, path.join(rig.home, 'install')))
        const HOME = folderOf(length, path.join(rig.home, 'far'))
        const DISPATCH_HOME = path.join(HOME, '.claude-dispatch')
        const env = { ...rig.environment, HOME, DISPATCH_HOME, WEBUI_PORT: '' }
        const dispatch = (...words: string[]) =>
          runProgram('/bin/sh', [own, ...words], { env, cwd: path.join(rig.home, 'elsewhere'), timeoutMs: 100_000 })
        try {
          const ran = await dispatch(helloTask, '--approve', '--json')
          assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
          assert.match(JSON.parse(ran.stdout).page, /^http:/, 'the window of the page has started too')
        } finally {
          await dispatch('stop', '--all')
          await drainOutbox(DISPATCH_HOME, 3000)
        }
      }))
})
