/** Repositories of another user. Only root can make one, so these tests need root. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { findRepository } from '#host/git'
import { findTrustCommand, formatTrust } from '#host/git/trust.ts'
import { resolveSessionPaths } from '#session/paths.ts'
import { prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const skip = process.geteuid?.() === 0 ? false : 'only root can give a file to another user'
const OTHER_UID = 65_534

/** A configuration of git that is the user's during this test. Returns its file. */
function createUserConfig(t: TestContext): string {
  const file = path.join(createScratchFolder(t), 'gitconfig')
  const before = process.env['GIT_CONFIG_GLOBAL']
  process.env['GIT_CONFIG_GLOBAL'] = file
  t.after(() => {
    process.env['GIT_CONFIG_GLOBAL'] = before
  })
  return file
}

/** Four ways to have a work tree, each owned by another user: the folder to work in. */
async function createForeignTrees(t: TestContext): Promise<Record<string, string>> {
  const { path: plain } = await createRepository(t, { 'a/b.txt': 'b' })
  const above = path.dirname(plain)
  const [linked, separate] = [path.join(above, 'linked'), path.join(above, 'separate')]
  const git = async (...args: string[]) =>
    assert.equal((await runProgram('git', args, { cwd: plain })).exitCode, 0, args.join(' '))
  await git('worktree', 'add', '-q', linked)
  await git('clone', '-q', '--separate-git-dir', path.join(above, 'elsewhere.git'), plain, separate)
  const owner = await runProgram('chown', ['-R', String(OTHER_UID), above])
  assert.equal(owner.exitCode, 0, owner.stderr)
  return { plain, subfolder: path.join(plain, 'a'), linked, separate }
}

test('a repository of another user is exit 2 with the one command that helps', { skip }, async t => {
  const config = createUserConfig(t)
  for (const [name, folder] of Object.entries(await createForeignTrees(t))) {
    fs.writeFileSync(config, '')
    await assert.rejects(findRepository(folder, []), error => {
      assert.ok(error instanceof DispatchError, name)
      assert.equal(error.exitCode, 2, name)
      assert.match(error.message, new RegExp(`uid ${OTHER_UID}`), name)
      assert.match(error.remedy, /git config --global --add safe\.directory /, name)
      return true
    })
    // The command that is named helps.
    const command = (await findTrustCommand(folder)) ?? assert.fail(name)
    assert.equal((await runProgram('/bin/sh', ['-c', command])).exitCode, 0, name)
    const { path: found } = (await findRepository(folder, [])) ?? assert.fail(name)
    const paths = resolveSessionPaths(path.join(createScratchFolder(t), 'session'))
    fs.mkdirSync(paths.evidence, { recursive: true })
    const base = await prepareRepository(paths, 'dispatch/x', found)
    assert.match(base.commit, /^[0-9a-f]{40}$/, name)
    assert.ok(!fs.existsSync(`${paths.bareRepository}.trust`), `${name}: nothing is left of the trust`)
  }
})

test('safe.directory counts as git reads it', { skip }, async t => {
  const config = createUserConfig(t)
  const { plain = '' } = await createForeignTrees(t)
  const above = path.dirname(plain)
  const cases: [text: string, isTrusted: boolean][] = [
    ['[safe]\n\tdirectory = *\n', true],
    [`[safe]\n\tdirectory = "${plain}"\n`, true],
    [`[safe]\n\tdirectory = "${above}/*"\n`, await supportsPrefix()],
    [`[safe]\n\tdirectory = "${above}"\n`, false],
    ['[safe]\n\tdirectory = *\n\tdirectory =\n', false],
    ['[safe]\n\tdirectory = "%(prefix)/share"\n', false],
  ]
  for (const [text, isTrusted] of cases) {
    fs.writeFileSync(config, text)
    const found = await findRepository(plain, []).then(
      () => true,
      () => false,
    )
    assert.equal(found, isTrusted, text)
  }
})

/** `safe.directory = /path/*` came with git 2.46. */
async function supportsPrefix(): Promise<boolean> {
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec((await runProgram('git', ['--version'])).stdout) ?? []
  return Number(major) > 2 || Number(minor) >= 46
}

test('a trusted folder is quoted as git reads it', async t => {
  const folders = ['/a b/c', '/q"uo\\te', '/plain#1;2']
  const file = path.join(createScratchFolder(t), 'trust')
  fs.writeFileSync(file, formatTrust(folders))
  const read = await runProgram('git', ['config', '--file', file, '--get-all', 'safe.directory'])
  assert.deepEqual(read.stdout.trim().split('\n'), folders)
})
