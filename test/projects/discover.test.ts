import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { discoverRepositories, findTarget } from '#projects'
import { createRepository } from '../fixtures/host/repository.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('repositories with the folder are found, and links are not followed', t => {
  const top = createScratchFolder(t)
  const make = (...folders: string[]) => {
    for (const folder of folders) fs.mkdirSync(path.join(top, folder), { recursive: true })
  }
  make('a/.git', 'a/.agent-queue/inbox', 'b/.git', 'deep/er/c/.git', 'deep/er/c/.agent-queue/inbox')
  make('a/inner/.git', 'a/inner/.agent-queue/inbox', 'plain/.agent-queue/inbox', 'd/.git', 'e')
  make('.hidden/x/.git', '.hidden/x/.agent-queue/inbox', 'node_modules/y/.git', 'node_modules/y/.agent-queue/inbox')
  make('1/2/3/4/5/6/.git', '1/2/3/4/5/6/.agent-queue/inbox')
  fs.symlinkSync(path.join(top, 'a/.agent-queue'), path.join(top, 'd/.agent-queue'))
  fs.symlinkSync(path.join(top, 'deep'), path.join(top, 'e/link'))
  const found = discoverRepositories(top, '.agent-queue/inbox')
  assert.deepEqual(
    found.map(folder => path.relative(top, folder)),
    ['a', 'deep/er/c'],
  )
  assert.deepEqual(discoverRepositories(path.join(top, 'gone'), '.agent-queue/inbox'), [])
})

test('the target is the main branch of the remote, or else the current branch', async t => {
  const { path: repository } = await createRepository(t, { a: '1' })
  const git = async (...args: string[]) => {
    const ran = await runProgram('git', args, { cwd: repository })
    assert.equal(ran.exitCode, 0, ran.stderr)
  }
  await git('checkout', '-q', '-b', 'work')
  assert.deepEqual(await findTarget(repository), { remote: null, targetBranch: 'work' })
  await git('remote', 'add', 'up', '/nowhere')
  assert.deepEqual(await findTarget(repository), { remote: 'up', targetBranch: 'work' })
  await git('remote', 'add', 'origin', '/nowhere')
  await git('update-ref', 'refs/remotes/origin/trunk', 'HEAD')
  await git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk')
  assert.deepEqual(await findTarget(repository), { remote: 'origin', targetBranch: 'trunk' })
  await git('checkout', '-q', '--detach')
  await git('remote', 'remove', 'origin')
  assert.deepEqual(await findTarget(repository), { remote: 'up', targetBranch: null })
})
