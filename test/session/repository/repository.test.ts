import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { findRepository } from '#host/git'
import type { SessionPaths } from '#session'
import { resolveSessionPaths } from '#session/paths.ts'
import {
  createReference,
  exportTree,
  importWork,
  listChangedPaths,
  listChangesSinceVerdict,
  listCommitFiles,
  listDifferences,
  prepareRepository,
  verifyObjects,
} from '#session/repository'
import type { SessionStatus } from '#session/status'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Git as a worker or a user runs it: in the folder, with all that its configuration says. */
async function gitIn(cwd: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'x',
    GIT_AUTHOR_EMAIL: 'x@localhost',
    GIT_COMMITTER_NAME: 'x',
    GIT_COMMITTER_EMAIL: 'x@localhost',
  }
  const ran = await runProgram('git', args, { cwd, env })
  assert.equal(ran.exitCode, 0, `git ${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}

async function commitAll(cwd: string, message = 'x'): Promise<string> {
  await gitIn(cwd, 'add', '--all', '--force')
  await gitIn(cwd, 'commit', '--quiet', '--no-verify', '--message', message)
  return gitIn(cwd, 'rev-parse', 'HEAD')
}

function write(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
}

function newSession(t: TestContext): SessionPaths {
  const paths = resolveSessionPaths(path.join(createScratchFolder(t), 'session'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  return paths
}

/** A repository as people have them: branches, a tag, a worktree that is not clean, names of every kind. */
async function userRepository(t: TestContext): Promise<string> {
  const folder = path.join(createScratchFolder(t), 'user repo')
  fs.mkdirSync(folder)
  await gitIn(folder, 'init', '--quiet', '--initial-branch', 'trunk')
  write(folder, {
    'README.md': 'one\n',
    'src/日本 ü.txt': 'two\n',
    'a\nb': 'three\n',
    'run.sh': '#!/bin/sh\n',
    big: 'x'.repeat(200_000),
  })
  fs.chmodSync(path.join(folder, 'run.sh'), 0o755)
  fs.symlinkSync('README.md', path.join(folder, 'link'))
  fs.symlinkSync('/etc/passwd', path.join(folder, 'link out'))
  await commitAll(folder, 'first')
  await gitIn(folder, 'branch', 'other')
  await gitIn(folder, 'tag', 'v1')
  write(folder, {
    'README.md': 'changed\n',
    'new.txt': 'untracked\n',
    'staged.txt': 'staged\n',
    '.git/hooks/post-checkout': '',
  })
  await gitIn(folder, 'add', 'staged.txt')
  return folder
}

/** Everything about a folder that may not change: each file's bytes, kind, mode, links and time of change. */
function portrait(folder: string): Record<string, string> {
  return Object.fromEntries(
    fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => {
      const file = path.join(folder, name)
      const { mode, nlink, mtimeMs, size } = fs.lstatSync(file)
      const kind = fs.lstatSync(file)
      const content = kind.isSymbolicLink() ? fs.readlinkSync(file) : kind.isFile() ? fs.readFileSync(file) : ''
      const sum = createHash('sha256').update(content).digest('hex')
      return [name, [mode, kind.isDirectory() ? '-' : nlink, mtimeMs, kind.isDirectory() ? '-' : size, sum].join(' ')]
    }),
  )
}

/** Every regular file below has one name only: nothing is shared through hard links. */
function assertUnshared(folder: string): void {
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const found = fs.lstatSync(path.join(folder, name))
    if (found.isFile()) assert.equal(found.nlink, 1, name)
  }
}

test('an empty base: one commit, an empty outputs/ on its own branch, and no way back', async t => {
  const paths = newSession(t)
  const base = await prepareRepository(paths, 'dispatch/x', undefined)
  assert.equal(base.tree, '4b825dc642cb6eb9a060e54bf8d69288fbee4904')
  assert.deepEqual(fs.readdirSync(paths.outputs), ['.git'])
  assert.equal(await gitIn(paths.outputs, 'branch', '--show-current'), 'dispatch/x')
  assert.equal(await gitIn(paths.outputs, 'remote'), '')
  assert.deepEqual(await importWork(paths), base)
  assert.deepEqual(await listCommitFiles(paths, base.commit), [])
  assertUnshared(paths.folder)
})

test('preparing again begins anew', async t => {
  const paths = newSession(t)
  const first = await prepareRepository(paths, 'dispatch/x', undefined)
  write(paths.outputs, { litter: 'x' })
  const second = await prepareRepository(paths, 'dispatch/x', undefined)
  assert.equal(second.tree, first.tree)
  assert.deepEqual(fs.readdirSync(paths.outputs), ['.git'])
})

test("a user's repository is taken at its commit, whole, and is not touched by a byte", async t => {
  const user = await userRepository(t)
  const before = portrait(user)
  const paths = newSession(t)
  const found = await findRepository(user, [])
  const base = await prepareRepository(paths, 'dispatch/x', user)
  assert.deepEqual(found, { path: user, commit: base.commit, uncommittedFiles: 3 })
  write(paths.outputs, { 'README.md': 'mine\n' })
  fs.rmSync(path.join(paths.outputs, 'big'))
  await commitAll(paths.outputs)
  const head = await importWork(paths)
  await listDifferences(paths, head.commit)
  await listChangedPaths(paths, base.commit, head.commit)
  const folder = path.join(paths.folder, 'export')
  fs.mkdirSync(folder)
  await exportTree(paths, base.commit, folder)
  assert.deepEqual(portrait(user), before)
  assert.deepEqual(fs.readdirSync(folder).sort(), ['README.md', 'a\nb', 'big', 'link', 'link out', 'run.sh', 'src'])
  assert.equal(fs.readFileSync(path.join(folder, 'README.md'), 'utf8'), 'one\n')
  assert.equal(fs.readFileSync(path.join(folder, 'src/日本 ü.txt'), 'utf8'), 'two\n')
  assert.equal(fs.statSync(path.join(folder, 'run.sh')).mode & 0o111, 0o111)
  assert.equal(fs.statSync(path.join(folder, 'big')).mode & 0o111, 0)
  assert.equal(fs.readlinkSync(path.join(folder, 'link out')), '/etc/passwd')
  assert.ok(!fs.existsSync(`${folder}.index`))
  assertUnshared(paths.folder)
  assertUnshared(user)
})

test('a detached head, a linked worktree and a shallow clone are taken up as well', async t => {
  const user = await userRepository(t)
  write(user, { more: 'more' })
  const commit = await commitAll(user, 'second')
  const beside = (name: string) => path.join(path.dirname(user), name)
  await gitIn(user, 'worktree', 'add', '--quiet', '--detach', beside('worktree'))
  await gitIn(user, 'clone', '--quiet', '--depth', '1', `file://${user}`, beside('shallow'))
  for (const name of ['worktree', 'shallow']) {
    const paths = newSession(t)
    assert.equal((await prepareRepository(paths, 'dispatch/x', beside(name))).commit, commit, name)
    write(paths.outputs, { mine: 'x' })
    const mine = await commitAll(paths.outputs)
    assert.equal((await importWork(paths)).commit, mine, name)
  }
})

