import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideBrackets, formatGlobs, isGlob, matchesGlob } from '#session/contract'

const baseFiles = [
  ...['app/[id]/page.tsx', 'app/i/page.tsx', 'app/[[...slug]]/page.ts', 'app/(group)/[lang]/x.ts', 'a{b}/!x'],
  ...['src/a.ts', 'src/b.ts', 'docs/[draft]-1.md', 'star*/q?.md', 'deep/a/[id]/x', 'back\\slash/x'],
]

test('a bracket that names a file or folder of the base is that one, else a class and a name', () => {
  const table: [glob: string, decided: string[]][] = [
    ['app/[id]/**', ['app/\\[id\\]/**']],
    ['app/[id]', ['app/\\[id\\]']],
    ['./app//[id]/', ['app/\\[id\\]/']],
    ['app/[id]/page.tsx', ['app/\\[id\\]/page.tsx']],
    ['app/[[...slug]]/page.*', ['app/\\[\\[...slug\\]\\]/page.*']],
    ['app/(group)/[lang]/**', ['app/(group)/\\[lang\\]/**']],
    ['**/[lang]/*', ['**/\\[lang\\]/*']],
    ['docs/[draft]*', ['docs/\\[draft\\]*']],
    ['src/[ab].ts', ['src/[ab].ts', 'src/\\[ab\\].ts']],
    ['app/[new]/[id]/x', ['app/[new]/[id]/x', 'app/\\[new\\]/\\[id\\]/x', 'app/[new]/\\[id\\]/x']],
    ['deep/[ab]/[id]/x', ['deep/[ab]/\\[id\\]/x', 'deep/\\[ab\\]/\\[id\\]/x']],
    ['a{b}/!x', ['a{b}/!x']],
    ['star*/q?.md', ['star*/q?.md']],
    ['star\\*/q\\?.md', ['star\\*/q\\?.md']],
    ['app/\\[id\\]/**', ['app/\\[id\\]/**']],
  ]
  for (const [glob, decided] of table) {
    assert.ok(isGlob(glob), glob)
    assert.deepEqual(decideBrackets([glob], baseFiles), decided, glob)
  }
})

test('decided globs match what a person means', () => {
  const matches = (glob: string, file: string) =>
    decideBrackets([glob], baseFiles).some(decided => matchesGlob(decided, file))
  assert.ok(matches('app/[id]/**', 'app/[id]/new.ts'))
  assert.ok(!matches('app/[id]/**', 'app/i/page.tsx'), 'an existing folder is no class')
  assert.ok(matches('app/[slug]/**', 'app/[slug]/page.tsx'), 'the name of a new folder')
  assert.ok(matches('star\\*', 'star*/q?.md'))
  assert.ok(!matches('star\\*', 'starlight/x'))
  assert.ok(matches('back\\\\slash', 'back\\slash/x'))
  assert.ok(!matches('app/\\[id\\]/**', 'app/\\[id\\]/**/x'), 'a folder that is named like the pattern')
  assert.equal(formatGlobs(decideBrackets(['app/[id]/**', 'src/[ab].ts'], baseFiles)), 'app/[id]/**, src/[ab].ts')
})

test('nothing that the work creates changes what a glob means', () => {
  const before = decideBrackets(['app/[a-z]/**'], baseFiles)
  assert.deepEqual(before, ['app/[a-z]/**', 'app/\\[a-z\\]/**'])
  const allowed = ['app/b/x', 'app/[a-z]/x'].map(file => before.some(glob => matchesGlob(glob, file)))
  assert.deepEqual(allowed, [true, true], 'both meanings hold from the seal on')
})
