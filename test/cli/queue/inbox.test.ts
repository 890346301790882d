import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readInboxState } from '#cli/projects/inbox-state.ts'
import { InboxMemory, takeFromInbox } from '#cli/queue/inbox.ts'
import { readDefaultConfig } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { sha256 } from '#host/hash.ts'
import { confirmProject, readProject } from '#host/project'
import { claimFile } from '#intake'
import { createInboxHome } from '../../fixtures/inbox-home.ts'

test('a file that was moved into the inbox becomes an item at once', async t => {
  const { move, look, list, readItems, inbox, project, said } = await createInboxHome(t)
  move('fix.md', '---\ntitle: Fix the login\npriority: high\ntags: [docs]\nmodel: haiku\n---\nFix it.\n')
  assert.equal(await look(), undefined)
  const [item, ...others] = await readItems()
  assert.ok(item)
  assert.deepEqual(others, [])
  assert.equal(`${item.task}`, 'Fix it.\n')
  const { title, priority, tags, options, repository, source, key = '' } = item
  assert.deepEqual(
    { title, priority, tags, repository, source },
    {
      ...{ title: 'Fix the login', priority: 'high', tags: ['docs'] },
      ...{ repository: project.path, source: path.join(inbox, 'fix.md') },
    },
  )
  assert.deepEqual(options, ['--repo', project.path, '--model', 'haiku'])
  assert.deepEqual(list(), [])
  const kept = path.join(project.path, '.agent-queue/taken', `q-1-${key.slice('inbox-'.length)}`, 'fix.md')
  assert.match(fs.readFileSync(kept, 'utf8'), /Fix it/)
  assert.deepEqual(said, ['q-1: r, fix.md'])
})

test('a file that is written in its place waits until it is still', async t => {
  const { inbox, look, memory, readItems, settle } = await createInboxHome(t)
  const file = path.join(inbox, 'a.md')
  const write = (text: string) => {
    fs.appendFileSync(file, text, { mode: 0o600 })
    memory.stillness.note(file, 'change', performance.now())
  }
  fs.writeFileSync(file, '', { mode: 0o600 })
  memory.stillness.note(file, 'rename', performance.now())
  assert.equal(await look(), undefined, 'an empty file waits for an event')
  write('do ')
  const restMs = (await look()) ?? assert.fail('it may be complete soon')
  assert.ok(restMs > 0 && restMs <= 300, `${restMs}`)
  write('it')
  assert.ok(((await look()) ?? 0) > 0)
  assert.deepEqual(await readItems(), [])
  await settle()
  assert.deepEqual(
    (await readItems()).map(({ task }) => `${task}`),
    ['do it'],
  )
})

test('a file that does not read is rejected with the reason, and told once', async t => {
  const { move, settle, list, inbox, readItems, countNotifications, said } = await createInboxHome(t)
  move('a.md', '---\npriorty: high\n---\nx')
  move('b.md', 'good')
  move('c.md', '---\nafter: q-99\n---\nx')
  move('d.md', '---\ndeadline: soon\n---\nx')
  for (let pass = 0; pass < 3; pass++) await settle(true)
  assert.deepEqual(
    list(),
    ['a', 'c', 'd'].flatMap(name => [`${name}.md.rejected`, `${name}.md.rejected.txt`]),
  )
  const readReason = (name: string) => fs.readFileSync(path.join(inbox, `${name}.md.rejected.txt`), 'utf8')
  assert.match(readReason('a'), /^line 2: unknown key "priorty"/)
  assert.match(readReason('c'), /no item q-99/)
  assert.match(readReason('d'), /deadline takes a time, not "soon"/)
  assert.equal((await readItems()).length, 1)
  assert.equal(countNotifications(), 3)
  assert.equal(said.length, 4)
})

test('what may not be taken stays, and is told once, also after a restart', async t => {
  const files = { 'a.txt': '1', '.agent-queue/inbox/tracked.md': 'rm -rf /' }
  const { inbox, settle, list, readItems, countNotifications, said, config, project } = await createInboxHome(t, files)
  fs.chmodSync(path.dirname(inbox), 0o700)
  fs.symlinkSync('/etc/hostname', path.join(inbox, 'link.md'))
  fs.mkdirSync(path.join(inbox, 'folder.md'))
  for (let pass = 0; pass < 3; pass++) await settle(pass === 1)
  const restarted = {
    config,
    project,
    memory: new InboxMemory(config.home),
    isThorough: true,
    say: (line: string) => said.push(line),
  }
  for (let restMs = await takeFromInbox(restarted); restMs !== undefined; restMs = await takeFromInbox(restarted))
    await new Promise(resolve => setTimeout(resolve, restMs))
  assert.deepEqual(list(), ['folder.md', 'link.md', 'tracked.md'])
  assert.deepEqual(await readItems(), [])
  assert.equal(said.length, 3, said.join('\n'))
  assert.equal(countNotifications(), 3)
  fs.rmSync(path.join(inbox, 'link.md'))
  await settle(true)
  fs.symlinkSync('/etc/hostname', path.join(inbox, 'link.md'))
  await settle(true)
  assert.equal(said.length, 4, 'it came back')
})