test('nothing that a worker plants in its repository is run by us', async t => {
  const paths = newSession(t)
  const base = await prepareRepository(paths, 'dispatch/x', await userRepository(t))
  const { outputs } = paths
  const canary = path.join(path.dirname(outputs), 'canary')
  const plant = async (repository: string) => {
    const sing = `echo ${path.basename(repository)} >> '${canary}'`
    const filter = `${sing}; cat`
    const config: Record<string, string> = {
      'core.fsmonitor': `${sing}; false`,
      'core.hooksPath': path.join(outputs, 'hooks'),
      'core.sshCommand': sing,
      'core.alternateRefsCommand': sing,
      'core.pager': sing,
      'core.editor': sing,
      'diff.external': sing,
      'diff.evil.textconv': sing,
      'diff.evil.command': sing,
      'filter.evil.clean': filter,
      'filter.evil.smudge': filter,
      'filter.evil.process': sing,
      'uploadpack.packObjectsHook': filter,
      'uploadpack.allowFilter': 'true',
      'credential.helper': `!${sing}`,
      'include.path': '../more',
    }
    for (const [name, value] of Object.entries(config)) await gitIn(repository, 'config', name, value)
  }
  const hooks = ['pre-commit', 'post-checkout', 'post-index-change', 'reference-transaction', 'fsmonitor-watchman']
  write(outputs, Object.fromEntries(hooks.map(name => [`hooks/${name}`, `#!/bin/sh\necho hook >> '${canary}'\n`])))
  for (const name of hooks) fs.chmodSync(path.join(outputs, 'hooks', name), 0o755)
  // A repository within it, committed as a link to its commit and then changed: git looks into such a one.
  const nested = path.join(outputs, 'nested')
  fs.mkdirSync(nested)
  await gitIn(nested, 'init', '--quiet')
  write(nested, { file: 'one' })
  await commitAll(nested)
  write(outputs, { '.gitmodules': '[submodule "nested"]\n\tpath = nested\n\turl = ./nested\n' })
  await commitAll(outputs)
  await plant(nested)
  write(nested, { file: 'two', '.gitattributes': '* filter=evil diff=evil\n' })
  fs.cpSync(path.join(outputs, 'hooks'), path.join(outputs, '.git/hooks'), { recursive: true })
  await plant(outputs)
  write(outputs, { '.gitattributes': '* filter=evil diff=evil\n', 'README.md': 'changed again\n' })

  const head = await importWork(paths)
  await listDifferences(paths, head.commit)
  await listDifferences(paths, base.commit)
  await listChangedPaths(paths, base.commit, head.commit)
  await listCommitFiles(paths, head.commit)
  const folder = path.join(paths.folder, 'export')
  fs.mkdirSync(folder)
  await exportTree(paths, head.commit, folder)
  assert.ok(!fs.existsSync(canary), `run: ${fs.existsSync(canary) && fs.readFileSync(canary, 'utf8')}`)
  assert.ok(!fs.existsSync(path.join(folder, '.git')))

  await gitIn(outputs, 'status').catch(() => 'whatever it thinks of it')
  assert.ok(fs.existsSync(canary), 'the trap does work: git run in there sets it off')
})

