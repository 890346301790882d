import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPolicy, parseHost, type SandboxPolicy } from '#host/sandbox'
import { listWritableRoots, type SandboxRole } from '#host/sandbox/policy.ts'

const input = {
  folder: '/s/outputs',
  tempFolder: '/s/scratch',
  outputs: '/s/outputs',
  allowedHosts: ['h:1'],
  files: ['docs/**', 'docs/a/*.md'],
}

const rights: [SandboxRole, Pick<SandboxPolicy, 'writablePaths' | 'protectedPaths' | 'allowedHosts'>][] = [
  ['orchestrator', { writablePaths: [], protectedPaths: [], allowedHosts: ['h:1'] }],
  [
    'code',
    {
      writablePaths: ['/s/outputs'],
      protectedPaths: ['/s/outputs/.git/config', '/s/outputs/.git/hooks'],
      allowedHosts: ['h:1'],
    },
  ],
  ['rw', { writablePaths: ['/s/outputs/docs'], protectedPaths: ['/s/outputs/.git'], allowedHosts: ['h:1'] }],
  [
    'commit',
    {
      writablePaths: ['/s/outputs'],
      protectedPaths: ['/s/outputs/.git/config', '/s/outputs/.git/hooks'],
      allowedHosts: [],
    },
  ],
  ['setup', { writablePaths: [], protectedPaths: [], allowedHosts: ['h:1'] }],
  ['check', { writablePaths: [], protectedPaths: [], allowedHosts: [] }],
]

for (const [role, expected] of rights) {
  test(`the rights of a ${role}`, () => {
    const { writablePaths, protectedPaths, allowedHosts } = buildPolicy(role, input)
    assert.deepEqual({ writablePaths, protectedPaths, allowedHosts }, expected)
  })
}

test('an rw worker writes below the fixed part of its globs only', () => {
  assert.deepEqual(listWritableRoots('/o', ['docs/**', 'docs/a/b.md', 'src/*/x']), ['/o/docs', '/o/src'])
  assert.deepEqual(listWritableRoots('/o', ['README.md', 'docs/**']), ['/o'])
  assert.deepEqual(listWritableRoots('/o', ['../x/**']), ['/o'])
  const brackets = ['app/\\[id\\]/**', 'a{b}/!x/*', 's/[ab]/x', 't/\\*/[a]']
  assert.deepEqual(listWritableRoots('/o', brackets), ['/o/app/[id]', '/o/a{b}/!x', '/o/s', '/o/t/*'])
})

test('a host has port 443 by default', () => {
  for (const [text, host] of [
    ['example.com', 'example.com:443'],
    ['example.com:80', 'example.com:80'],
    ['*.example.com', '*.example.com:443'],
    ['[::1]:80', '[::1]:80'],
    ['*', undefined],
    ['https://example.com', undefined],
    ['example.com/x', undefined],
    ['a b', undefined],
    ['example.com:99999', undefined],
    ['', undefined],
  ] as const)
    assert.equal(parseHost(text), host, text)
})
