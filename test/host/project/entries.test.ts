import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listMissingLockfiles, matchesEntry } from '#host/project'
import { createRepository } from '../../fixtures/host/repository.ts'

test('an entry is a name, a folder or a pattern', () => {
  const files = ['pom.xml', 'a/pom.xml', 'a/b/pom.xml', 'a/my-pom.xml', 'a/[id]/x.lock', 'a/i/x.lock', 'ab/c']
  const cases: [entry: string, matched: string[]][] = [
    ['pom.xml', ['pom.xml']],
    ['**/pom.xml', ['pom.xml', 'a/pom.xml', 'a/b/pom.xml']],
    ['a/**/pom.xml', ['a/pom.xml', 'a/b/pom.xml']],
    ['*/pom.xml', ['a/pom.xml']],
    ['a/*pom.xml', ['a/pom.xml', 'a/my-pom.xml']],
    ['a/b/**', ['a/b/pom.xml']],
    ['a/b', ['a/b/pom.xml']],
    ['a/b/', ['a/b/pom.xml']],
    ['a/[id]/x.lock', ['a/[id]/x.lock']],
    ['a/[id]/*', ['a/[id]/x.lock']],
    ['pom?xml', []],
  ]
  for (const [entry, matched] of cases)
    assert.deepEqual(
      files.filter(file => matchesEntry(entry, file)),
      matched,
      entry,
    )
})

test('entries that name no file are listed', async t => {
  const repository = await createRepository(t, { 'a/x.lock': '', 'b.lock': '' })
  const entries = ['b.lock', 'a', '**/x.lock', '*.lock', 'c.lock', '*.toml']
  assert.deepEqual(await listMissingLockfiles(repository, entries), ['c.lock', '*.toml'])
})
