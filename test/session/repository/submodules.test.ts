import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { findRepoWarnings } from '#host/git'
import { Project } from '#host/project/schema.ts'
import { findSubmodules } from '#host/submodules'
import { isModuleName } from '#host/submodules/submodules.ts'
import { listSharedPaths } from '#runner/dependencies/made-paths.ts'
import type { Session } from '#session'
import { appendEvent } from '#session/log'
import { resolveSessionPaths } from '#session/paths.ts'
import { findUnsavedWork } from '#session/removal'
import {
  exportRepository,
  importWork,
  listAllFiles,
  listDifferences,
  listMovedSubmodules,
  listSubmoduleChanges,
  prepareRepository,
} from '#session/repository'
import { listSubmoduleCommits } from '#session/repository/submodules.ts'
import { blankManifest } from '../../fixtures/blank-manifest.ts'
import '../../fixtures/plain-git.ts'

async function run(cwd: string, command: string): Promise<string> {
  const identity = ['AUTHOR', 'COMMITTER'].flatMap(who => [
    [`GIT_${who}_NAME`, 'u'],
    [`GIT_${who}_EMAIL`, 'u@localhost'],
  ])
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'file',
    ...Object.fromEntries(identity),
  }
  const result = await runProgram('/bin/sh', ['-ec', command], { cwd, env })
  assert.equal(result.exitCode, 0, `${command}: ${result.stderr}`)
  return result.stdout.trim()
}

const createRepository = (file: string, text: string) =>
  `git init -q -b main .; echo '${text}' >${file}; git add .; git commit -qm one`

/** A repository `user` with the submodule `lib`, which has the submodule `deep/inner`. */
async function createUserRepository(): Promise<{ scratch: string; user: string }> {
  const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-submodules-')))
  after(() => fs.rmSync(scratch, { recursive: true, force: true }))
  for (const name of ['inner', 'lib', 'user']) fs.mkdirSync(path.join(scratch, name))
  const folders = Object.fromEntries(['inner', 'lib', 'user'].map(name => [name, path.join(scratch, name)]))
  const { inner = '', lib = '', user = '' } = folders
  await run(inner, createRepository('i.txt', 'inner'))
  await run(
    lib,
    `${createRepository('lib.mk', 'X = 1')}; git submodule --quiet add ../inner deep/inner; git commit -qm two`,
  )
  await run(
    user,
    `${createRepository('Makefile', 'include lib/lib.mk')}; git submodule --quiet add ../lib lib; git commit -qm two`,
  )
  await run(user, 'git submodule --quiet update --init --recursive')
  return { scratch, user }
}

const { scratch, user } = await createUserRepository()
const paths = resolveSessionPaths(path.join(scratch, '2026-01-01-a-abcd'))
fs.mkdirSync(paths.evidence, { recursive: true })
const base = await prepareRepository(paths, 'dispatch/x', user)
const findWarning = async () => (await findRepoWarnings({ path: user, commit: 'HEAD' })).join()

test('submodules come from .git/modules into outputs/ and into checks, and git has nothing to fetch', async () => {
  assert.equal(await findWarning(), '')
  const tree = path.join(scratch, 'tree')
  fs.mkdirSync(tree)
  await exportRepository(paths, base, tree, [])
  for (const folder of [tree, paths.outputs]) {
    assert.equal(await run(folder, 'cat lib/lib.mk lib/deep/inner/i.txt'), 'X = 1\ninner')
    assert.equal(await run(folder, 'git status --porcelain; git submodule update --init'), '')
    assert.match(
      await run(folder, 'git submodule status --recursive'),
      /^\S{40} lib \(.+\)\n \S{40} lib\/deep\/inner \(.+\)$/,
    )
  }
  assert.deepEqual(await listDifferences(paths, base.commit), [])
  assert.deepEqual(await listSubmoduleChanges(paths, base.commit), [])

  // What a setup installs in a submodule is kept, as what it installs at the top.
  const made = ['lib/deep/inner/.venv', 'lib/node_modules', 'node_modules']
  for (const folder of made) fs.mkdirSync(path.join(tree, folder))
  assert.deepEqual(listSharedPaths(tree, await listAllFiles(paths, base.commit), Project.parse({})), made)
})

