import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readInstructions } from '#host/project'
import { classifyEntries } from '#host/project/instructions.ts'
import { createRepository } from '../../fixtures/host/repository.ts'

test('top files are texts, deeper ones are named, settings are listed', async t => {
  const repository = await createRepository(t, {
    'CLAUDE.md': 'rules of the house\n',
    'AGENTS.md': '-> CLAUDE.md',
    '.claude/CLAUDE.md': 'more rules\n',
    'packages/a/AGENTS.md': 'deep',
    '.claude/settings.json': '{}',
    '.claude/settings.local.json': '{}',
    '.mcp.json': '{}',
    '.claude/commands/a.md': 'a',
    '.claude/commands/b.md': 'b',
    '.claude/agents/c.md': 'c',
  })
  fs.writeFileSync(path.join(repository.path, 'CLAUDE.md'), 'changed, not committed\n')
  const { texts, nested, ignored } = await readInstructions(repository)
  assert.deepEqual(texts, [
    { path: 'CLAUDE.md', text: 'rules of the house' },
    { path: '.claude/CLAUDE.md', text: 'more rules' },
  ])
  assert.deepEqual(nested, ['packages/a/AGENTS.md'])
  assert.deepEqual(ignored.sort(), [
    '.claude/agents/ (1 file)',
    '.claude/commands/ (2 files)',
    '.claude/settings.json',
    '.claude/settings.local.json',
    '.mcp.json',
  ])
})

test('for a subfolder, the files from the top down to it are texts and share the space', async t => {
  const repository = await createRepository(t, {
    'CLAUDE.md': 'top',
    'packages/CLAUDE.md': 'between',
    'packages/web/AGENTS.md': 'x'.repeat(70_000),
    'packages/web/CLAUDE.md': '-> AGENTS.md',
    'packages/web/src/CLAUDE.md': 'below',
    'packages/api/CLAUDE.md': 'beside',
    'packages/web/.claude/settings.json': '{}',
    'packages/api/.mcp.json': '{}',
  })
  const { texts, nested, ignored } = await readInstructions({ ...repository, subfolder: 'packages/web' })
  assert.deepEqual(
    texts.map(({ path: file, text }) => [file, text.length]),
    [
      ['CLAUDE.md', 3],
      ['packages/CLAUDE.md', 7],
      ['packages/web/AGENTS.md', 65_536 + '\n[cut here: the file is longer]'.length],
    ],
  )
  assert.deepEqual(nested, ['packages/api/CLAUDE.md', 'packages/web/src/CLAUDE.md'])
  assert.deepEqual(ignored, ['packages/web/.claude/settings.json'])
  const steps = Array.from({ length: 30 }, (_, index) => `d${index}`)
  const deep = steps.map((_, index) => [`${steps.slice(0, index + 1).join('/')}/CLAUDE.md`, 'y'.repeat(20_000)])
  const many = await readInstructions({
    ...(await createRepository(t, Object.fromEntries(deep))),
    subfolder: steps.join('/'),
  })
  assert.equal(many.texts.length, 30)
  assert.ok(many.texts.map(({ text }) => text).join('').length < 270_000)
})

test('a link out of the repository is not followed', async t => {
  const repository = await createRepository(t, {
    'CLAUDE.md': '-> /etc/hostname',
    'AGENTS.md': '-> ../../x',
    'a.txt': 'a',
  })
  assert.deepEqual((await readInstructions(repository)).texts, [])
  assert.deepEqual(classifyEntries([{ path: 'CLAUDE.md', mode: '160000' }]).passedOn, [])
})
