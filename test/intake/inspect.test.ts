import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import {
  createInbox,
  findFolderProblem,
  findTracked,
  getInbox,
  inspectTaskFile,
  listTaskNames,
  readTaskFile,
} from '#intake'
import { createRepository } from '../fixtures/host/repository.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'
import { whyNotLinux } from '../fixtures/skip-reasons.ts'

/** A repository's folder with an inbox, and the path of a file in it. */
function prepare(t: TestContext) {
  const repository = createScratchFolder(t)
  createInbox(repository)
  const getFile = (name = 'a.md') => path.join(getInbox(repository), name)
  const write = (name = 'a.md', content = 'do it') => fs.writeFileSync(getFile(name), content, { mode: 0o600 })
  const inspect = (name = 'a.md') => inspectTaskFile(repository, name)
  return { repository, getFile, write, inspect }
}

const makeFifo = async (file: string) => assert.equal((await runProgram('mkfifo', [file])).exitCode, 0)
const isRoot = process.getuid?.() === 0

test('only names such as a.md are meant as tasks', t => {
  const { repository, write } = prepare(t)
  for (const name of ['b.md', 'a.md', '.c.md', 'd.txt', 'e.md.rejected', 'f.md~', 'g.MD', '.md']) write(name)
  assert.deepEqual(listTaskNames(repository), ['a.md', 'b.md'])
  assert.deepEqual(listTaskNames(createScratchFolder(t)), [])
})

test('a name that is not UTF-8 is refused', { skip: whyNotLinux }, t => {
  const { repository, getFile, inspect } = prepare(t)
  fs.writeFileSync(Buffer.concat([Buffer.from(getFile('a')), Buffer.from([0xff]), Buffer.from('.md')]), 'x')
  const [name = ''] = listTaskNames(repository)
  assert.partialDeepStrictEqual(inspect(name), { kind: 'refused' })
})

test('a file of the user is a task, and its stamp changes when it is written', t => {
  const { getFile, write, inspect } = prepare(t)
  assert.equal(inspect().kind, 'nothing yet')
  write('a.md', '')
  assert.equal(inspect().kind, 'nothing yet')
  write()
  const before = inspect()
  assert.equal(before.kind, 'task')
  fs.renameSync(getFile(), getFile('b.md'))
  assert.deepEqual(inspect('b.md'), before, 'a rename changes nothing')
  write('b.md', 'do it well')
  assert.notEqual(inspect('b.md').stamp, before.stamp)
  assert.equal(`${readTaskFile(getFile('b.md'), 0)}`, 'do it well')
})

const refused: [name: string, reason: RegExp, make: (file: string, t: TestContext) => unknown][] = [
  ['a link', /it is a link/, file => fs.symlinkSync('/etc/hostname', file)],
  ['a link to nothing', /it is a link/, file => fs.symlinkSync('/nowhere', file)],
  [
    'a hard link',
    /it has 2 names/,
    file => {
      fs.writeFileSync(`${file}-2`, 'x')
      fs.linkSync(`${file}-2`, file)
    },
  ],
  ['a folder', /it is a folder/, file => fs.mkdirSync(file)],
  ['a pipe', /not a regular file/, makeFifo],
  [
    'a socket',
    /not a regular file/,
    async (file, t) => {
      const server = net.createServer()
      await new Promise<void>(resolve => server.listen(path.relative('.', file), resolve))
      t.after(() => server.close())
    },
  ],
  ['a file of another user', /belongs to another user \(uid 65534\)/, file => write600(file, 65_534)],
]

function write600(file: string, uid: number): void {
  fs.writeFileSync(file, 'x', { mode: 0o600 })
  fs.chownSync(file, uid, uid)
}

for (const [name, reason, make] of refused)
  test(`refused: ${name}`, { skip: name.includes('another user') && !isRoot && 'only root can make one' }, async t => {
    const { getFile, inspect } = prepare(t)
    await make(getFile(), t)
    const inspection = inspect()
    assert.equal(inspection.kind, 'refused')
    assert.match(inspection.kind === 'refused' ? inspection.reason : '', reason)
    if (['a socket'].includes(name)) return // It cannot be opened at all.
    const read = name === 'a folder' ? undefined : readTaskFile(getFile(), 0)
    if (read !== undefined) assert.ok(!Buffer.isBuffer(read), `${read}`)
  })

