import assert from 'node:assert/strict'
import { test } from 'node:test'
import { git } from '#host/git'
import { refuseMissingContent } from '#runner/landing/refusals.ts'
import { prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 3\n`

test('a large file that only the branch has keeps the work from being blamed, and its command is told', async t => {
  const context = createTestContext(t)
  const { path: checkout } = await createRepository(t, { a: 'a' })
  const { bareRepository } = context.session.paths
  const base = await prepareRepository(context.session.paths, 'work', undefined)
  const run = (args: string[], input = '') => git(['--git-dir', bareRepository, ...args], { input })
  const files = { '.gitattributes': '*.bin filter=lfs\n', 'asset.bin': pointer }
  const lines: string[] = []
  for (const [name, content] of Object.entries(files))
    lines.push(`100644 blob ${await run(['hash-object', '-w', '--stdin'], content)}\t${name}\n`)
  const tree = await run(['mktree'], lines.join(''))
  const head = { commit: await run(['commit-tree', tree, '-m', 'x']), tree }
  const request = { branch: 'main', checkout, transport: { remote: 'origin' } }
  await assert.rejects(refuseMissingContent(context, request, base.commit, head), {
    exitCode: 5,
    message: /main has what is not on this machine, .*asset\.bin/,
    remedy: /git -C .* lfs fetch origin main/,
  })
  await refuseMissingContent(context, request, head.commit, head)
})
