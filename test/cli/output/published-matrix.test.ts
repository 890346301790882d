import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readPublishedMatrix } from '#cli/output/published-matrix.ts'
import { readView } from '#session/status'
import { buildConfig } from '../../fixtures/notify-home.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createFullSession } from '../../fixtures/web-sessions.ts'

test('a published matrix has no value of the ignored files that the session was given', async t => {
  const config = buildConfig(createScratchFolder(t))
  const session = await createFullSession(config.workspace)
  const read = async () => JSON.stringify(await readPublishedMatrix(config, await readView(session)))
  const words = 'Never print the password'
  assert.ok((await read()).includes(words))
  fs.mkdirSync(session.paths.ignoredFiles)
  fs.writeFileSync(path.join(session.paths.ignoredFiles, '.env'), `PASSPHRASE="${words}"\n`)
  assert.ok(!(await read()).includes(words))
})
