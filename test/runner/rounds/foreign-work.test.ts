import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { refuseForeignWork } from '#runner/rounds/foreign-work.ts'
import { importWork, prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** A session on a repository whose submodule `lib` has the submodule `inner`, and this line about `lib` in `.gitmodules`. */
async function prepare(t: TestContext, line: string) {
  const folder = fs.realpathSync(createScratchFolder(t))
  const script = `
git init -q inner && git -C inner commit -q --allow-empty -m one
git init -q lib && cd lib && echo 1 >a.c && git add . && git submodule --quiet add ../inner inner && git commit -q -m one && cd ..
git init -q user && cd user && git submodule --quiet add ../lib lib
printf '${line}' >>.gitmodules && git add . && git commit -q -m one && git submodule --quiet update --init --recursive`
  const identity = {
    GIT_AUTHOR_NAME: 'u',
    GIT_AUTHOR_EMAIL: 'u@x',
    GIT_COMMITTER_NAME: 'u',
    GIT_COMMITTER_EMAIL: 'u@x',
  }
  const env = { ...identity, PATH: process.env['PATH'] ?? '', HOME: folder, GIT_ALLOW_PROTOCOL: 'file' }
  const ran = await runProgram('/bin/sh', ['-ec', script], { cwd: folder, env })
  assert.equal(ran.exitCode, 0, ran.stderr)
  const context = createTestContext(t)
  const { paths } = context.session
  const base = await prepareRepository(paths, 'dispatch/x', path.join(folder, 'user'))
  context.record({ type: 'base.prepared', ...base })
  const write = (name: string) => fs.writeFileSync(path.join(paths.outputs, name), 'x')
  const submit = async () => (await refuseForeignWork(context, base.commit))?.text
  return { write, submit }
}

test('what a build makes inside a submodule is told from a change of it', async t => {
  const { write, submit } = await prepare(t, '')
  assert.equal(await submit(), undefined)
  write('lib/a.o')
  assert.match((await submit()) ?? '', /these new files are in a submodule[\s\S]*lib\/a\.o\nIf a build made them/)
  write('lib/a.c')
  assert.match((await submit()) ?? '', /these files belong to a submodule[\s\S]*lib\/a\.c\n {2}lib\/a\.o\n/)
})

test('what .gitmodules of the base says to ignore is no change', async t => {
  const untracked = await prepare(t, '\\tignore = untracked\\n')
  for (const file of ['lib/a.o', 'lib/inner/b.o']) untracked.write(file)
  assert.equal(await untracked.submit(), undefined)
  untracked.write('lib/a.c')
  assert.match((await untracked.submit()) ?? '', /these files belong to a submodule[\s\S]*:\n {2}lib\/a\.c\n[^ ]/)
  const dirty = await prepare(t, '\\tignore = dirty\\n')
  for (const file of ['lib/a.o', 'lib/a.c', 'lib/inner/b.o']) dirty.write(file)
  assert.equal(await dirty.submit(), undefined)
})

test('work that writes in .agent-queue/ is not judged', async t => {
  const context = createTestContext(t)
  const { paths } = context.session
  const { path: repository } = await createRepository(t, { 'a.txt': '1' })
  const base = await prepareRepository(paths, 'dispatch/x', repository)
  context.record({ type: 'base.prepared', ...base })
  const commit = async (file: string) => {
    fs.mkdirSync(path.dirname(path.join(paths.outputs, file)), { recursive: true })
    fs.writeFileSync(path.join(paths.outputs, file), 'x')
    const script = 'git add -Af . && git -c user.name=u -c user.email=u@h commit -qm one'
    const ran = await runProgram('/bin/sh', ['-ec', script], { cwd: paths.outputs })
    assert.equal(ran.exitCode, 0, ran.stderr)
    const { commit: acceptedCommit } = await importWork(paths)
    context.status = { ...context.status, acceptedCommit }
    return (await refuseForeignWork(context, acceptedCommit))?.text
  }
  assert.equal(await commit('b.txt'), undefined)
  assert.match((await commit('.agent-queue/inbox/a.md')) ?? '', /writes in \.agent-queue\/[\s\S]*inbox\/a\.md/)
})
