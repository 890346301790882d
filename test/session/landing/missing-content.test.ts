import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { git } from '#host/git'
import { findMissingContent } from '#session/landing'
import { resolveSessionPaths } from '#session/paths.ts'
import { exportRepository, prepareRepository } from '#session/repository'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const getOid = (content: string) => hash('sha256', content)
const renderPointer = (content: string) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${getOid(content)}\nsize ${content.length}\n`

async function run(cwd: string, ...args: string[]): Promise<string> {
  const settings = ['user.name=u', 'user.email=u@localhost', 'protocol.file.allow=always']
  const ran = await runProgram('git', [...settings.flatMap(setting => ['-c', setting]), ...args], { cwd })
  assert.equal(ran.exitCode, 0, `${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}

/** A checkout with a submodule and a large file that is not there, a session from it, and what another person then pushed. */
async function prepare(t: TestContext) {
  const scratch = createScratchFolder(t)
  const [lib, user, other] = ['lib', 'user', 'other'].map(name => path.join(scratch, name)) as [string, string, string]
  const commit = async (folder: string, files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
    await run(folder, 'add', '--all')
    await run(folder, 'commit', '--quiet', '-m', 'x')
    return run(folder, 'rev-parse', 'HEAD')
  }
  for (const folder of [lib, user]) await run(scratch, 'init', '--quiet', folder)
  await commit(lib, { 'lib.mk': 'X = 1\n' })
  fs.writeFileSync(path.join(user, '.gitattributes'), '*.bin filter=lfs\n')
  await run(user, 'submodule', '--quiet', 'add', lib, 'lib')
  const base = await commit(user, { 'old.bin': renderPointer('old') })
  const paths = resolveSessionPaths(path.join(scratch, '2026-01-01-a-abcd'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  await prepareRepository(paths, 'dispatch/x', user, base)
  await run(scratch, 'clone', '--quiet', '--recurse-submodules', user, other)
  const moved = await commit(lib, { 'lib.mk': 'X = 2\n' })
  await run(path.join(other, 'lib'), 'fetch', '--quiet')
  await run(path.join(other, 'lib'), 'checkout', '--quiet', moved)
  const tip = await commit(other, { 'new.bin': renderPointer('new') })
  const { bareRepository } = paths
  await git(['--git-dir', bareRepository, 'fetch', '--quiet', other, tip])
  const find = () => findMissingContent(paths, { base, commit: tip, checkout: user })
  return { scratch, user, paths, tip, find }
}

test('what another person has changed on the branch is missing until this machine has it', async t => {
  const { scratch, user, paths, tip, find } = await prepare(t)
  assert.deepEqual(await find(), { lfsFiles: ['new.bin'], submodules: ['lib'] }, 'old.bin was missing from the start')
  await run(path.join(user, 'lib'), 'fetch', '--quiet')
  const oid = getOid('new')
  const folder = path.join(user, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4))
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, oid), 'new')
  assert.deepEqual(await find(), { lfsFiles: [], submodules: [] })
  const tree = await git(['--git-dir', paths.bareRepository, 'rev-parse', `${tip}^{tree}`])
  const exported = path.join(scratch, 'exported')
  fs.mkdirSync(exported)
  await exportRepository(paths, { commit: tip, tree }, exported, [])
  const read = (name: string) => fs.readFileSync(path.join(exported, name), 'utf8')
  assert.deepEqual([read('lib/lib.mk'), read('new.bin')], ['X = 2\n', 'new'])
  assert.equal(await run(path.join(exported, 'lib'), 'status', '--porcelain'), '')
})
