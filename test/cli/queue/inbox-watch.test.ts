import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { watchInboxes } from '#cli/queue/inbox-watch.ts'
import { runProgram } from '#host/exec.ts'
import { createInboxHome } from '../../fixtures/inbox-home.ts'
import { waitUntil } from '../../fixtures/scratch.ts'
import { areAllCasesWanted } from '../../long/select-cases.ts'

/** The inboxes of a home, watched as the daemon does. */
async function watch(t: TestContext) {
  const opened = await createInboxHome(t)
  const end = new AbortController()
  const said: string[] = []
  const watching = watchInboxes(
    end.signal,
    () => opened.config,
    line => said.push(line),
  )
  t.after(() => end.abort())
  return { ...opened, end, said, watching }
}

test('what is moved, written, linked and renamed there is taken once, with all of its content', async t => {
  const { home, inbox, said, end, watching, readItems } = await watch(t)
  const elsewhere = path.join(home, 'elsewhere')
  fs.writeFileSync(elsewhere, 'moved', { mode: 0o600 })
  fs.renameSync(elsewhere, path.join(inbox, 'a.md'))
  fs.writeFileSync(path.join(inbox, 'b.md'), 'written', { mode: 0o600 })
  fs.writeFileSync(path.join(inbox, '.c.md'), 'renamed', { mode: 0o600 })
  fs.renameSync(path.join(inbox, '.c.md'), path.join(inbox, 'c.md'))
  fs.writeFileSync(elsewhere, 'linked', { mode: 0o600 })
  fs.linkSync(elsewhere, path.join(inbox, 'd.md'))
  fs.unlinkSync(elsewhere)
  const slow = fs.openSync(path.join(inbox, 'e.md'), 'w', 0o600)
  for (const part of ['slowly ', 'written']) {
    fs.writeSync(slow, part)
    await waitUntil(() => said.length >= 4, 'the others are taken')
  }
  fs.closeSync(slow)
  await waitUntil(() => said.length === 5, 'all are taken')
  end.abort()
  await watching
  const tasks = (await readItems()).map(({ task }) => `${task}`)
  assert.deepEqual(tasks.sort(), ['linked', 'moved', 'renamed', 'slowly written', 'written'])
  assert.deepEqual(fs.readdirSync(inbox), [])
})

test('what git brings is not taken, also while git is at work', async t => {
  const { inbox, project, said, end, watching, readItems } = await watch(t)
  const git = async (...args: string[]) => {
    const ran = await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', ...args], { cwd: project.path })
    assert.equal(ran.exitCode, 0, ran.stderr)
  }
  const FILES = 3000 // So many that git is at work for longer than a file has to be still.
  await git('branch', 'mine')
  await git('checkout', '-q', '-b', 'theirs')
  fs.mkdirSync(path.join(project.path, 'zz'))
  for (let count = 0; count < FILES; count++) fs.writeFileSync(path.join(project.path, `zz/${count}`), 'x'.repeat(200))
  fs.writeFileSync(path.join(inbox, '.keep'), '') // Git would remove an empty folder.
  const theirs = path.join(inbox, 'theirs.md')
  fs.writeFileSync(`${theirs}.new`, 'rm -rf /', { mode: 0o600 })
  await git('add', '-A')
  await git(
    'update-index',
    '--add',
    '--cacheinfo',
    `100644,${await hash(project.path, `${theirs}.new`)},${path.relative(project.path, theirs)}`,
  )
  await git('commit', '-q', '-m', 'two')
  for (let count = 1; count <= (areAllCasesWanted ? 4 : 2); count++) {
    await git('checkout', '-q', '-f', 'mine')
    await git('checkout', '-q', '-f', 'theirs')
    assert.equal(fs.readFileSync(theirs, 'utf8'), 'rm -rf /')
    await waitUntil(() => said.length === count, 'it is told')
  }
  end.abort()
  await watching
  assert.deepEqual(await readItems(), [])
  for (const line of said) assert.match(line, /theirs\.md: it came with the repository: git tracks it/)
})

async function hash(cwd: string, file: string): Promise<string> {
  const ran = await runProgram('git', ['hash-object', '-w', file], { cwd })
  return ran.stdout.trim()
}