test('a repository that has moved away is told once, until it is back', async t => {
  const { project, look, said, countNotifications, move, readItems } = await createInboxHome(t)
  fs.renameSync(project.path, `${project.path}-moved`)
  for (const isThorough of [false, true]) await look(isThorough)
  assert.deepEqual([said.length, countNotifications()], [1, 1])
  assert.match(said[0] ?? '', /does not exist any more/)
  fs.renameSync(`${project.path}-moved`, project.path)
  move('a.md', 'do it')
  await look(true)
  assert.equal((await readItems()).length, 1)
})

test('what came with a commit that git has taken back is not taken until it is written', async t => {
  const { inbox, settle, list, readItems, project } = await createInboxHome(t)
  const git = async (...args: string[]) =>
    assert.equal((await runProgram('git', args, { cwd: project.path })).exitCode, 0, args.join(' '))
  const file = path.join(inbox, 'pulled.md')
  fs.writeFileSync(file, 'rm -rf /', { mode: 0o600 })
  await git('add', '--force', file)
  await git('-c', 'user.name=x', '-c', 'user.email=x@example.com', 'commit', '-q', '-m', 'x')
  await settle()
  await git('reset', '-q', 'HEAD~1')
  for (const isThorough of [false, true, true]) await settle(isThorough)
  assert.deepEqual([list(), await readItems()], [['pulled.md'], []])
  fs.writeFileSync(file, 'do it')
  await settle(true)
  assert.deepEqual([list(), (await readItems()).length], [[], 1])
})

test('a folder that others can write gives no task until that is corrected', async t => {
  const { inbox, move, settle, readItems, said } = await createInboxHome(t)
  fs.chmodSync(path.dirname(inbox), 0o777)
  move('a.md', 'do it')
  for (let pass = 0; pass < 3; pass++) await settle(true)
  assert.deepEqual(await readItems(), [])
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /\.agent-queue can be written by its group and other users: chmod go-w/)
  fs.chmodSync(path.dirname(inbox), 0o755)
  await settle(true)
  assert.equal((await readItems()).length, 1)
})

test('what a start would refuse is put back, told once, and taken once it can start', async t => {
  const { inbox, move, settle, look, list, readItems, said, config, project } = await createInboxHome(t)
  const text = JSON.stringify({ models: { high: { orchestrator: 'sonnet' }, docs: { code: 'haiku' } } })
  fs.writeFileSync(path.join(project.path, '.dispatch.json'), text)
  move('a.md', '---\npriority: high\ntags: docs\n---\ndo it')
  for (let pass = 0; pass < 2; pass++) await settle(true)
  assert.deepEqual(list(), ['a.md'])
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /nothing can start there now: .*you have not confirmed it.*dispatch prepare/)
  confirmProject(config.home, project.path, readProject(project.path)?.sha256 ?? '')
  assert.equal(await look(), undefined)
  assert.deepEqual(list(), ['a.md'], 'only a thorough look tries it again')
  await settle(true)
  const [item] = await readItems()
  assert.deepEqual(item?.options.slice(2), ['--model', 'sonnet', '--code-model', 'haiku'])
  assert.ok(fs.existsSync(inbox))
})

test('while git is at work nothing is taken', async t => {
  const { move, look, list, project } = await createInboxHome(t)
  const lock = path.join(project.path, '.git/index.lock')
  fs.writeFileSync(lock, '')
  move('a.md', 'do it')
  const restMs = (await look()) ?? assert.fail('it looks again')
  assert.ok(restMs > 0 && restMs <= 300)
  assert.ok(((await look()) ?? 0) > restMs, 'less and less often')
  assert.deepEqual(list(), ['a.md'])
  fs.rmSync(lock)
  await look()
  assert.deepEqual(list(), [])
})

