import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { encodeName } from '#host/file-name.ts'
import { findRepository } from '#host/git'
import { sha256 } from '#host/hash.ts'
import type { SessionPaths } from '#session'
import { resolveSessionPaths } from '#session/paths.ts'
import {
  createReference,
  hasCommit,
  importWork,
  listChangedPaths,
  listChangesSinceVerdict,
  listCommitFiles,
  listDifferences,
  listVisibleChanges,
  prepareRepository,
  verifyObjects,
} from '#session/repository'
import { checkOutFiles, readCommitFiles } from '#session/repository/commit-files.ts'
import { computeStatus, type SessionStatus } from '#session/status'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

/** Run git as a worker or a user does: in the folder, with its configuration. */
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
  const { exitCode, stdout, stderr } = await runProgram('git', args, { cwd, env })
  assert.equal(exitCode, 0, `git ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
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

function createPaths(t: TestContext): SessionPaths {
  const paths = resolveSessionPaths(path.join(createScratchFolder(t), 'session'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  return paths
}

/** Create a repository like a user's: branches, a tag, uncommitted changes, unusual file names. */
async function createUserRepository(t: TestContext): Promise<string> {
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

/** Fingerprint a folder: the content, type, mode, link count and modification time of each file. */
function fingerprint(folder: string): Record<string, string> {
  return Object.fromEntries(
    fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => {
      const file = path.join(folder, name)
      const stats = fs.lstatSync(file)
      const content = stats.isSymbolicLink() ? fs.readlinkSync(file) : stats.isFile() ? fs.readFileSync(file) : ''
      const sizes = stats.isDirectory() ? ['-', '-'] : [stats.nlink, stats.size]
      return [name, [stats.mode, ...sizes, stats.mtimeMs, sha256(content)].join(' ')]
    }),
  )
}

/** Assert that no file shares its content with another through a hard link. */
function assertUnshared(folder: string): void {
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stats = fs.lstatSync(path.join(folder, name))
    if (stats.isFile()) assert.equal(stats.nlink, 1, name)
  }
}

test('an empty base is one commit, and outputs/ has no remote', async t => {
  const paths = createPaths(t)
  const base = await prepareRepository(paths, 'dispatch/x', undefined)
  assert.equal(base.tree, '4b825dc642cb6eb9a060e54bf8d69288fbee4904')
  assert.deepEqual(fs.readdirSync(paths.outputs), ['.git'])
  assert.equal(await gitIn(paths.outputs, 'branch', '--show-current'), 'dispatch/x')
  assert.equal(await gitIn(paths.outputs, 'remote'), '')
  assert.deepEqual(await importWork(paths), base)
  assert.deepEqual(await listCommitFiles(paths, base.commit), [])
  assertUnshared(paths.outputs)
})

test('prepareRepository replaces what is there', async t => {
  const paths = createPaths(t)
  const first = await prepareRepository(paths, 'dispatch/x', undefined)
  write(paths.outputs, { litter: 'x' })
  const second = await prepareRepository(paths, 'dispatch/x', undefined)
  assert.equal(second.tree, first.tree)
  assert.deepEqual(fs.readdirSync(paths.outputs), ['.git'])
})

test("a user's repository is cloned at its commit, and not one byte of it changes", async t => {
  const user = await createUserRepository(t)
  const before = fingerprint(user)
  const paths = createPaths(t)
  const found = await findRepository(user, [])
  const base = await prepareRepository(paths, 'dispatch/x', user)
  assert.deepEqual(found, { path: user, commit: base.commit, branch: 'trunk', uncommittedFiles: 3 })
  write(paths.outputs, { 'README.md': 'mine\n' })
  fs.rmSync(path.join(paths.outputs, 'big'))
  await commitAll(paths.outputs)
  const head = await importWork(paths)
  await listDifferences(paths, head.commit)
  await listChangedPaths(paths, base.commit, head.commit)
  const folder = path.join(paths.folder, 'export')
  fs.mkdirSync(folder)
  await checkOutFiles(paths, base.commit, folder, `${folder}.index`)
  assert.deepEqual(fingerprint(user), before)
  assert.deepEqual(fs.readdirSync(folder).sort(), ['README.md', 'a\nb', 'big', 'link', 'link out', 'run.sh', 'src'])
  assert.equal(fs.readFileSync(path.join(folder, 'README.md'), 'utf8'), 'one\n')
  assert.equal(fs.readFileSync(path.join(folder, 'src/日本 ü.txt'), 'utf8'), 'two\n')
  assert.equal(fs.statSync(path.join(folder, 'run.sh')).mode & 0o111, 0o111)
  assert.equal(fs.statSync(path.join(folder, 'big')).mode & 0o111, 0)
  assert.equal(fs.readlinkSync(path.join(folder, 'link out')), '/etc/passwd')
  assertUnshared(paths.outputs)
  assertUnshared(user)
})

test('a detached head, a linked worktree and a shallow clone can be the base', async t => {
  const user = await createUserRepository(t)
  write(user, { more: 'more' })
  const commit = await commitAll(user, 'second')
  const beside = (name: string) => path.join(path.dirname(user), name)
  await gitIn(user, 'worktree', 'add', '--quiet', '--detach', beside('worktree'))
  await gitIn(user, 'clone', '--quiet', '--depth', '1', `file://${user}`, beside('shallow'))
  for (const name of ['worktree', 'shallow']) {
    const paths = createPaths(t)
    assert.equal((await prepareRepository(paths, 'dispatch/x', beside(name))).commit, commit, name)
    write(paths.outputs, { mine: 'x' })
    const mine = await commitAll(paths.outputs)
    assert.equal((await importWork(paths)).commit, mine, name)
  }
})

