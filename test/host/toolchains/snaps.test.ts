import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { findToolchains } from '#host/toolchains'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('the programs of classic snaps are found before the links to snap, which does not run in a sandbox', async t => {
  const home = createScratchFolder(t)
  const snaps = path.join(home, 'snap')
  for (const [name, confinement] of [
    ['go', 'classic'],
    ['chromium', 'strict'],
  ]) {
    for (const folder of ['bin', 'meta']) fs.mkdirSync(path.join(snaps, `${name}/7`, folder), { recursive: true })
    fs.writeFileSync(path.join(snaps, `${name}/7/meta/snap.yaml`), `name: ${name}\nconfinement: ${confinement}\n`)
    fs.symlinkSync('7', path.join(snaps, `${name}/current`))
  }
  const searchPath = `/usr/bin:${snaps}/bin`
  const { variables } = await findToolchains({ untrustedFolders: [], environment: { HOME: home, PATH: searchPath } })
  assert.equal(variables['PATH'], `/usr/bin:${snaps}/go/current/bin:${snaps}/bin`)
})
