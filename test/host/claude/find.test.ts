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

test('behind a version manager it is the program that the manager would start', t => {
  const folder = createScratchFolder(t)
  const real = path.join(folder, 'real/claude')
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  }
  const link = (target: string, name: string) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.symlinkSync(path.join(folder, target), path.join(folder, name))
  }
  const answer = `[ "$*" = 'which claude' ] && echo '${real}'`
  write('real/claude', 'true')
  write('volta/volta-shim', 'exit 126')
  write('volta/volta', answer)
  link('volta/volta-shim', 'volta/claude')
  write('programs/mise', answer)
  link('programs/mise', 'mise/claude')
  write('programs/asdf', answer)
  write('nodenv/claude', 'exec "/not/there/nodenv" exec "$program" "$@"')
  write('other/claude', 'exec node cli.js')
  const found = ['volta', 'mise', 'nodenv', 'other'].map(name => findClaude(path.join(folder, name)))
  assert.deepEqual(found, [real, real, path.join(folder, 'nodenv/claude'), path.join(folder, 'other/claude')])
  write('asdf/claude', 'exec asdf exec "claude" "$@"')
  assert.equal(findClaude([path.join(folder, 'asdf'), path.join(folder, 'programs')].join(path.delimiter)), real)
})
