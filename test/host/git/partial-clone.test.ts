import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { fetchCommit, findRepository, isPartialClone } from '#host/git'
import { resolveSessionPaths } from '#session/paths.ts'
import { importWork, prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

async function run(cwd: string, command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram('/bin/sh', ['-c', command], { cwd })
  assert.equal(exitCode, 0, `${command}: ${stderr}`)
  return stdout.trim()
}

const commitAll = 'git add -A && git -c user.name=x -c user.email=x@localhost commit -qm x && git rev-parse HEAD'

/** A repository whose history has a file that its last commit does not have. Returns its address. */
async function createUpstream(t: TestContext): Promise<string> {
  const { path: upstream } = await createRepository(t, { 'top.txt': '1', 'deep/below.txt': '1' })
  await run(upstream, `echo 2 >deep/below.txt && ${commitAll} && echo 3 >deep/below.txt && ${commitAll}`)
  await run(upstream, 'git config uploadpack.allowFilter true && git config uploadpack.allowAnySHA1InWant true')
  return `file://${upstream}`
}

test('in a partial clone, work starts from the files that are there and comes back', async t => {
  const upstream = await createUpstream(t)
  for (const filter of ['blob:none', 'tree:0']) {
    const user = path.join(createScratchFolder(t), 'user')
    await run('/', `git clone -q --filter=${filter} '${upstream}' '${user}'`)
    const found = (await findRepository(user, [])) ?? assert.fail()
    assert.ok(await isPartialClone(user))
    const paths = resolveSessionPaths(path.join(createScratchFolder(t), 'session'))
    fs.mkdirSync(paths.evidence, { recursive: true })
    const base = await prepareRepository(paths, 'dispatch/x', user, found.commit)
    assert.equal(base.commit, found.commit)
    assert.equal(fs.readFileSync(path.join(paths.outputs, 'deep/below.txt'), 'utf8'), '3\n')
    const work = await run(paths.outputs, `echo 4 >top.txt && ${commitAll}`)
    await importWork(paths)
    await fetchCommit(paths.bareRepository, work, user)
    assert.equal(await run(user, `git rev-list --count ${work}`), '4', 'the history of the user goes on below the work')
    assert.ok(!fs.existsSync(path.join(user, '.git/shallow')))
  }
})

test('a partial clone that lacks files of its commit is exit 2, with the one command that helps', async t => {
  const upstream = await createUpstream(t)
  const kinds = ['--filter=blob:none --sparse', '--filter=tree:0 --no-checkout']
  for (const options of kinds) {
    const user = path.join(createScratchFolder(t), 'user')
    await run('/', `git clone -q ${options} '${upstream}' '${user}'`)
    const objects = () => run(user, 'git count-objects -v')
    const before = await objects()
    const refusal = await findRepository(user, []).catch((error: unknown) => error)
    assert.ok(refusal instanceof DispatchError, options)
    assert.equal(refusal.exitCode, 2)
    assert.equal(await objects(), before, 'nothing was downloaded')
    const [, command = ''] = /`(.+)`/.exec(refusal.remedy) ?? []
    await run('/', command)
    assert.match((await findRepository(user, []))?.commit ?? '', /^[0-9a-f]{40}$/, options)
  }
})

test('work from a shallow clone goes nowhere where its history would have a hole', async t => {
  const upstream = await createUpstream(t)
  const scratch = createScratchFolder(t)
  const clone = async (name: string, options: string) => {
    await run(scratch, `git clone -q ${options} '${upstream}' ${name}`)
    return path.join(scratch, name)
  }
  const user = await clone('user', '--depth=2')
  const paths = resolveSessionPaths(path.join(scratch, 'session'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  await prepareRepository(paths, 'dispatch/x', user)
  const work = await run(paths.outputs, `echo 4 >top.txt && ${commitAll}`)
  await importWork(paths)
  const same = await clone('same', '--depth=1')
  const whole = await clone('whole', '')
  const checkUpstream = upstream.replace('file://', '')
  await run(checkUpstream, `echo 5 >top.txt && ${commitAll}`)
  const newer = await clone('newer', '--depth=1')
  for (const target of [user, same, whole]) {
    await fetchCommit(paths.bareRepository, work, target)
    await run(target, `git branch work ${work} && git log --oneline work && git gc -q`)
  }
  await assert.rejects(fetchCommit(paths.bareRepository, work, newer), { exitCode: 5, message: /started from/ })
  await run(newer, 'git gc -q && git fsck')
})
