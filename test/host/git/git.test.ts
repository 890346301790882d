import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { filterTrackedPaths, findRepository, git, tryGit } from '#host/git'
import { buildGitEnvironment, listIgnoredFiles, listTreeEntries, readBlob } from '#host/git/git.ts'
import { listUncommitted } from '#host/git/uncommitted.ts'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('tryGit returns a failure, git throws it with the subcommand', async t => {
  const cwd = createScratchFolder(t)
  assert.notEqual((await tryGit(['-c', 'a.b=c', 'rev-parse', 'HEAD'], { cwd })).exitCode, 0)
  await assert.rejects(git(['-c', 'a.b=c', 'rev-parse', 'HEAD'], { cwd }), /git rev-parse failed in .*: /)
})

test('a repository is found from a folder in it', async t => {
  const repository = await createRepository(t, { 'a/b.txt': 'b' })
  const top = fs.realpathSync(repository.path)
  fs.writeFileSync(path.join(top, 'new.txt'), '')
  const branch = await git(['branch', '--show-current'], { cwd: top })
  const expected = { path: top, commit: repository.commit, branch, uncommittedFiles: 1 }
  assert.deepEqual(await findRepository(top, []), expected)
  assert.deepEqual(await findRepository(path.join(top, 'a'), []), { ...expected, subfolder: 'a' })
  assert.deepEqual(await listUncommitted(top), ['?? new.txt'])
  await git(['switch', '--quiet', '--create', 'a/ü'], { cwd: top })
  assert.equal((await findRepository(top, []))?.branch, 'a/ü')
  await git(['switch', '--quiet', '--detach'], { cwd: top })
  assert.equal((await findRepository(top, []))?.branch, null)
})

test('a folder without a repository, or without a commit, is exit 2', async t => {
  const folder = createScratchFolder(t)
  const isUsageError = (error: unknown) => error instanceof DispatchError && error.exitCode === 2
  await assert.rejects(findRepository(folder, []), isUsageError)
  await git(['init', '-q'], { cwd: folder })
  await assert.rejects(findRepository(folder, []), isUsageError)
})

test('files of a commit are listed and read, links by their target', async t => {
  const repository = await createRepository(t, { 'a/b.txt': 'b', link: '-> a/b.txt' })
  assert.deepEqual(await listTreeEntries(repository), [
    { path: 'a/b.txt', mode: '100644' },
    { path: 'link', mode: '120000' },
  ])
  assert.equal(await readBlob(repository, 'link'), 'a/b.txt')
})

test('tracked and ignored files of a checkout are told apart', async t => {
  const { path: folder } = await createRepository(t, { '.gitignore': '*.log\nbuild/\n', 'a.txt': 'a' })
  fs.writeFileSync(path.join(folder, 'x.log'), '')
  fs.mkdirSync(path.join(folder, 'build'))
  fs.writeFileSync(path.join(folder, 'build/out'), '')
  assert.deepEqual(await listIgnoredFiles(folder), ['build/', 'x.log'])
  assert.deepEqual(await filterTrackedPaths(folder, ['a.txt', 'x.log']), ['a.txt'])
})

test('a repository of dispatch has the formats of the user, whatever git or the environment has as a default', async t => {
  const cwd = createScratchFolder(t)
  const { GIT_DEFAULT_HASH: hash, GIT_DEFAULT_REF_FORMAT: refs } = buildGitEnvironment()
  assert.deepEqual([hash, refs], ['sha1', 'files'])
  process.env['GIT_DEFAULT_HASH'] = 'sha256'
  t.after(() => delete process.env['GIT_DEFAULT_HASH'])
  await git(['init', '--quiet', '--bare', 'x.git'], { cwd })
  assert.equal(await git(['--git-dir', 'x.git', 'rev-parse', '--show-object-format'], { cwd }), 'sha1')
})
