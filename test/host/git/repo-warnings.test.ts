import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeCaseClashes, describeMissingSubfolder, describeSubmodules } from '#host/git/repo-warnings.ts'

test('a subfolder that the commit does not have is reported', () => {
  const entries = [{ path: 'packages/web/x', mode: '100644' }]
  for (const folder of [undefined, 'packages', 'packages/web'])
    assert.deepEqual(describeMissingSubfolder(folder, entries), [])
  assert.equal(describeMissingSubfolder('packages/we', entries).length, 1)
})

test('names that differ only in case, and submodules, are reported', () => {
  const entry = (file: string, mode = '100644') => ({ path: file, mode })
  assert.deepEqual(describeCaseClashes([entry('a'), entry('b'), entry('dir/a')]), [])
  assert.match(describeCaseClashes([entry('README'), entry('readme')]).join(), /^README and readme are one file/)
  assert.equal(describeCaseClashes([entry('caf\u00e9'), entry('cafe\u0301')]).length, 1)
  const submodule = (name: string, gitFolder?: string) =>
    ({ path: name, name, commit: '', gitFolder, ignored: 'nothing' }) as const
  assert.deepEqual(describeSubmodules([submodule('a', '/a')]), [])
  assert.match(describeSubmodules([submodule('a', '/a'), submodule('v')]).join(), /^1 submodule is not here .*: v;/)
  assert.match(describeSubmodules(['a', 'b', 'c', 'd'].map(name => submodule(name))).join(), /4 submodules.*and 1 more/)
})