test('what the queue does not take is put back, and taken later', async t => {
  const { home, move, settle, list, readItems, said } = await createInboxHome(t)
  const database = path.join(home, 'queue.db')
  fs.mkdirSync(database) // As good as a disk that is full.
  move('a.md', 'do it')
  for (let pass = 0; pass < 2; pass++) await settle(true)
  assert.deepEqual(list(), ['a.md'])
  assert.equal(said.length, 1, said.join('\n'))
  assert.match(said[0] ?? '', /nothing can start there now: the queue in/)
  fs.rmdirSync(database)
  await settle(true)
  assert.equal((await readItems()).length, 1)
})

test('an inbox that cannot be used is told as a whole, and not as a file', async t => {
  const { move, settle, look, inbox, listTitles } = await createInboxHome(t)
  move('a.md', '---\npriorty: high\n---\nx')
  await settle()
  fs.rmSync(inbox, { recursive: true })
  fs.symlinkSync('/etc', inbox)
  await look()
  assert.deepEqual(listTitles(), ['A task was not taken', 'An inbox cannot be used'])
})

test('a folder that a repository brings as a claim gives no task, and nothing in it is moved', async t => {
  const { home, project, settle, list, readItems, said, countNotifications } = await createInboxHome(t)
  const taken = path.join(project.path, '.agent-queue/taken')
  const owner = sha256(home).slice(0, 8) // Anyone can work that out who knows the name of the user.
  const pulled = path.join(taken, `${owner}-${'0'.repeat(16)}`)
  fs.mkdirSync(pulled, { mode: 0o700 })
  fs.writeFileSync(path.join(pulled, 'evil.md'), 'rm -rf /', { mode: 0o600 })
  const notes = path.join(home, 'notes')
  fs.mkdirSync(notes)
  fs.writeFileSync(path.join(notes, 'a.md'), 'of the user', { mode: 0o600 })
  fs.symlinkSync(notes, path.join(taken, `${owner}-${'1'.repeat(16)}`))
  await commitQueue(project.path)
  for (const isThorough of [false, true, true]) await settle(isThorough)
  assert.deepEqual([list(), await readItems()], [[], []])
  assert.deepEqual([fs.readdirSync(pulled), fs.readdirSync(notes)], [['evil.md'], ['a.md']])
  assert.deepEqual([said.length, countNotifications()], [2, 2], said.join('\n'))
  const { files } = await readInboxState(readDefaultConfig({ DISPATCH_HOME: home }), project)
  assert.deepEqual(
    files.map(({ name }) => name),
    [0, 1].map(digit => `taken/${owner}-${`${digit}`.repeat(16)}`),
  )
})

test('a claim that git tracks, or that is a link by now, is left alone and told once', async t => {
  const { home, move, project, settle, list, readItems, said } = await createInboxHome(t)
  const claim = (name: string) => {
    move(name, name)
    return claimFile(home, project.path, name) ?? assert.fail(`${name} is gone`)
  }
  const tracked = claim('a.md')
  await commitQueue(project.path)
  const linked = claim('b.md')
  fs.renameSync(linked.folder, path.join(home, 'elsewhere'))
  fs.symlinkSync(path.join(home, 'elsewhere'), linked.folder)
  for (const isThorough of [false, true]) await settle(isThorough)
  assert.deepEqual([list(), await readItems()], [[], []])
  assert.ok(fs.existsSync(tracked.file) && fs.existsSync(path.join(home, 'elsewhere/b.md')))
  assert.equal(said.length, 2, said.join('\n'))
  assert.match(said.join('\n'), /git tracks it/)
  assert.match(said.join('\n'), /it is a link/)
})

test('a claim waits while git is at work, and then goes on', async t => {
  const { home, move, project, look, readItems } = await createInboxHome(t)
  const lock = path.join(project.path, '.git/index.lock')
  move('a.md', 'do it')
  claimFile(home, project.path, 'a.md')
  fs.writeFileSync(lock, '')
  assert.ok(((await look()) ?? 0) > 0)
  assert.deepEqual(await readItems(), [])
  fs.rmSync(lock)
  await look()
  assert.equal((await readItems()).length, 1)
})

/** Commit all of `.agent-queue`, as a hostile repository would have it. */
async function commitQueue(repository: string): Promise<void> {
  const run = async (...args: string[]) =>
    assert.equal((await runProgram('git', args, { cwd: repository })).exitCode, 0, args.join(' '))
  await run('add', '--force', '.agent-queue')
  await run('-c', 'user.name=x', '-c', 'user.email=x@example.com', 'commit', '-q', '-m', 'x')
}
