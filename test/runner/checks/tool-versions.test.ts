import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { noToolchains } from '#host/toolchains'
import { readToolVersions } from '#runner/checks/tool-versions.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('programs tell their version in an empty home of their own, which is removed', async t => {
  const folder = createScratchFolder(t)
  const script = '#!/bin/sh\nls -A "$HOME"; pwd >"$HOME/x"; echo "$HOME $1"\n'
  fs.writeFileSync(path.join(folder, 'jq'), script, { mode: 0o755 })
  const variables = { PATH: `${folder}:/usr/bin:/bin` }
  const { jq = '' } = await readToolVersions('jq . x.json', { ...noToolchains, variables })
  const home = jq.replace(/ --version$/, '')
  assert.ok(home.startsWith(path.join(os.tmpdir(), 'dispatch-home-')), jq)
  assert.ok(!fs.existsSync(home))
})