test('the base is the commit that was looked at, also when the repository has moved on', async t => {
  const user = await createUserRepository(t)
  const seen = await gitIn(user, 'rev-parse', 'HEAD')
  write(user, { more: 'more' })
  await commitAll(user, 'second')
  await gitIn(user, 'gc', '--quiet')
  assert.equal((await prepareRepository(createPaths(t), 'dispatch/x', user, seen)).commit, seen)
  const gone = prepareRepository(createPaths(t), 'dispatch/x', user, 'f'.repeat(40))
  await assert.rejects(gone, /does not have ffffffffff any more/)
})

test('dispatch runs nothing that a worker plants in outputs/', async t => {
  const paths = createPaths(t)
  const base = await prepareRepository(paths, 'dispatch/x', await createUserRepository(t))
  const { outputs } = paths
  const canary = path.join(path.dirname(outputs), 'canary')
  const plant = async (repository: string) => {
    const payload = `echo ${path.basename(repository)} >> '${canary}'`
    const filter = `${payload}; cat`
    const config: Record<string, string> = {
      'core.fsmonitor': `${payload}; false`,
      'core.hooksPath': path.join(outputs, 'hooks'),
      'core.sshCommand': payload,
      'core.alternateRefsCommand': payload,
      'core.pager': payload,
      'core.editor': payload,
      'diff.external': payload,
      'diff.evil.textconv': payload,
      'diff.evil.command': payload,
      'filter.evil.clean': filter,
      'filter.evil.smudge': filter,
      'filter.evil.process': payload,
      'uploadpack.packObjectsHook': filter,
      'uploadpack.allowFilter': 'true',
      'credential.helper': `!${payload}`,
      'include.path': '../more',
    }
    for (const [name, value] of Object.entries(config)) await gitIn(repository, 'config', name, value)
  }
  const hooks = ['pre-commit', 'post-checkout', 'post-index-change', 'reference-transaction', 'fsmonitor-watchman']
  write(outputs, Object.fromEntries(hooks.map(name => [`hooks/${name}`, `#!/bin/sh\necho hook >> '${canary}'\n`])))
  for (const name of hooks) fs.chmodSync(path.join(outputs, 'hooks', name), 0o755)
  // A nested repository that is committed and then changed: git would enter it.
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
  await checkOutFiles(paths, head.commit, folder, `${folder}.index`)
  assert.ok(!fs.existsSync(canary), `it ran: ${fs.existsSync(canary) && fs.readFileSync(canary, 'utf8')}`)
  assert.ok(!fs.existsSync(path.join(folder, '.git')))

  await gitIn(outputs, 'status').catch(() => 'its result does not matter')
  assert.ok(fs.existsSync(canary), 'the trap works: git in that folder runs it')
})

