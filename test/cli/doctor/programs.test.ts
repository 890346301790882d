import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPrograms } from '#cli/doctor/programs.ts'
import { putFirstOnPath, writeOldGit } from '../../fixtures/old-git.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a git that is too old to land is worth knowing, and keeps no session from starting', async t => {
  const home = createScratchFolder(t)
  const find = async () => (await checkPrograms(home)).filter(({ name }) => name === 'git' || name === 'landing')
  assert.deepEqual(
    (await find()).map(({ name, state }) => `${name} ${state}`),
    ['git ok'],
  )
  putFirstOnPath(t, writeOldGit(home, '2.34.1'))
  const [git, landing] = await find()
  assert.equal(git?.state, 'ok')
  assert.equal(landing?.state, 'warn')
  assert.match(landing?.message ?? '', /git 2\.34\.1 .* needs 2\.38/)
  assert.match(landing?.fix?.linux ?? '', /git-core/)
})
