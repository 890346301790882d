import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { before, test } from 'node:test'
import { git } from '#host/git'
import { decideBrackets, globsOverlap, isGlob, matchesGlob } from '#session/contract'
import { assertGrowsLinearly } from '../../fixtures/growth.ts'
import { createRandom, createScratchFolder } from '../../fixtures/scratch.ts'

const corpus = [
  ...[
    'README.md',
    'fib.py',
    'a',
    'ab',
    'abc',
    'b',
    '.env',
    '.envrc',
    '.env.d/x',
    '.github/workflows/ci.yml',
    'Makefile',
    'x.md',
    'x.txt',
  ],
  ...['src/index.ts', 'src/app.ts', 'src/app.test.ts', 'src/a/b/c.ts', 'src/a/b.ts', 'src/.hidden', 'src/a.md'],
  ...['srcs/index.ts', 'source/x.ts', 'tests/test_fib.py', 'tests/unit/test_a.py', 'tests/unit/deep/er/test_b.py'],
  ...['docs/guide.md', 'docs/img/one.png', 'docs/img/two.png', 'docs/a b.md', 'docs/ü.md', 'docs/日本.md'],
  ...['d/x', 'd/e/x', 'd/e/f/x', 'd/e/f/g/x', 'e/x', 'f', 'd1/x', 'd2/x', 'dx/x', 'd-/x', 'x/d', 'x/d2/y', 'x/y/z/w'],
  ...['weird/[a].txt', 'weird/a*b', 'weird/axb', 'weird/a?b', 'weird/[', 'weird/]', 'weird/!x', 'weird/a-b', 'weird/^'],
  ...[
    'weird/~',
    'weird/#x',
    'weird/$(x)',
    "weird/it's",
    'weird/a"b',
    'weird/a,b',
    'weird/{a,b}',
    'long/aaaaaaaaaaaaaaab',
  ],
]

const globs = [
  ...[
    '*',
    '**',
    '**/*',
    '*.md',
    '**/*.md',
    '*.ts',
    '**/*.ts',
    'src',
    'src/',
    './src',
    'src/*',
    'src/**',
    'src/**/*.ts',
  ],
  ...['src/*.ts', 'src/a', 'src/a/*', 'src/*/b', 'src/*/b.ts', 'src/**/b', 'src/**/c.ts', '**/c.ts', '**/a', '**/b'],
  ...['a', 'a*', '?', '??', '???', 'a?', '*a*', '*b', 'a*c', '.*', '.github', '.github/**', '**/.*', '**/ci.yml'],
  ...['d/**/x', 'd/*/x', 'd/**', '**/x', '**/e/**', '**/d/**', 'd/e', 'd/e/', 'd/e/f/g', '**/f', 'd?/x', 'd*/x'],
  ...['[ab]', '[a-c]', '[!a]', '[^a]', 'd[0-9]/x', 'd[!0-9]/x', 'd[-x]/x', 'd[0-9x]/*', '[a-z]/x', '**/[a-d]*'],
  ...['x.[tm]*', 'weird/[[]', 'weird/[]]', 'weird/[!!]x', 'weird/a[*]b', 'weird/a[?]b', 'weird/a*b', 'weird/a?b'],
  ...['weird/[a].txt', 'weird/*', 'weird/[z-a]', 'weird/[^a-z]*', 'docs/*', 'docs/a b.md', 'docs/ü.md', 'docs/日*'],
  ...[
    'tests/**/test_*.py',
    'tests/*/test_*',
    '**/unit',
    '**/deep/**',
    'nothing/**',
    'README',
    'readme.md',
    'README.md/',
  ],
  ...[
    '**/**',
    '**/**/x',
    'd/**/**/x',
    'a**',
    'src/a**',
    '*/*',
    '*/*/*',
    '*/**',
    'long/*a*a*a*a*a*b',
    '**/img',
    '*/img',
  ],
  ...['weird/\\[a\\].txt', 'weird/a\\*b', 'weird/a\\?b', 'weird/\\[', 'weird/\\!x'],
  ...['src//a', 'src/./a', './**/x', 'src/*/', 'tests/unit*', "weird/it's", 'weird/{a,b}', 'weird/#x', 'weird/$(x)'],
]

let listWithGit: (glob: string) => Promise<string[]>

before(async context => {
  const folder = createScratchFolder(context as never)
  for (const file of corpus) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    fs.writeFileSync(path.join(folder, file), '')
  }
  await git(['init', '--quiet', folder])
  await git(['add', '--all', '--force'], { cwd: folder })
  const tracked = (await git(['ls-files', '-z'], { cwd: folder })).split('\0').filter(Boolean)
  assert.deepEqual(tracked.sort(), [...corpus].sort())
  listWithGit = async glob => {
    const inside = `${glob.replace(/\/+$/, '')}/**`
    const found = await git(['ls-files', '-z', '--', `:(glob)${glob}`, `:(glob)${inside}`], { cwd: folder })
    return found.split('\0').filter(Boolean).sort()
  }
})

