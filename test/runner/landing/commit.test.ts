import assert from 'node:assert/strict'
import { test } from 'node:test'
import { git } from '#host/git'
import { createCommit } from '#runner/landing/commit.ts'
import { prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'

test('a name of a worker that git would not take does not keep the work from landing', async t => {
  const context = createTestContext(t)
  const { path: checkout } = await createRepository(t, { a: 'a' })
  for (const [name, value] of Object.entries({ 'user.name': 'Ada', 'user.email': 'ada@example.org' }))
    await git(['config', name, value], { cwd: checkout })
  const { bareRepository } = context.session.paths
  const { tree } = await prepareRepository(context.session.paths, 'work', undefined)
  const createBy = async (name: string, email: string) => {
    const authorship = { checkout, author: 'worker' as const, isAtTerminal: false, secrets: [] }
    const commit = await createCommit(context, authorship, {
      ...{ tree, parents: [], message: 'x', author: { name, email } },
    })
    return git(['--git-dir', bareRepository, 'log', '-1', '--format=%an <%ae> %cn', commit])
  }
  assert.equal(await createBy('W. Worker', 'w@x'), 'W. Worker <w@x> Ada')
  for (const [name, email] of [
    ['.', 'w@x'],
    ['<>', 'w@x'],
    ["',;", 'w@x'],
    ['W', '<.>'],
  ] as const)
    assert.equal(await createBy(name, email), 'Claude Dispatch worker <worker@localhost> Ada')
})
