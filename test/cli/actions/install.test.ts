import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ActionsValues, installWorkflow, removeWorkflow } from '#cli/actions/actions.ts'
import { findOwnSource } from '#cli/actions/own-source.ts'
import { readDefaultConfig } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { commitFolder } from '../../fixtures/rig.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const HASH = 'a'.repeat(40)

async function openCheckout(t: TestContext) {
  const folder = fs.realpathSync(createScratchFolder(t))
  const repo = path.join(folder, 'mine')
  fs.mkdirSync(repo)
  fs.writeFileSync(path.join(repo, 'readme'), 'one\n')
  await commitFolder(repo)
  const file = path.join(repo, '.github/workflows/dispatch.yml')
  const config = readDefaultConfig({ DISPATCH_HOME: path.join(folder, 'home') })
  const values = { repo, json: true, source: 'https://github.example.com/a/claude-dispatch.git', commit: HASH }
  const git = async (...args: string[]) => (await runProgram('git', args, { cwd: repo })).stdout.trim()
  return {
    ...{ repo, file, config, git },
    read: () => fs.readFileSync(file, 'utf8'),
    install: (changes: ActionsValues = {}) => installWorkflow(config, { ...values, ...changes }),
    remove: (changes: ActionsValues = {}) => removeWorkflow({ repo, json: true, ...changes }),
  }
}

test('it is written once, brought up to date, and removed; nothing is committed', async t => {
  const { file, git, read, install, remove } = await openCheckout(t)
  const head = await git('rev-parse', 'HEAD')
  assert.equal((await install({ 'dry-run': true })).state, 'would change')
  assert.ok(!fs.existsSync(file))
  assert.equal((await install()).state, 'written')
  assert.equal((await install()).state, 'unchanged')
  assert.equal((await install({ commit: 'b'.repeat(40), label: 'night' })).state, 'written')
  assert.ok(read().includes('b'.repeat(40)) && read().includes("== 'night'") && !read().includes(HASH))
  assert.equal(await git('rev-parse', 'HEAD'), head)
  assert.equal(await git('status', '--porcelain'), '?? .github/')
  assert.equal((await remove()).state, 'removed')
  assert.equal((await remove()).state, 'missing')
})

test('what a person has changed is left alone, unless it is forced', async t => {
  const { file, read, install, remove } = await openCheckout(t)
  await install()
  fs.writeFileSync(file, read().replace('timeout-minutes: 200', 'timeout-minutes: 20'))
  const own = read()
  await assert.rejects(install(), {
    exitCode: 5,
    remedy: /To see the difference: dispatch actions install --dry-run\./,
  })
  await assert.rejects(remove(), { exitCode: 5, remedy: /dispatch actions uninstall --dry-run\. To remove it/ })
  await assert.rejects(install({ 'dry-run': true }), { exitCode: 5 })
  assert.equal(read(), own)
  assert.equal((await install({ force: true })).state, 'written')
  assert.notEqual(read(), own)
  fs.writeFileSync(file, 'name: mine\n')
  assert.equal((await remove({ force: true })).state, 'removed')
})

test('a runner gets the commit that runs here, from where its clone comes, if it can be fetched there', async t => {
  const { repo, config, git } = await openCheckout(t)
  const clone = { ...config, cloneFolder: repo, installFolder: repo }
  await assert.rejects(findOwnSource(clone), { exitCode: 5 }) // It has no remote.
  await git('remote', 'add', 'origin', 'git@github.com:corp/claude-dispatch.git')
  await assert.rejects(findOwnSource(clone), { exitCode: 5, message: /on no remote/ })
  await git('update-ref', 'refs/remotes/origin/main', 'HEAD')
  const commit = await git('rev-parse', 'HEAD')
  assert.deepEqual(await findOwnSource(clone), { source: 'https://github.com/corp/claude-dispatch.git', commit })
  const version = path.join(`${repo}.versions`, `0.2.0-${commit.slice(0, 12)}`)
  fs.writeFileSync(path.join(repo, 'readme'), 'two\n')
  await git('-c', 'user.name=u', '-c', 'user.email=u@h', 'commit', '-qam', 'later')
  assert.equal((await findOwnSource({ ...clone, installFolder: version })).commit, commit)
})