test('what changes inside a submodule is named, and a link in its place is not followed', async () => {
  await run(paths.outputs, 'echo X = 2 >lib/lib.mk; echo new >lib/deep/inner/new.c; cd lib; git commit -qam x')
  assert.deepEqual(await listSubmoduleChanges(paths, base.commit), [
    { path: 'lib/lib.mk', isNew: false, isIgnored: false },
    { path: 'lib/deep/inner/new.c', isNew: true, isIgnored: false },
  ])
  assert.deepEqual(await listSubmoduleCommits(paths, base.commit), ['lib'])
  await run(paths.outputs, 'git add lib; git commit -qm moved')
  assert.deepEqual(await listMovedSubmodules(paths, base.commit, (await importWork(paths)).commit), [
    { path: 'lib', recorded: await run(paths.outputs, 'git rev-parse HEAD~1:lib') },
  ])
  await run(paths.outputs, 'git reset -q --hard HEAD~1; git submodule --quiet update --force --recursive')
  await run(paths.outputs, 'git submodule --quiet foreach --recursive git clean -fdq')
  assert.deepEqual(await listSubmoduleChanges(paths, base.commit), [], 'what the refusal proposes undoes it')
  assert.deepEqual(await listSubmoduleCommits(paths, base.commit), [])
  await run(
    paths.outputs,
    'cd lib/deep/inner; git branch wip $(git commit-tree -m wip HEAD^{tree}); git pack-refs --all',
  )
  assert.deepEqual(await listSubmoduleCommits(paths, base.commit), ['lib/deep/inner'])
  await run(paths.outputs, 'git -C lib/deep/inner branch -qD wip')
  fs.rmSync(path.join(paths.outputs, 'lib'), { recursive: true })
  fs.symlinkSync('/etc', path.join(paths.outputs, 'lib'))
  assert.deepEqual(await listSubmoduleChanges(paths, base.commit), [])
})

test('rm knows what is inside a submodule, whichever repositories have the work', async () => {
  const session: Session = { id: 'x', paths, manifest: blankManifest }
  appendEvent(paths.events, { type: 'base.prepared', ...base }, 0, new Date())
  fs.rmSync(path.join(paths.outputs, 'lib'))
  await run(paths.outputs, 'git checkout -q lib; git submodule --quiet update --force --recursive')
  const findUnsaved = async () => (await findUnsavedWork(session, [user]))?.description
  assert.equal(await findUnsaved(), undefined)
  await run(paths.outputs, 'echo X = 3 >lib/lib.mk')
  assert.match((await findUnsaved()) ?? '', /inside a submodule of outputs\/: lib\/lib\.mk$/)
  await run(paths.outputs, 'cd lib; git checkout -q lib.mk; git checkout -qb own; git commit -qm own --allow-empty')
  assert.match((await findUnsaved()) ?? '', /inside a submodule of outputs\/: lib$/)
})

test('a submodule of a linked work tree has its objects there, and one that is not here is left empty', async () => {
  await run(user, 'git worktree add -q ../linked; mv .git/modules .git/worktrees/linked/; rm -r lib')
  const linked = await findSubmodules({ path: path.join(scratch, 'linked'), commit: 'HEAD' })
  assert.deepEqual(
    linked.map(({ path: file, gitFolder = '' }) => [file, path.relative(user, gitFolder)]),
    [
      ['lib', '.git/worktrees/linked/modules/lib'],
      ['lib/deep/inner', '.git/worktrees/linked/modules/lib/modules/deep/inner'],
    ],
  )
  await run(user, 'mv .git/worktrees/linked/modules .git/; mv .git/modules/lib/modules ../inner-modules')
  assert.match(
    await findWarning(),
    /^1 submodule is not here and left empty: lib\/deep\/inner; .*git submodule update --init/,
  )
  await prepareRepository(paths, 'dispatch/x', user)
  assert.deepEqual(fs.readdirSync(path.join(paths.outputs, 'lib')), ['.git', '.gitmodules', 'deep', 'lib.mk'])
  assert.deepEqual(fs.readdirSync(path.join(paths.outputs, 'lib/deep/inner')), [])
})

test('a submodule whose name or folder leads out of .git/modules is not read', async () => {
  for (const name of ['', '..', '../x', 'a/../../x', '/x', '-x', 'a/.git/hooks', 'a\nb', 'a\\b', 'x'.repeat(256)])
    assert.equal(isModuleName(name), false, JSON.stringify(name))
  for (const name of ['lib', 'third_party/a b', 'vendor/é.git', 'a..b']) assert.equal(isModuleName(name), true, name)

  await run(user, 'mv .git/modules/lib ../elsewhere')
  const isMissing = async () => /^1 submodule is not here and left empty: lib;/.test(await findWarning())
  assert.equal(await isMissing(), true)
  fs.symlinkSync(path.join(scratch, 'elsewhere'), path.join(user, '.git/modules/lib'))
  assert.equal(await isMissing(), true, 'behind a link')
  await run(user, `sed -i.old 's/"lib"/"..\\/..\\/elsewhere"/' .gitmodules; git add .gitmodules; git commit -qm x`)
  assert.match(await run(user, 'git show HEAD:.gitmodules'), /submodule "\.\.\/\.\.\/elsewhere"/)
  assert.equal(await isMissing(), true, 'behind a name')
})
