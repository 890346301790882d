import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { git } from '#host/git'
import { archiveFiles } from '#host/git/export'
import { unpackTar } from '#host/tar.ts'
import { createRepository } from '../../../fixtures/host/repository.ts'

test('attributes and filters change nothing of the files of a commit', async t => {
  const attributes = 'docs export-ignore\na.txt export-subst ident filter=loud eol=crlf\n'
  const files = {
    '.gitattributes': attributes,
    'docs/b.txt': 'b\n',
    'a.txt': '$Format:%H$ $Id$\n',
    'docs/c': '-> ../a.txt',
  }
  const { path: checkout, commit } = await createRepository(t, files)
  await runProgram('git', ['config', 'filter.loud.smudge', 'tr a-z A-Z'], { cwd: checkout })
  const before = fs.readdirSync(path.join(checkout, '.git')).toSorted()
  const worktree = path.join(path.dirname(checkout), 'other')
  await git(['worktree', 'add', '--detach', '--quiet', worktree], { cwd: checkout })
  for (const folder of [checkout, worktree]) {
    const file = path.join(path.dirname(checkout), `${path.basename(folder)}.tar`)
    await archiveFiles(folder, commit, file, new AbortController().signal)
    unpackTar(file, `${file}.files`)
    for (const [name, text] of Object.entries(files))
      assert.equal(
        fs.readFileSync(path.join(`${file}.files`, name), 'utf8'),
        text.startsWith('-> ') ? files['a.txt'] : text,
      )
    assert.ok(!fs.existsSync(`${file}.git`))
  }
  assert.deepEqual(fs.readdirSync(path.join(checkout, '.git')).toSorted(), [...before, 'worktrees'].toSorted())
})