test('a glob matches the same files as in git, and everything in a folder', async () => {
  assert.ok(corpus.length >= 60 && globs.length >= 80, `${corpus.length} files, ${globs.length} globs`)
  for (const glob of globs) {
    const decided = decideBrackets([glob], [])
    // Of a bracket that is not decided, git reads both meanings at once.
    for (const one of decided.filter(text => !/(?<!\\)\[/.test(text)))
      assert.deepEqual(corpus.filter(file => matchesGlob(one, file)).sort(), await listWithGit(one), one)
    const matched = corpus.filter(file => decided.some(one => matchesGlob(one, file))).sort()
    assert.deepEqual(matched, await listWithGit(glob), glob)
  }
})

test('two globs that match the same path overlap, in either order', () => {
  const matched = globs.map(glob => corpus.filter(file => matchesGlob(glob, file)))
  for (const [i, a] of globs.entries())
    for (const [j, b] of globs.entries()) {
      if (j < i) continue
      const shared = matched[i]?.find(file => matched[j]?.includes(file))
      if (shared !== undefined) assert.ok(globsOverlap(a, b), `${a} and ${b} share ${shared}`)
      assert.equal(globsOverlap(a, b), globsOverlap(b, a), `${a} and ${b}`)
    }
})

test('globs overlap as a person would expect', () => {
  const table: [string, string, boolean][] = [
    ['src/**', 'docs/**', false],
    ['src/**', 'src/a.ts', true],
    ['src', 'src/a/b.ts', true],
    ['src/a', 'src/ab', false],
    ['*.md', '*.ts', false],
    ['*.md', 'README.*', true],
    ['README.md', 'README.md', true],
    ['README.md', 'docs/README.md', false],
    ['**/*.md', 'docs', true],
    ['**/*.md', '**/*.ts', true], // A folder may be named *.md and hold a *.ts.
    ['a/*/c', 'a/b/*', true],
    ['a/*/c', 'b/*/c', false],
    ['a/**/z', 'a/z', true],
    ['[ab].ts', 'c.ts', false],
    ['[ab].ts', '[bc].ts', true],
    ['[!a].ts', 'a.ts', false],
    ['a?', 'abc', false],
    ['src/', './src', true],
  ]
  for (const [a, b, wanted] of table) assert.equal(globsOverlap(a, b), wanted, `${a} and ${b}`)
})

test('wildcards in a path are plain characters', () => {
  assert.ok(!matchesGlob('axb', 'a*b'))
  assert.ok(!matchesGlob('a', '*'))
  assert.ok(!matchesGlob('src/x', '**'))
  assert.ok(matchesGlob('a*b', 'a*b'))
  assert.ok(matchesGlob('a\\*b', 'a*b') && !matchesGlob('a\\*b', 'axb'))
  assert.ok(matchesGlob('\\[a\\]', '[a]/x') && !matchesGlob('\\[a\\]', 'a'))
})

test('the cost of a glob grows with its length, not exponentially', () => {
  assertGrowsLinearly('stars and a path', 640, size =>
    assert.ok(!matchesGlob(`${'*a'.repeat(size)}b`, 'a'.repeat(200))),
  )
  assertGrowsLinearly('two globs', 640, size => assert.ok(globsOverlap(`${'*a'.repeat(size)}b`, `${'a*'.repeat(40)}b`)))
  assertGrowsLinearly('any folders', 400, size =>
    assert.ok(!matchesGlob(`${'**/a/'.repeat(size)}b`, `${'a/'.repeat(60)}c`)),
  )
})

test('5,000 random pairs overlap whenever both match a path', () => {
  const random = createRandom(7)
  const parts = ['a', 'b', '*', '?', '**', '/', '/', '[ab]', '[!a]', 'a*', '.']
  const randomGlob = () =>
    Array.from({ length: 1 + Math.floor(random() * 6) }, () => parts[Math.floor(random() * 11)]).join('')
  const names = ['a', 'b', 'ab', 'a/b', 'b/a', 'a/a/a', 'ab/b', '.a/b', 'b/ab/a', 'a.b']
  let overlaps = 0
  for (let round = 0; round < 5000; round++) {
    const [a, b] = [randomGlob(), randomGlob()]
    if (!isGlob(a) || !isGlob(b)) continue
    assert.equal(globsOverlap(a, b), globsOverlap(b, a), `${a} and ${b}`)
    if (!names.some(name => matchesGlob(a, name) && matchesGlob(b, name))) continue
    overlaps++
    assert.ok(globsOverlap(a, b), `${a} and ${b}`)
  }
  assert.ok(overlaps > 300, `${overlaps} pairs overlap`)
})

test('text that leads out of the repository, or is pathspec magic, is not a glob', () => {
  for (const text of [
    '',
    '/',
    '/etc',
    '..',
    '../x',
    'a/../b',
    'a/..',
    ':(top)x',
    ':!x',
    '-x',
    'a\nb',
    'a\0b',
    'a\\b',
    'a\\',
    '\\../x',
    '[a\\]]',
    '[[:alpha:]]',
  ])
    assert.ok(!isGlob(text), JSON.stringify(text))
  for (const text of [...globs, '...', 'a..b', '..a/b', 'a:b', '[:id]', 'a\\ b']) assert.ok(isGlob(text), text)
})
