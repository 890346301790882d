import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listChangesOutsideScopes, parseContract } from '#session/contract'

test('a change outside of all scopes is listed', () => {
  const paths = ['README.md', 'd é.md', 'src/a/b.py', 'src/日本 ü.txt', 'srcs/c.py', 'app/[id]/x', 'app/i/x']
  const changes = paths.map(path => ({ path, change: 'added' as const }))
  const table: [globs: string[], inside: string[]][] = [
    [['src'], ['src/a/b.py', 'src/日本 ü.txt']],
    [['src/'], ['src/a/b.py', 'src/日本 ü.txt']],
    [['*.md'], ['README.md', 'd é.md']],
    [
      ['**/*.py', 'README.md'],
      ['README.md', 'src/a/b.py', 'srcs/c.py'],
    ],
    [['nothing'], []],
    [['app/[id]/**'], ['app/[id]/x']],
    [['**'], paths],
  ]
  for (const [globs, inside] of table) {
    const text = globs.map((glob, index) => `## C${index + 1} — within\n- scope: \`${glob}\`\n`).join('\n')
    const { contract, problems } = parseContract(`# Contract: x\n\n${text}`, { allowsJudgedOnly: true })
    assert.deepEqual(problems, [])
    const outside = listChangesOutsideScopes(contract, { baseFiles: ['app/[id]/y'], changes }).map(({ path }) => path)
    assert.deepEqual(
      outside,
      paths.filter(path => !inside.includes(path)),
      globs.join(),
    )
  }
})
