import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { findClaude } from '#host/claude'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('the first claude on PATH is used, else the one of the install', t => {
  const folder = createScratchFolder(t)
  const folders = ['none', 'folder', 'plain', 'program', 'later'].map(name => path.join(folder, name))
  for (const searched of folders) fs.mkdirSync(searched)
  fs.mkdirSync(path.join(folder, 'folder/claude'))
  fs.writeFileSync(path.join(folder, 'plain/claude'), '')
  for (const name of ['program', 'later'])
    fs.writeFileSync(path.join(folder, name, 'claude'), '#!/bin/sh\necho "2.1.329 (Claude Code)"\n', { mode: 0o755 })
  const searchPath = ['', ...folders].join(path.delimiter)
  assert.equal(findClaude(searchPath), path.join(folder, 'program/claude'))
  assert.match(findClaude(''), /node_modules\/\.bin\/claude$/)
})
