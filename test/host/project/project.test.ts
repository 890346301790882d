import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { git } from '#host/git'
import { confirmProject, isProjectConfirmed, readProject } from '#host/project'
import { parseProject } from '#host/project/project.ts'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a project file is strict, and every problem has its line', () => {
  const project = parseProject('f', '{\n // why\n "setup": ["make"], "limit": 60, }')
  assert.deepEqual([project.setup, project.limit, project.files], [['make'], 60, []])
  const invalid: [string, RegExp][] = [
    ['{"setup": ["a\\nb"]}', /line 1: setup\.0: must be one line/],
    ['{\n"files": ["/etc/passwd"]}', /line 2: files\.0: must be a path from the top/],
    ['{\n"files": [\n"a/../../b"]}', /line 3: files\.0/],
    ['{"files": [".git/config"]}', /files\.0/],
    ['{"hosts": ["http://x"]}', /hosts\.0: must be a host name/],
    ['{"hosts": ["x.example", "*"]}', /hosts\.1: must be a host name/],
    ['{"hosts": ["x.example:99999"]}', /hosts\.0: must be a host name/],
    ['{"environment": ["A=1"]}', /environment\.0: must be the name of a variable/],
    ['{"limit": 0}', /limit: /],
    ['{"services": [{"name": "Db", "command": "x", "ready": "x"}]}', /services\.0\.name: must be a short name/],
    ['{"services": [{"name": "db", "command": "x"}]}', /services\.0\.ready/],
    [
      '{"services": [{"name": "a", "command": "x", "ready": "x"}, {"name": "a", "command": "x", "ready": "x"}]}',
      /services: two services have the same name/,
    ],
    ...['A B', 'PATH', 'DISPATCH_HOOKS'].map((name): [string, RegExp] => [
      `{"services": [{"name": "db", "command": "x", "ready": "x", "variables": {"${name}": "x"}}]}`,
      /services\.0\.variables: has a name/,
    ]),
    ['[]', /line 1: the whole file: /],
    ['{"__proto__": {"x": 1}, "setup": "x"}', /setup/],
    ['{,}', /line 1, column 2/],
  ]
  for (const [text, message] of invalid)
    assert.throws(
      () => parseProject('f.json', text),
      error =>
        error instanceof DispatchError &&
        error.exitCode === 2 &&
        message.test(error.message) &&
        /f\.json/.test(error.message),
      text,
    )
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('only the last confirmed content of a repository is confirmed', t => {
  const home = createScratchFolder(t)
  confirmProject(home, '/a', 'one')
  assert.ok(isProjectConfirmed(home, '/a', 'one'))
  assert.ok(!isProjectConfirmed(home, '/b', 'one'))
  confirmProject(home, '/a', 'two')
  assert.ok(!isProjectConfirmed(home, '/a', 'one'))
})

test('what is confirmed in a repository is confirmed in its work trees, also in later ones', async t => {
  const home = createScratchFolder(t)
  const { path: main } = await createRepository(t, { 'a.txt': 'a' })
  const { path: other } = await createRepository(t, { 'a.txt': 'a' })
  confirmProject(home, main, 'one')
  const trees = ['x', 'y'].map(name => path.join(createScratchFolder(t), name))
  const [tree = '', second = ''] = trees
  for (const each of trees) await git(['worktree', 'add', '--quiet', '--detach', each], { cwd: main })
  assert.ok(isProjectConfirmed(home, tree, 'one'))
  assert.ok(!isProjectConfirmed(home, other, 'one'))
  confirmProject(home, tree, 'two')
  assert.deepEqual(
    [main, tree, second].map(each => ['one', 'two'].filter(content => isProjectConfirmed(home, each, content))),
    [['one', 'two'], ['two'], ['two']],
    'each keeps its own, and the last one of the repository counts besides',
  )
})

test('a project file that is a link is exit 2', async t => {
  const folder = createScratchFolder(t)
  fs.symlinkSync('/etc/hostname', path.join(folder, '.dispatch.json'))
  assert.throws(
    () => readProject(folder),
    (error: unknown) => error instanceof DispatchError && error.exitCode === 2,
  )
})