test('a damaged repository of the worker is an integrity error in words', async t => {
  const paths = newSession(t)
  await prepareRepository(paths, 'dispatch/x', undefined)
  fs.rmSync(path.join(paths.outputs, '.git/HEAD'))
  await assert.rejects(importWork(paths), (error: unknown) => error instanceof DispatchError && error.exitCode === 13)
})

test('differences are every file that is not as in the commit, and no other', async t => {
  const paths = newSession(t)
  await prepareRepository(paths, 'dispatch/x', await userRepository(t))
  const { outputs } = paths
  const { commit } = await importWork(paths)
  assert.deepEqual(await listDifferences(paths, commit), [])
  fs.utimesSync(path.join(outputs, 'README.md'), 0, 0)
  assert.deepEqual(await listDifferences(paths, commit), [], 'a new time alone is none')
  write(outputs, {
    'README.md': 'six6\n',
    'src/new ü': '',
    '__pycache__/x.pyc': 'litter',
    'node_modules/x/y': 'litter',
  })
  fs.rmSync(path.join(outputs, 'big'))
  fs.chmodSync(path.join(outputs, 'run.sh'), 0o644)
  fs.rmSync(path.join(outputs, 'link'))
  write(outputs, { link: 'README.md' })
  assert.deepEqual((await listDifferences(paths, commit)).sort(), ['README.md', 'big', 'link', 'run.sh', 'src/new ü'])
  assert.deepEqual(fs.readdirSync(outputs).includes('index'), false)
})

test('a list of files is never cut short', async t => {
  const paths = newSession(t)
  const base = await prepareRepository(paths, 'dispatch/x', undefined)
  const long = 'x'.repeat(200)
  for (let folder = 0; folder < 8; folder++) {
    const where = path.join(paths.outputs, `${folder}${long}`, long, long)
    fs.mkdirSync(where, { recursive: true })
    for (let file = 0; file < 1000; file++) fs.writeFileSync(path.join(where, `${file}`), '')
  }
  assert.equal((await listDifferences(paths, base.commit)).length, 8000)
})

