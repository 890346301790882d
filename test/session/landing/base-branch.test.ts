import assert from 'node:assert/strict'
import { test } from 'node:test'
import { git } from '#host/git'
import { readBaseBranch } from '#session/landing'
import { prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createTestSession } from '../../fixtures/new-session.ts'

test('a session is for the branch at its start, wherever the checkout is when the repository is copied', async t => {
  const { path, commit } = await createRepository(t, { a: 'a' })
  const branch = await git(['branch', '--show-current'], { cwd: path })
  await git(['switch', '--quiet', '--create', 'feature'], { cwd: path })
  const session = createTestSession(t, { repository: { path, commit, branch, uncommittedFiles: 0 } })
  assert.equal(await readBaseBranch(session), branch, 'also before it is copied')
  await prepareRepository(session.paths, 'work', path, commit, { baseBranch: branch })
  const shown = await git(['branch', '--format=%(refname:lstrip=2)'], { cwd: session.paths.outputs })
  assert.deepEqual(shown.split('\n').toSorted(), [branch, 'work'].toSorted())

  const older = createTestSession(t, { repository: { path, commit, uncommittedFiles: 0 } })
  assert.equal(await readBaseBranch(older), null)
  await prepareRepository(older.paths, 'work', path, commit, { baseBranch: branch })
  assert.equal(await readBaseBranch(older), branch, 'an older session has it in its repository only')

  const none = createTestSession(t, { repository: { path, commit, branch: null, uncommittedFiles: 0 } })
  await prepareRepository(none.paths, 'work', path, commit)
  assert.equal(await readBaseBranch(none), null)
})
