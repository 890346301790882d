import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { Listing } from '#cli/backup/format.ts'
import { relocateSession } from '#cli/backup/relocate.ts'
import { type Found, scanTree } from '#cli/backup/scan.ts'
import { sha256 } from '#host/hash.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('the paths in files of dispatch are corrected, where the path ends, and through no link', t => {
  const folder = createScratchFolder(t)
  const put = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o500 })
  }
  put('launch.sh', "cd '/old/s-1'; /old/s-1/x /old/s-12/x /old/s-1")
  put('workers/w/write-allowlist', '/old/s-1/outputs/*\n')
  put('task.md', '/old/s-1')
  put('claude-config/projects/-old-s-1-orchestrator/x.jsonl', '{}')
  put('target', '/old/s-1')
  fs.symlinkSync(path.join(folder, 'target'), path.join(folder, 'sandbox.json'))
  fs.symlinkSync(createScratchFolder(t), path.join(folder, 'windows'))
  fs.writeFileSync(path.join(folder, 'windows/w'), '/old/s-1')
  const entries: Listing = []
  const visit = (found: Found) =>
    entries.push(found.kind === 'file' ? { ...found, sha256: sha256(''), stamp: '' } : found)
  scanTree(folder, () => undefined, { visit, skip: () => assert.fail() })
  relocateSession(folder, entries, '/old/s-1', '/new home/s-1')
  const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8')
  assert.equal(read('launch.sh'), "cd '/new home/s-1'; /new home/s-1/x /old/s-12/x /new home/s-1")
  assert.equal(fs.statSync(path.join(folder, 'launch.sh')).mode & 0o777, 0o500)
  assert.equal(read('workers/w/write-allowlist'), '/new home/s-1/outputs/*\n')
  assert.equal(read('task.md'), '/old/s-1', 'what the record has stays')
  assert.equal(read('target'), '/old/s-1')
  assert.equal(read('windows/w'), '/old/s-1', 'a folder behind a link is no part of the session')
  assert.deepEqual(fs.readdirSync(path.join(folder, 'claude-config/projects')), ['-new-home-s-1-orchestrator'])
})
