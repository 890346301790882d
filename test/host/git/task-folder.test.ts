import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { describeMissingRepository, findTaskRepository } from '#host/git/task-folder.ts'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Call with another current folder, as `dispatch "task"` has it. */
async function findFrom(t: TestContext, folder: string, excluded: string[] = []) {
  const before = process.cwd()
  process.chdir(folder)
  t.after(() => process.chdir(before))
  return findTaskRepository(undefined, excluded).finally(() => process.chdir(before))
}

const isRefusal = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DispatchError)
  assert.equal(error.exitCode, 2)
  assert.match(`${error.message}\n${error.remedy}`, pattern)
  assert.match(error.remedy, /--no-repo/)
  return true
}

test('an empty folder has no repository, and that is fine', async t => {
  const folder = createScratchFolder(t)
  assert.equal(await findFrom(t, folder), null)
  fs.writeFileSync(path.join(folder, '.DS_Store'), '')
  assert.equal(await findFrom(t, folder), null)
})

test('a folder with files is refused, also if they are hidden', async t => {
  for (const name of ['main.c', '.env', 'src/main.c']) {
    const folder = createScratchFolder(t)
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), '')
    await assert.rejects(findFrom(t, folder), isRefusal(/has files, but is no git repository[\s\S]*git init/))
    assert.equal(await findFrom(t, folder, [fs.realpathSync(folder)]), null, 'a folder of dispatch itself')
  }
})

test('a folder above repositories names them', async t => {
  const { path: repository } = await createRepository(t, { 'a.txt': 'a' })
  await assert.rejects(findFrom(t, path.dirname(repository)), isRefusal(/contains some[\s\S]*--repo: r\./))
})

test('a bare repository names its work trees', async t => {
  const { path: user } = await createRepository(t, { 'a.txt': 'a' })
  const top = path.join(createScratchFolder(t), 'project')
  fs.mkdirSync(top)
  const git = (...args: string[]) => runProgram('git', args, { cwd: top })
  await git('clone', '-q', '--bare', user, '.bare')
  fs.writeFileSync(path.join(top, '.git'), 'gitdir: ./.bare\n')
  await assert.rejects(findFrom(t, top), isRefusal(/no files of it are checked out here[\s\S]*Clone it/))
  await git('worktree', 'add', '-q', path.join(top, 'feature'))
  await assert.rejects(findFrom(t, top), isRefusal(/work trees, or name it with --repo: \S.*\/project\/feature/))
  await assert.rejects(findFrom(t, path.join(top, '.bare')), isRefusal(/\/project\/feature/))
  const found = await findFrom(t, path.join(top, 'feature'))
  assert.equal(path.basename(found?.path ?? ''), 'feature')
  assert.equal(await describeMissingRepository(createScratchFolder(t)), undefined)
})

test('a work tree whose repository is elsewhere is refused with where it should be', async t => {
  const { path: repository } = await createRepository(t, { 'a.txt': 'a' })
  const folder = createScratchFolder(t)
  const tree = path.join(folder, 'tree')
  await runProgram('git', ['worktree', 'add', '-q', tree], { cwd: repository })
  fs.mkdirSync(path.join(tree, 'empty'))
  fs.renameSync(repository, `${repository}-moved`)
  t.after(() => fs.rmSync(`${repository}-moved`, { recursive: true, force: true }))
  for (const from of [tree, path.join(tree, 'empty')])
    await assert.rejects(
      findFrom(t, from),
      isRefusal(/r\/\.git\/worktrees\/tree, which does not exist[\s\S]*worktree repair/),
    )
  await assert.rejects(findTaskRepository(tree, []), isRefusal(/worktree repair/))
  // The repository of an earlier attempt was chosen before: `dispatch retry` has no --no-repo.
  await assert.rejects(findTaskRepository(tree, [], true), { exitCode: 2, remedy: /worktree repair(?!.*--no-repo)/ })
})