test('changed paths carry what happened, and leave out what the patterns match', async t => {
  const paths = newSession(t)
  const base = await prepareRepository(paths, 'dispatch/x', await userRepository(t))
  write(paths.outputs, { 'README.md': 'x', 'src/a/b.py': 'x', 'srcs/c.py': 'x', 'd é.md': 'x', 'src/日本 ü.txt': 'x' })
  fs.rmSync(path.join(paths.outputs, 'big'))
  fs.chmodSync(path.join(paths.outputs, 'run.sh'), 0o644)
  await commitAll(paths.outputs)
  const head = await importWork(paths)
  const outside = async (...globs: string[]) =>
    (await listChangedPaths(paths, base.commit, head.commit, globs)).map(found => found.path).sort()
  const all = ['README.md', 'big', 'd é.md', 'run.sh', 'src/a/b.py', 'src/日本 ü.txt', 'srcs/c.py']
  assert.deepEqual(
    Object.fromEntries(
      (await listChangedPaths(paths, base.commit, head.commit)).map(found => [found.path, found.change]),
    ),
    {
      'README.md': 'changed',
      big: 'removed',
      'd é.md': 'added',
      'run.sh': 'changed',
      'src/a/b.py': 'added',
      'src/日本 ü.txt': 'changed',
      'srcs/c.py': 'added',
    },
  )
  const table: [globs: string[], inside: string[]][] = [
    [[], []],
    [['src'], ['src/a/b.py', 'src/日本 ü.txt']],
    [['src/'], ['src/a/b.py', 'src/日本 ü.txt']],
    [['src/**'], ['src/a/b.py', 'src/日本 ü.txt']],
    [['*.md'], ['README.md', 'd é.md']],
    [
      ['**/*.py', 'big'],
      ['big', 'src/a/b.py', 'srcs/c.py'],
    ],
    [['nothing', 'README.md'], ['README.md']],
    [['**'], all],
    [['s*'], ['src/a/b.py', 'src/日本 ü.txt', 'srcs/c.py']],
  ]
  for (const [globs, inside] of table)
    assert.deepEqual(
      await outside(...globs),
      all.filter(file => !inside.includes(file)),
      globs.join(' '),
    )
})

test('the listing gives every file of a commit with its size', async t => {
  const paths = newSession(t)
  const base = await prepareRepository(paths, 'dispatch/x', await userRepository(t))
  const files = Object.fromEntries(
    (await listCommitFiles(paths, base.commit)).map(({ path: file, sizeBytes }) => [file, sizeBytes]),
  )
  assert.deepEqual([files['big'], files['src/日本 ü.txt'], files['a\nb'], files['link']], [200_000, 4, 6, 9])
})

test('a verdict holds until a file changes, and holds again when the change is taken back', async t => {
  const paths = newSession(t)
  await prepareRepository(paths, 'dispatch/x', undefined)
  write(paths.outputs, { 'a.txt': 'one' })
  await commitAll(paths.outputs)
  const { commit, tree } = await importWork(paths)
  const clock = { round: 1, reason: '', isFinal: true, independence: '', time: '' }
  const status = { verdict: { ...clock, verdict: 'PASS', commit, tree } } as const
  assert.deepEqual(await listChangesSinceVerdict(paths, status), [])
  write(paths.outputs, { 'a.txt': 'two' })
  assert.deepEqual(await listChangesSinceVerdict(paths, status), ['a.txt'])
  await commitAll(paths.outputs)
  assert.deepEqual(await listChangesSinceVerdict(paths, status), ['a.txt'], 'a commit is no way round it')
  write(paths.outputs, { 'a.txt': 'one' })
  assert.deepEqual(await listChangesSinceVerdict(paths, status), [])
  fs.rmSync(paths.outputs, { recursive: true })
  assert.deepEqual(await listChangesSinceVerdict(paths, status), ['outputs/'], 'all of it is gone')
  assert.deepEqual(await listChangesSinceVerdict(paths, {}), [])
})

test('git is not run in a copied session whose repository says more than ours does: the verdict is void', async t => {
  const paths = newSession(t)
  const base = await prepareRepository(paths, 'dispatch/a', undefined)
  const mark = path.join(createScratchFolder(t), 'fired')
  write(paths.outputs, { 'f.txt': 'text', '.gitattributes': '*.txt filter=x' })
  const head = await commitAll(paths.outputs)
  await importWork(paths)
  const verdict = { verdict: { commit: head } } as Pick<SessionStatus, 'verdict'>
  assert.deepEqual(await listChangesSinceVerdict(paths, verdict), [])

  const config = path.join(paths.bareRepository, 'config')
  const own = fs.readFileSync(config, 'utf8')
  const filter = `[filter "x"]\n\tclean = touch '${mark}'; cat\n`
  const elsewhere = path.join(createScratchFolder(t), 'config')
  fs.writeFileSync(elsewhere, filter)
  for (const lines of [filter, `[include]\n\tpath = ${elsewhere}\n`, '[extensions]\n\tworktreeConfig = true\n']) {
    fs.writeFileSync(config, own + lines)
    assert.deepEqual(await listChangesSinceVerdict(paths, verdict), ['evidence/repository.git'], lines)
    await assert.rejects(
      listDifferences(paths, base.commit),
      (error: DispatchError) => error.exitCode === 13 && /not set up as dispatch made it/.test(error.message),
    )
  }
  assert.ok(!fs.existsSync(mark))
  fs.writeFileSync(config, own + filter)
  await gitIn(paths.outputs, '--git-dir', paths.bareRepository, '--work-tree', paths.outputs, 'add', '--all')
  assert.ok(fs.existsSync(mark), 'git itself would have run it')

  fs.writeFileSync(config, own)
  for (const name of ['commondir', 'config.worktree', 'objects/info/alternates', 'info/attributes', 'info/grafts']) {
    write(paths.bareRepository, { [name]: '' })
    assert.deepEqual(await listChangesSinceVerdict(paths, verdict), ['evidence/repository.git'], name)
    fs.rmSync(path.join(paths.bareRepository, name))
  }
  fs.rmSync(mark)
  fs.renameSync(paths.bareRepository, `${paths.bareRepository}.evil`)
  fs.appendFileSync(`${paths.bareRepository}.evil/config`, filter)
  fs.writeFileSync(paths.bareRepository, `gitdir: ${paths.bareRepository}.evil\n`)
  assert.deepEqual(
    await listChangesSinceVerdict(paths, verdict),
    ['evidence/repository.git'],
    'a file that leads to a repository',
  )
  assert.ok(!fs.existsSync(mark))
})