test('a damaged .git in outputs/ is an integrity error', async t => {
  const paths = createPaths(t)
  await prepareRepository(paths, 'dispatch/x', undefined)
  fs.rmSync(path.join(paths.outputs, '.git/HEAD'))
  await assert.rejects(importWork(paths), (error: unknown) => error instanceof DispatchError && error.exitCode === 13)
})

test('listDifferences names every file that differs, and no other', async t => {
  const paths = createPaths(t)
  await prepareRepository(paths, 'dispatch/x', await createUserRepository(t))
  const { outputs } = paths
  const { commit } = await importWork(paths)
  assert.deepEqual(await listDifferences(paths, commit), [])
  fs.utimesSync(path.join(outputs, 'README.md'), 0, 0)
  assert.deepEqual(await listDifferences(paths, commit), [], 'a new modification time alone is not a difference')
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

test('a list of 8,000 long names is complete', async t => {
  const paths = createPaths(t)
  const base = await prepareRepository(paths, 'dispatch/x', undefined)
  const long = 'x'.repeat(200)
  for (let folder = 0; folder < 8; folder++) {
    const where = path.join(paths.outputs, `${folder}${long}`, long, long)
    fs.mkdirSync(where, { recursive: true })
    for (let file = 0; file < 1000; file++) fs.writeFileSync(path.join(where, `${file}`), '')
  }
  assert.equal((await listDifferences(paths, base.commit)).length, 8000)
})

test('every name works byte by byte: what is listed can be exported, and is the same in two listings', async t => {
  const paths = createPaths(t)
  const base = await prepareRepository(paths, 'dispatch/x', undefined)
  const names = [
    'caf\udce9',
    'caf\udce8',
    'd\udcff/x\udcfe',
    '\ufffd',
    'a\nb',
    'tab\t',
    '"q"',
    ' trailing ',
    'x'.repeat(255),
  ]
  const put = (name: string, text: string) => {
    const file = encodeName(path.join(paths.outputs, name))
    fs.mkdirSync(file.subarray(0, file.lastIndexOf('/')), { recursive: true })
    fs.writeFileSync(file, text)
  }
  for (const name of names) put(name, 'one')
  await commitAll(paths.outputs)
  const first = await importWork(paths)
  const listPaths = (files: readonly { path: string }[]) => files.map(file => file.path).sort()
  assert.deepEqual(listPaths(await listCommitFiles(paths, first.commit)), [...names].sort())
  assert.deepEqual(listPaths(await listChangedPaths(paths, base.commit, first.commit)), [...names].sort())
  const folder = path.join(paths.folder, 'export')
  fs.mkdirSync(folder)
  await checkOutFiles(paths, first.commit, folder, `${folder}.index`)
  for (const name of names) assert.equal(fs.readFileSync(encodeName(path.join(folder, name)), 'utf8'), 'one')
  put('caf\udce9', 'two')
  put('\udc80', 'new')
  assert.deepEqual((await listDifferences(paths, first.commit)).sort(), ['caf\udce9', '\udc80'])
})

test('the content of files is read as git has it, whatever is in it, several at a time', async t => {
  const paths = createPaths(t)
  await prepareRepository(paths, 'dispatch/x', undefined)
  const contents = { a: '', b: 'no newline', c: '\n\n', d: '\0\xff\r\n', e: 'x'.repeat(17 * 1024 * 1024), f: 'last\n' }
  for (const [name, text] of Object.entries(contents)) fs.writeFileSync(path.join(paths.outputs, name), text, 'latin1')
  await commitAll(paths.outputs)
  const { commit } = await importWork(paths)
  const files = await listCommitFiles(paths, commit)
  const read: Record<string, string> = {}
  for await (const [file, content] of readCommitFiles(paths, files)) read[file.path] = content.toString('latin1')
  assert.deepEqual(read, contents)
  const [first] = files
  const wrong = readCommitFiles(paths, [{ ...first, blob: first?.blob ?? '', sizeBytes: 1 }])
  await assert.rejects(wrong.next(), { exitCode: 13 })
})

test('listChangedPaths names each change', async t => {
  const paths = createPaths(t)
  const base = await prepareRepository(paths, 'dispatch/x', await createUserRepository(t))
  write(paths.outputs, { 'README.md': 'x', 'src/a/b.py': 'x', 'srcs/c.py': 'x', 'd é.md': 'x', 'src/日本 ü.txt': 'x' })
  fs.rmSync(path.join(paths.outputs, 'big'))
  fs.chmodSync(path.join(paths.outputs, 'run.sh'), 0o644)
  await commitAll(paths.outputs)
  const head = await importWork(paths)
  assert.deepEqual(
    Object.fromEntries(
      (await listChangedPaths(paths, base.commit, head.commit)).map(({ path: file, change }) => [file, change]),
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
})

test('listCommitFiles gives the size of every file', async t => {
  const paths = createPaths(t)
  const base = await prepareRepository(paths, 'dispatch/x', await createUserRepository(t))
  const files = Object.fromEntries(
    (await listCommitFiles(paths, base.commit)).map(({ path: file, sizeBytes }) => [file, sizeBytes]),
  )
  assert.deepEqual([files['big'], files['src/日本 ü.txt'], files['a\nb'], files['link']], [200_000, 4, 6, 9])
})

test('a verdict is void while a file differs, and valid once it is restored', async t => {
  const paths = createPaths(t)
  await prepareRepository(paths, 'dispatch/x', undefined)
  write(paths.outputs, { 'a.txt': 'one' })
  await commitAll(paths.outputs)
  const { commit, tree } = await importWork(paths)
  const otherFields = { round: 1, reason: '', isFinal: true, independence: '', time: '' }
  const status = { verdict: { ...otherFields, verdict: 'PASS', commit, tree } } as const
  assert.deepEqual(await listChangesSinceVerdict(paths, status), [])
  write(paths.outputs, { 'a.txt': 'two' })
  assert.deepEqual(await listChangesSinceVerdict(paths, status), ['a.txt'])
  await commitAll(paths.outputs)
  assert.deepEqual(await listChangesSinceVerdict(paths, status), ['a.txt'], 'committed or not')
  write(paths.outputs, { 'a.txt': 'one' })
  assert.deepEqual(await listChangesSinceVerdict(paths, status), [])
  // The runner keeps what it saw, and a reader uses a copy. A change that hides its time and size is seen all the same.
  const look = (isRunner = false) => listVisibleChanges(paths, { ...computeStatus([]), ...status }, isRunner)
  assert.deepEqual([await look(), await look(true), await look(true), await look()], [[], [], [], []])
  const file = path.join(paths.outputs, 'a.txt')
  const { atime, mtime } = fs.statSync(file)
  const readSecond = () => {
    fs.writeFileSync(probe, '') // The clock of the file system is a few milliseconds behind.
    return Math.floor(fs.statSync(probe).ctimeMs / 1000)
  }
  const probe = path.join(createScratchFolder(t), 'probe')
  const changedAtSecond = readSecond()
  await waitUntil(() => readSecond() !== changedAtSecond, 'the next second: git compares whole ones')
  fs.writeFileSync(file, 'TWO')
  fs.utimesSync(file, atime, mtime)
  assert.deepEqual([await look(), await look(true)], [['a.txt'], ['a.txt']])
  fs.rmSync(paths.outputs, { recursive: true })
  assert.deepEqual(await listChangesSinceVerdict(paths, status), ['outputs/'], 'a missing outputs/ is a change')
  assert.deepEqual(await listChangesSinceVerdict(paths, {}), [])
})

test('git does not run in a repository with foreign configuration', async t => {
  const paths = createPaths(t)
  const base = await prepareRepository(paths, 'dispatch/a', undefined)
  const mark = path.join(createScratchFolder(t), 'fired')
  write(paths.outputs, { 'f.txt': 'text', '.gitattributes': '*.txt filter=x' })
  const head = await commitAll(paths.outputs)
  await importWork(paths)
  const verdict = { verdict: { commit: head } } as Pick<SessionStatus, 'verdict'>
  assert.deepEqual(await listChangesSinceVerdict(paths, verdict), [])
  await listChangedPaths(paths, base.commit, head)

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
      (error: DispatchError) =>
        error.exitCode === 13 &&
        /not set up as dispatch made it/.test(error.message) &&
        error.remedy?.includes(`dispatch audit '${paths.folder}'`),
    )
    await assert.rejects(listChangedPaths(paths, base.commit, head), /not set up/, 'also where the answer is kept')
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

test('a change that the configuration would hide is found', async t => {
  const paths = createPaths(t)
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

test('replace refs are ignored, and an object that differs from its hash is found', async t => {
  const paths = createPaths(t)
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
  await checkOutFiles(paths, head, folder, `${folder}.index`)
  assert.equal(fs.readFileSync(path.join(folder, 'f.txt'), 'utf8'), 'bad')
  await verifyObjects(paths, `${head}^{tree}`)

  // An object that is planted early: git does not fetch the real one later, because it has the name already.
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

test('a kept commit survives a change of its branch', async t => {
  const paths = createPaths(t)
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

test('a git that cannot run says nothing about a verdict', async t => {
  const paths = createPaths(t)
  await prepareRepository(paths, 'dispatch/a', undefined)
  write(paths.outputs, { a: 'text' })
  const head = await commitAll(paths.outputs)
  await importWork(paths)
  const status = { verdict: { commit: head } } as Pick<SessionStatus, 'verdict'>
  const searchPath = process.env['PATH']
  t.after(() => {
    process.env['PATH'] = searchPath
  })
  const fake = createScratchFolder(t)
  const endings = [
    'echo "xcrun: error: no tools" >&2; exit 1',
    'kill -9 $$',
    'echo "fatal: Out of memory" >&2; exit 128',
  ]
  for (const ending of endings) {
    fs.writeFileSync(path.join(fake, 'git'), `#!/bin/sh\n${ending}\n`, { mode: 0o755 })
    process.env['PATH'] = `${fake}:${searchPath}`
    await assert.rejects(listChangesSinceVerdict(paths, status), ending)
    await assert.rejects(hasCommit(paths, head), ending)
  }
  process.env['PATH'] = createScratchFolder(t)
  await assert.rejects(listChangesSinceVerdict(paths, status), 'there is no git')
  process.env['PATH'] = searchPath
  assert.deepEqual(await listChangesSinceVerdict(paths, status), [])
  assert.equal(await hasCommit(paths, 'f'.repeat(40)), false)
})

test('an index that git refuses does not keep the work from being compared', async t => {
  const paths = createPaths(t)
  await prepareRepository(paths, 'dispatch/a', undefined)
  write(paths.outputs, { a: 'text' })
  const head = await commitAll(paths.outputs)
  await importWork(paths)
  const status = computeStatus([])
  const judged = { ...status, verdict: { commit: head } as SessionStatus['verdict'] }
  const index = paths.verdictIndex(head)
  fs.writeFileSync(index, 'no index')
  assert.deepEqual(await listVisibleChanges(paths, judged as SessionStatus), [], 'a reader')
  assert.deepEqual(await listVisibleChanges(paths, judged as SessionStatus, true), [], 'the runner')
  assert.equal(fs.existsSync(index), false)
})