test('who else may write a file: the modes of the folders above it count', t => {
  const { repository, write, getFile, inspect } = prepare(t)
  write()
  const getKind = (top: number, inbox: number, file: number) => {
    fs.chmodSync(path.dirname(getInbox(repository)), top)
    fs.chmodSync(getInbox(repository), inbox)
    fs.chmodSync(getFile(), file)
    return findFolderProblem(repository) === undefined ? inspect().kind : 'folder'
  }
  for (const [top, inbox, file, kind] of [
    [0o700, 0o700, 0o600, 'task'],
    [0o700, 0o777, 0o666, 'task'],
    [0o755, 0o755, 0o644, 'task'],
    [0o755, 0o755, 0o664, 'refused'],
    [0o755, 0o755, 0o646, 'refused'],
    [0o755, 0o700, 0o666, 'task'],
    [0o710, 0o710, 0o660, 'refused'],
    [0o701, 0o701, 0o660, 'task'],
    [0o755, 0o775, 0o644, 'folder'],
    [0o755, 0o757, 0o644, 'folder'],
    [0o775, 0o700, 0o600, 'folder'],
  ] as const)
    assert.equal(getKind(top, inbox, file), kind, [top, inbox, file].map(mode => mode.toString(8)).join(' '))
})

test('an inbox that is a link, a file or a repository is not used, and not made', t => {
  const outside = createScratchFolder(t)
  const makers: [RegExp, (repository: string) => void][] = [
    [/\.agent-queue is a link/, repository => fs.symlinkSync(outside, path.join(repository, '.agent-queue'))],
    [/\.agent-queue is not a folder/, repository => fs.writeFileSync(path.join(repository, '.agent-queue'), '')],
    [
      /inbox is a link/,
      repository => {
        fs.mkdirSync(path.join(repository, '.agent-queue'), { mode: 0o700 })
        fs.symlinkSync(outside, getInbox(repository))
      },
    ],
    [
      /taken is a link/,
      repository => {
        fs.mkdirSync(path.join(repository, '.agent-queue'), { mode: 0o700 })
        fs.symlinkSync(outside, path.join(repository, '.agent-queue/taken'))
      },
    ],
    [
      /is a repository of its own/,
      repository => fs.mkdirSync(path.join(repository, '.agent-queue/.git'), { recursive: true, mode: 0o700 }),
    ],
  ]
  for (const [problem, make] of makers) {
    const repository = createScratchFolder(t)
    make(repository)
    assert.match(findFolderProblem(repository) ?? '', problem)
    assert.throws(() => createInbox(repository), { exitCode: 5, message: problem })
  }
  assert.deepEqual(fs.readdirSync(outside), [])
})

test('what came with the repository is known by its index, in whatever letters', async t => {
  const { path: repository } = await createRepository(t, {
    '.agent-queue/inbox/a.md': 'x',
    '.Agent-Queue/Inbox/B.md': 'x',
    'c.md': 'x',
  })
  const names = ['a.md', 'b.md', 'c.md']
  assert.deepEqual(await findTracked(repository, names), ['a.md', 'b.md'])
  const lock = path.join(repository, '.git/index.lock')
  fs.writeFileSync(lock, '')
  assert.equal(await findTracked(repository, names), undefined, 'git is at work')
  fs.rmSync(lock)
  const index = path.join(repository, '.git/index')
  fs.renameSync(index, `${index}-away`)
  assert.equal(await findTracked(repository, names), undefined, 'without an index git is at work')
  fs.renameSync(`${index}-away`, index)
  const forget = ['rm', '-q', '--cached', '-r', '.']
  assert.equal((await runProgram('git', forget, { cwd: repository })).exitCode, 0)
  assert.deepEqual(await findTracked(repository, names), ['a.md', 'b.md'], 'the commit has them')
  const { path: linked } = await createRepository(t, { '.agent-queue': '-> elsewhere' })
  assert.deepEqual(await findTracked(linked, names), names)
  const { path: outer } = await createRepository(t, { a: 'x' })
  const add = ['update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},.agent-queue`]
  assert.equal((await runProgram('git', add, { cwd: outer })).exitCode, 0)
  assert.deepEqual(await findTracked(outer, names), names, 'a submodule in its place')
})