test('a change that its configuration would hide is seen all the same', async t => {
  const paths = newSession(t)
  await prepareRepository(paths, 'dispatch/a', undefined)
  write(paths.outputs, { 'run.sh': 'echo\n' })
  fs.chmodSync(path.join(paths.outputs, 'run.sh'), 0o755)
  const head = await commitAll(paths.outputs)
  await importWork(paths)
  const config = path.join(paths.bareRepository, 'config')
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace('filemode = true', 'filemode = false'))
  fs.chmodSync(path.join(paths.outputs, 'run.sh'), 0o644)
  assert.deepEqual(await listDifferences(paths, head), ['run.sh'])
})

test('no object is taken for another, and one that is not what its name says is found', async t => {
  const paths = newSession(t)
  await prepareRepository(paths, 'dispatch/a', undefined)
  write(paths.outputs, { 'f.txt': 'bad' })
  const head = await commitAll(paths.outputs)
  await importWork(paths)
  const inTrees = (...words: string[]) => gitIn(paths.outputs, '--git-dir', paths.bareRepository, ...words)
  const bad = await inTrees('rev-parse', `${head}:f.txt`)
  write(path.dirname(paths.folder), { good: 'good' })
  const good = await inTrees('hash-object', '-w', path.join(path.dirname(paths.folder), 'good'))
  await inTrees('update-ref', `refs/replace/${bad}`, good)
  assert.equal(await inTrees('cat-file', 'blob', bad), 'good', 'git itself would be misled')
  const folder = path.join(createScratchFolder(t), 'export')
  fs.mkdirSync(folder)
  await exportTree(paths, head, folder)
  assert.equal(fs.readFileSync(path.join(folder, 'f.txt'), 'utf8'), 'bad')
  await verifyObjects(paths, `${head}^{tree}`)

  // One that is laid there before its time: the object that is handed in later is taken to be there already.
  write(paths.outputs, { 'f.txt': 'worse' })
  const later = await commitAll(paths.outputs)
  const worse = await gitIn(paths.outputs, 'rev-parse', `${later}:f.txt`)
  const loose = (object: string) => path.join(paths.bareRepository, 'objects', object.slice(0, 2), object.slice(2))
  fs.mkdirSync(path.dirname(loose(worse)), { recursive: true })
  fs.copyFileSync(loose(good), loose(worse))
  await assert.rejects(
    importWork(paths).then(({ tree }) => verifyObjects(paths, tree)),
    { exitCode: 13 },
  )
})

test('what is kept outlives its branch', async t => {
  const paths = newSession(t)
  await prepareRepository(paths, 'dispatch/x', undefined)
  write(paths.outputs, { a: 'one' })
  await commitAll(paths.outputs)
  const first = await importWork(paths)
  await createReference(paths, 'round-1', first.commit)
  await gitIn(paths.outputs, 'commit', '--quiet', '--amend', '--allow-empty', '--message', 'other')
  await importWork(paths)
  await gitIn(paths.bareRepository, 'gc', '--quiet', '--prune=now')
  assert.deepEqual((await listCommitFiles(paths, 'round-1')).length, 1)
})
