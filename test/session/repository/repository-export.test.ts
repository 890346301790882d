import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { detectSandbox } from '#host/sandbox'
import { runProjectCommand } from '#runner/project-command.ts'
import { resolveSessionPaths } from '#session/paths.ts'
import { exportRepository, importWork, listDifferences, prepareRepository } from '#session/repository'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import '../../fixtures/plain-git.ts'

const sandbox = await detectSandbox()
const kind = 'kind' in sandbox ? sandbox.kind : null

async function run(cwd: string, command: string): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const result = await runProgram('/bin/sh', ['-ec', command], { cwd, env })
  assert.equal(result.exitCode, 0, `${command}: ${result.stderr}`)
  return result.stdout.trim()
}

test('a check runs in a repository with the tags and the history of the base, and nothing of an agent but the tree', async t => {
  const scratch = createScratchFolder(t)
  const user = path.join(scratch, 'user')
  fs.mkdirSync(user)
  const identity = 'git config user.name u; git config user.email u@localhost'
  await run(user, `git init -q -b trunk; ${identity}; echo 1 >a; git add a; git commit -qm one; git tag -am x v1.2.0`)
  await run(user, 'git commit -q --allow-empty -m two; git checkout -qb far; git commit -q --allow-empty -m far')
  await run(user, 'git tag far-tag; git checkout -q trunk; git config core.hooksPath hooks')
  const paths = resolveSessionPaths(path.join(scratch, '2026-01-01-a-abcd'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  const base = await prepareRepository(paths, 'dispatch/2026-01-01-a-abcd', user, 'HEAD', { baseBranch: 'trunk' })
  const { outputs } = paths
  assert.equal(
    await run(outputs, 'git tag; git branch --format "%(refname:short)"'),
    'v1.2.0\ndispatch/2026-01-01-a-abcd\ntrunk',
  )
  await run(outputs, 'echo planted >secret; git add secret; git commit -qm "an earlier version"; git rm -q secret')
  const planted = await run(outputs, 'git rev-parse HEAD:secret')
  await run(outputs, 'git config user.name evil; echo 2 >a; echo n >new; git add -A; git commit -qm words; git tag v9')
  const head = await importWork(paths)

  const exportTo = async (name: string, commit: typeof base) => {
    const folder = path.join(scratch, name, 'tree')
    fs.mkdirSync(folder, { recursive: true })
    const history = await exportRepository(paths, commit, folder, ['dependencies'])
    fs.mkdirSync(path.join(folder, 'dependencies'))
    fs.writeFileSync(path.join(folder, 'dependencies/x'), 'installed')
    return { folder, history }
  }
  const first = await exportTo('base', base)
  assert.equal(
    await run(first.folder, 'git status --porcelain; git rev-parse HEAD; git describe'),
    `${base.commit}\nv1.2.0-1-g${base.commit.slice(0, 7)}`,
  )
  const { folder, history } = await exportTo('head', head)
  const again = await exportTo('again', head)
  const command = [
    'git status --porcelain',
    'git describe --tags --dirty | cut -d- -f1-2',
    'git rev-parse "HEAD^{tree}"',
    'git log --format="%an %s"',
    'git ls-files',
    'git branch --format="%(refname:short)"',
    'git tag; git remote; git config user.name',
    'git merge-base trunk HEAD',
    `git fsck --no-dangling 2>&1`,
    `if touch "${history[0]}/x" 2>/dev/null; then echo written; fi`,
  ].join('; ')
  const expected = [
    'v1.2.0-2', head.tree, 'Claude Dispatch The judged tree', 'u two', 'u one', 'a', 'new',
    'dispatch/2026-01-01-a-abcd', 'trunk', 'v1.2.0', 'Claude Dispatch', base.commit,
  ] // biome-ignore format: one line each would be long
  const home = path.join(scratch, 'head/home')
  fs.mkdirSync(home)
  const result = await runProjectCommand(kind, {
    role: 'check',
    command: kind === null ? command.replace(/; if touch.*/, '') : command,
    folder,
    home,
    environment: { PATH: process.env['PATH'] ?? '', HOME: home },
    readablePaths: history,
    hosts: [],
    timeoutSeconds: 60,
    maxOutputBytes: 1 << 20,
  })
  assert.equal(result.exitCode, 0, `${result.stdout}${result.stderr}${result.startError}`)
  assert.deepEqual(result.stdout.trim().split('\n'), expected)
  assert.equal(
    await run(again.folder, 'git rev-parse HEAD'),
    await run(folder, 'git rev-parse HEAD'),
    'one tree, one repository',
  )
  await assert.rejects(run(folder, `git cat-file -e ${planted}`), 'an earlier version of an agent is not there')
})

test('files that are not normalized are as the commit has them, and no one has changed them', async t => {
  const scratch = createScratchFolder(t)
  const user = path.join(scratch, 'user')
  fs.mkdirSync(user)
  await run(user, 'git init -q -b trunk; git config user.name u; git config user.email u@localhost')
  const lines = 'echo 1\r\necho 2\r\n'
  const odd = 'odd [1] "q"*?.bat'
  const files = {
    'gradlew.bat': lines,
    [odd]: lines,
    'mixed.bat': 'a\r\nb\n',
    'id.c': '/* $Id: 1234 $ */\n',
    clean: 'a\n',
  }
  for (const [name, text] of Object.entries({ ...files, auto: lines })) fs.writeFileSync(path.join(user, name), text)
  await run(user, 'mkdir gen; echo a > gen/a.txt; echo gen > .gitignore; git add -A -f; git commit -qm one')
  const attributes = '*.bat text eol=crlf\n*.c ident\nclean text=\nauto text=auto\n'
  fs.writeFileSync(path.join(user, '.gitattributes'), attributes)
  await run(user, 'git add .gitattributes; git commit -qm two')
  const paths = resolveSessionPaths(path.join(scratch, '2026-01-01-a-abcd'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  const base = await prepareRepository(paths, 'dispatch/2026-01-01-a-abcd', user)
  const { outputs } = paths

  // As a worker commits: into an index that has seen no file yet.
  const stage = 'rm .git/index; git read-tree HEAD; git add -A'
  assert.equal(await run(outputs, `${stage}; git status --porcelain`), '')
  assert.deepEqual(await listDifferences(paths, base.commit), [])
  fs.writeFileSync(path.join(outputs, 'gradlew.bat'), `${lines}echo 3\r\n`)
  fs.chmodSync(path.join(outputs, 'id.c'), 0o755)
  assert.deepEqual((await listDifferences(paths, base.commit)).sort(), ['gradlew.bat', 'id.c'])
  await run(outputs, `${stage}; git commit -qm work`)
  assert.equal(await run(outputs, 'git diff --numstat HEAD~'), '1\t0\tgradlew.bat\n0\t0\tid.c')
  const head = await importWork(paths)
  assert.deepEqual(await listDifferences(paths, head.commit), [])
  fs.renameSync(path.join(outputs, 'gen'), path.join(scratch, 'gen'))
  fs.symlinkSync(path.join(scratch, 'gen'), path.join(outputs, 'gen'))
  assert.deepEqual(await listDifferences(paths, head.commit), ['gen/a.txt'], 'behind a link it is another file')

  const tree = path.join(scratch, 'tree')
  fs.mkdirSync(tree)
  await exportRepository(paths, head, tree, [])
  assert.equal(await run(tree, 'git status --porcelain; touch *; rm .git/index; git read-tree HEAD; git status -s'), '')
  const expected = { ...files, 'gradlew.bat': `${lines}echo 3\r\n` }
  for (const [name, text] of Object.entries(expected))
    assert.equal(fs.readFileSync(path.join(tree, name), 'utf8'), text, name)
})
