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
    { path: '.claude/CLAUDE.md', text: 'more rules' },
    { path: 'CLAUDE.md', text: 'rules of the house' },
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

test('a link out of the repository is not followed', async t => {
  const repository = await createRepository(t, {
    'CLAUDE.md': '-> /etc/hostname',
    'AGENTS.md': '-> ../../x',
    'a.txt': 'a',
  })
  assert.deepEqual((await readInstructions(repository)).texts, [])
  assert.deepEqual(classifyEntries([{ path: 'CLAUDE.md', mode: '160000' }]).top, [])
})
