import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { applyWork, describeWarning, findApplied, findTargetRepository, findWorkToApply } from '#session'
import { importWork, prepareRepository } from '#session/repository'
import { initialStatus, type VerdictState } from '#session/status'
import { createTestSession } from '../fixtures/new-session.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

const passed: VerdictState = {
  round: 2,
  verdict: 'PASS',
  reason: 'all checks pass',
  commit: 'c',
  tree: 't',
  isFinal: true,
  independence: '',
  time: '',
}

const warnings: [name: string, status: Parameters<typeof describeWarning>[0], changed: string[], warns: boolean][] = [
  ['a valid PASS', { phase: 'PASS', verdict: passed }, [], false],
  ['no verdict', { phase: 'working' }, [], true],
  ['a verdict that is not final', { phase: 'working', verdict: { ...passed, isFinal: false } }, [], true],
  ['FAIL', { phase: 'FAIL', verdict: { ...passed, verdict: 'FAIL' } }, [], true],
  ['a PASS after which the session needs a human', { phase: 'needs you', verdict: passed, problem: 'x' }, [], true],
  ['a PASS after which files changed', { phase: 'PASS', verdict: passed }, ['a.txt'], true],
  ['a void PASS', { phase: 'PASS', verdict: { ...passed, voidReason: 'x' } }, [], true],
]

for (const [name, status, changed, warns] of warnings)
  test(`${name} ${warns ? 'is applied with a warning' : 'is applied without a warning'}`, () => {
    assert.equal(describeWarning(status, changed) !== undefined, warns)
  })

test('accepted work is applied as a new branch, and nothing is checked out', async t => {
  const { session, repository, status } = await createWorkedSession(t)
  const work = await findWorkToApply(session, status)
  assert.ok(work.warning, 'it was not judged')
  const checkout = await findTargetRepository(session, undefined, [])
  assert.equal(checkout.path, repository)
  assert.equal(await findApplied(session, work, checkout, 'mine', 'as it is'), undefined)
  await applyWork(session, work, checkout, 'mine')
  assert.equal(await findApplied(session, work, checkout, 'mine', 'as it is'), work.commit)
  assert.equal(await git(repository, 'branch', '--show-current'), 'main')
  assert.deepEqual(fs.readdirSync(repository).sort(), ['.git', 'a.txt'])
})

test('a branch name in use is exit 5, and an invalid one exit 2', async t => {
  const { session, status } = await createWorkedSession(t)
  const work = await findWorkToApply(session, status)
  const checkout = await findTargetRepository(session, undefined, [])
  const find = (branch: string) => findApplied(session, work, checkout, branch, 'as it is')
  await assert.rejects(find('main'), { exitCode: exitCodes.conflict })
  await assert.rejects(find('a..b'), { exitCode: exitCodes.usage })
})

test('a session without work is exit 4', async t => {
  await assert.rejects(findWorkToApply(createTestSession(t), initialStatus), { exitCode: exitCodes.notFound })
})

test('without a repository to apply to, the exit code says why', async t => {
  const session = createTestSession(t)
  await assert.rejects(findTargetRepository(session, createScratchFolder(t), []), { exitCode: exitCodes.notFound })
  await assert.rejects(findTargetRepository(session, undefined, [process.cwd()]), { exitCode: exitCodes.usage })
})

test('work that writes in .agent-queue/ is exit 5, in whatever letters and commit', async t => {
  for (const file of ['.agent-queue/inbox/a.md', '.Agent-Queue/x']) {
    const { session, status } = await createWorkedSession(t)
    const { outputs } = session.paths
    fs.mkdirSync(path.join(outputs, path.dirname(file)), { recursive: true })
    await commitFile(outputs, file)
    await git(outputs, 'rm', '-q', file)
    const acceptedCommit = await commitFile(outputs, 'c.txt')
    await importWork(session.paths)
    await assert.rejects(findWorkToApply(session, { ...status, acceptedCommit }), {
      exitCode: exitCodes.conflict,
      message: new RegExp(file.replaceAll('.', '\\.')),
    })
  }
  const { session, status } = await createWorkedSession(t)
  fs.mkdirSync(path.join(session.paths.outputs, 'docs/.agent-queue'), { recursive: true })
  const acceptedCommit = await commitFile(session.paths.outputs, 'docs/.agent-queue/a.md')
  await importWork(session.paths)
  await findWorkToApply(session, { ...status, acceptedCommit }) // Only the folder at the top is an inbox.
})

/** A session from a repository with one file, in which a worker has committed a second one. */
async function createWorkedSession(t: TestContext) {
  const repository = fs.realpathSync(createScratchFolder(t))
  await git(repository, 'init', '-q', '-b', 'main')
  const first = await commitFile(repository, 'a.txt')
  const session = createTestSession(t, { repository: { path: repository, commit: first, uncommittedFiles: 0 } })
  const base = await prepareRepository(session.paths, 'work', repository)
  const acceptedCommit = await commitFile(session.paths.outputs, 'b.txt')
  await importWork(session.paths)
  return { session, repository, status: { ...initialStatus, base, acceptedCommit } }
}

async function commitFile(folder: string, name: string): Promise<string> {
  fs.writeFileSync(path.join(folder, name), name)
  await git(folder, 'add', name)
  await git(folder, '-c', 'user.name=u', '-c', 'user.email=u@h', 'commit', '-qm', name)
  return git(folder, 'rev-parse', 'HEAD')
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  const ran = await runProgram('git', args, { cwd })
  assert.equal(ran.exitCode, 0, `git ${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}
