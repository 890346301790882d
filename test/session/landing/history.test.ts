import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { git } from '#host/git'
import { parseContract } from '#session/contract'
import { findSecretMessage, findUnjudgedHistory } from '#session/landing'
import { resolveSessionPaths } from '#session/paths.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const { contract } = parseContract('# Contract: x\n\n## C1 — Only these\n- scope: `src/*` `readme`\n', {
  allowsJudgedOnly: true,
})
const token = `ghp_${'a1B2'.repeat(9)}`

/** Why these commits, each a set of files, may not be published one by one. */
async function explain(t: TestContext, commits: Record<string, string | null>[]): Promise<string | undefined> {
  const { paths, work } = await commitAll(t, commits)
  return findUnjudgedHistory(paths, contract, work, [])
}

async function commitAll(t: TestContext, commits: Record<string, string | null>[], message = 'x') {
  const paths = resolveSessionPaths(createScratchFolder(t))
  const work = path.join(paths.folder, 'work')
  fs.mkdirSync(path.join(work, 'src'), { recursive: true })
  fs.mkdirSync(path.dirname(paths.bareRepository), { recursive: true })
  const run = (...args: string[]) => git(args, { cwd: work })
  await git(['init', '--quiet', work])
  await git(['init', '--quiet', '--bare', paths.bareRepository])
  const hashes: string[] = []
  for (const files of [{ readme: 'one\n' }, ...commits]) {
    for (const [name, content] of Object.entries(files))
      if (content === null) fs.rmSync(path.join(work, name))
      else fs.writeFileSync(path.join(work, name), content)
    await run('add', '--all')
    await run('commit', '--quiet', '-m', message)
    hashes.push(await run('rev-parse', 'HEAD'))
  }
  await git(['--git-dir', paths.bareRepository, 'fetch', '--quiet', work, '+refs/*:refs/*'])
  const [base = '', commit = ''] = [hashes[0], hashes.at(-1)]
  return { paths, work: { base, commit } }
}

test('commits that only wrote what was judged may be published', async t => {
  assert.equal(await explain(t, [{ 'src/a': '1\n' }, { 'src/a': '2\n', readme: 'two\n' }]), undefined)
  assert.equal(await explain(t, [{ 'src/a': `${token}\n` }, { readme: 'two\n' }]), undefined, 'a squash has it too')
})

test('a file outside the scopes on the way, and a secret that was removed again, are told', async t => {
  assert.match(
    (await explain(t, [{ other: 'x\n' }, { other: null, 'src/a': '1\n' }])) ?? '',
    /outside the scopes.*other/,
  )
  assert.match((await explain(t, [{ 'src/a': `k = "${token}"\n` }, { 'src/a': '1\n' }])) ?? '', /secret into src\/a/)
})

test('a secret in the message of a commit is told', async t => {
  const { paths, work } = await commitAll(t, [{ 'src/a': '1\n' }], 'try Tulip-Garden-42')
  assert.equal(await findSecretMessage(paths, work, []), undefined)
  assert.match(
    (await findSecretMessage(paths, work, ['Tulip-Garden-42'])) ?? '',
    /the message of its commit \w{10} has/,
  )
})
