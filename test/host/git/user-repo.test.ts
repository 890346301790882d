import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  createBranch,
  fetchCommit,
  findCheckout,
  findWorktree,
  git,
  isBranchName,
  isReachable,
  measureDivergence,
  resolveCommit,
  resolveTree,
} from '#host/git'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Commit these files in a repository, and return the commit. */
async function commitFiles(folder: string, files: Record<string, string>): Promise<string> {
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
  await git(['add', '-A'], { cwd: folder })
  await git(['commit', '-q', '-m', 'more'], { cwd: folder })
  return git(['rev-parse', 'HEAD'], { cwd: folder })
}

/** A user's repository, and a clone with one commit on top of its base. */
async function createClone(t: TestContext, files: Record<string, string>) {
  const user = await createRepository(t, { 'a.txt': 'a', 'b.txt': 'b' })
  const clone = path.join(createScratchFolder(t), 'clone')
  await git(['clone', '-q', user.path, clone], { cwd: path.dirname(clone) })
  return { user, clone, base: user.commit, commit: await commitFiles(clone, files) }
}

test('a commit is fetched as objects only, and becomes reachable by a branch', async t => {
  const { user, clone, commit } = await createClone(t, { 'a.txt': 'changed' })
  assert.equal(await resolveCommit(user.path, commit), undefined)
  await fetchCommit(clone, commit, user.path)
  assert.equal(await resolveCommit(user.path, commit), commit)
  assert.match((await resolveTree(user.path, commit)) ?? '', /^[0-9a-f]{40}$/)
  assert.equal(await isReachable(user.path, commit), false)
  assert.equal(await createBranch(user.path, 'work', commit), undefined)
  assert.equal(await isReachable(user.path, commit), true)
  assert.match((await createBranch(user.path, 'work', commit)) ?? '', /already exists|cannot lock/)
})

test('a checkout reports its branch, and no branch when its HEAD is detached', async t => {
  const { path: folder, commit } = await createRepository(t, { 'a/b.txt': 'b' })
  await git(['checkout', '-q', '-b', 'topic/x'], { cwd: folder })
  const checkout = await findCheckout(path.join(folder, 'a'))
  assert.deepEqual([checkout?.branch, checkout?.head], ['topic/x', commit])
  assert.equal(await findWorktree(folder, 'topic/x'), checkout?.path)
  await git(['checkout', '-q', '--detach'], { cwd: folder })
  assert.equal((await findCheckout(folder))?.branch, null)
  assert.equal(await findCheckout(createScratchFolder(t)), undefined)
})

test('a branch name follows the rules of git', async () => {
  for (const name of ['work', 'a/b', 'dispatch/2026-11-20-x']) assert.ok(await isBranchName(name), name)
  for (const name of ['', 'a b', '-x', 'a..b', 'a.lock', 'a\nb']) assert.ok(!(await isBranchName(name)), name)
})

test('the divergence names files that both sides changed, and uncommitted ones', async t => {
  const { user, clone, base, commit } = await createClone(t, { 'a.txt': 'theirs', 'b.txt': 'theirs' })
  await fetchCommit(clone, commit, user.path)
  await commitFiles(user.path, { 'a.txt': 'mine', 'c.txt': 'c' })
  fs.writeFileSync(path.join(user.path, 'b.txt'), 'not committed')
  const checkout = (await findCheckout(user.path)) ?? assert.fail()
  assert.deepEqual(await measureDivergence(checkout, commit, base), {
    commitsAhead: 1,
    hasCommonAncestor: true,
    isMerged: false,
    containsBase: true,
    changedOnBothSides: ['a.txt'],
    uncommittedFiles: ['b.txt'],
  })
})

test('a commit that HEAD contains is merged', async t => {
  const { user, clone, base, commit } = await createClone(t, { 'a.txt': 'changed' })
  await fetchCommit(clone, commit, user.path)
  await git(['reset', '-q', '--hard', commit], { cwd: user.path })
  const checkout = (await findCheckout(user.path)) ?? assert.fail()
  const divergence = await measureDivergence(checkout, commit, base)
  assert.deepEqual([divergence.isMerged, divergence.commitsAhead], [true, 0])
})
