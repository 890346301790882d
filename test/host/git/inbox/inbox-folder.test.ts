import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { excludePattern, isGitAtWork } from '#host/git/inbox'
import { createRepository } from '../../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../../fixtures/scratch.ts'

test('a pattern is excluded once, in a checkout, a linked work tree and a submodule', async t => {
  const { path: main } = await createRepository(t, { a: '1' })
  const git = async (cwd: string, ...args: string[]) => {
    const ran = await runProgram('git', ['-c', 'protocol.file.allow=always', ...args], { cwd })
    assert.equal(ran.exitCode, 0, ran.stderr)
    return ran.stdout
  }
  const linked = path.join(createScratchFolder(t), 'linked')
  await git(main, 'worktree', 'add', '-q', linked)
  const { path: outer } = await createRepository(t, { b: '1' })
  await git(outer, 'submodule', '--quiet', 'add', main, 'sub')
  const exclude = path.join(main, '.git/info/exclude')
  fs.mkdirSync(path.dirname(exclude), { recursive: true })
  fs.writeFileSync(exclude, '*.o') // No newline at its end.
  assert.ok(await excludePattern(main, '/.agent-queue/'))
  assert.ok(!(await excludePattern(main, '/.agent-queue/')))
  assert.equal(fs.readFileSync(exclude, 'utf8'), '*.o\n/.agent-queue/\n')
  assert.ok(!(await excludePattern(linked, '/.agent-queue/')), 'work trees share that file')
  assert.ok(await excludePattern(path.join(outer, 'sub'), '/.agent-queue/'))
  for (const folder of [main, linked, path.join(outer, 'sub')]) {
    fs.mkdirSync(path.join(folder, '.agent-queue'))
    fs.writeFileSync(path.join(folder, '.agent-queue/a.md'), 'x')
    assert.doesNotMatch(await git(folder, 'status', '--porcelain'), /agent-queue/, folder)
  }
})

test('git is at work while it locks the index of this work tree', async t => {
  const { path: repository } = await createRepository(t, { a: '1' })
  assert.ok(!(await isGitAtWork(repository)))
  fs.writeFileSync(path.join(repository, '.git/index.lock'), '')
  assert.ok(await isGitAtWork(repository))
})
