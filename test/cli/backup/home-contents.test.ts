import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { classifyHomeName, classifyOtherPath, classifySessionPath, isUnitName } from '#cli/backup/home-contents.ts'
import { installFolder } from '#host/config'

test('it is decided for each file of a home whether it is copied', () => {
  const document = fs.readFileSync(path.join(installFolder, 'docs/configuration.md'), 'utf8')
  const [, section = ''] = document.split('## Files in DISPATCH_HOME')
  const cells = section.split('\n').flatMap(line => /^\| (`.*?) +\|/.exec(line)?.[1] ?? [])
  const names = cells.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.split('/')[0] ?? ''))
  assert.ok(names.length > 15)
  assert.deepEqual(
    names.filter(name => classifyHomeName(name) === undefined),
    [],
    'cli/backup/home-contents.ts does not know these',
  )
  for (const name of ['workspace', 'queue.db', 'projects', 'outbox']) assert.equal(classifyHomeName(name), 'copy')
  for (const name of ['.env', 'claude-token']) assert.equal(classifyHomeName(name), 'secret')
  for (const name of ['index.db', 'queue.db-wal', 'tmux-1.sock', 'cache']) assert.equal(classifyHomeName(name), 'leave')
  assert.equal(classifyHomeName('thesis.txt'), undefined)
})

test('a backup that was forged cannot name what dispatch would not write', () => {
  for (const name of ['workspace/2026-11-21-say-abcd', 'projects', '.env']) assert.ok(isUnitName(name), name)
  for (const name of ['workspace', 'workspace/..', 'workspace/x', '../x', 'cache', 'daemon', 'prepared', ''])
    assert.ok(!isUnitName(name), name)
})

test('what is left out of a session', () => {
  const made = new Set(['node_modules', 'packages/a/node_modules'])
  const read = (file: string) => classifySessionPath(file, made)
  for (const file of [
    '.runner-lease',
    'outputs/node_modules',
    'outputs/packages/a/node_modules',
    'evidence/repository.git/refs/x.lock',
  ])
    assert.equal(read(file), 'all', file)
  for (const file of ['tmp', 'workers/w/tmp']) assert.equal(read(file), 'contents', file)
  for (const file of ['outputs/tmp', 'outputs/yarn.lock', 'outputs/src/node_modules', 'events.jsonl', '.write-lock'])
    assert.equal(read(file), undefined, file)
})

test('the leases of claims and of splits are left out, and their records are not', () => {
  for (const file of ['x+ada+notes+1.lease/1', 'splits/x+ada+notes+1.lease'])
    assert.equal(classifyOtherPath('issues', file), 'all', file)
  for (const file of ['x+ada+notes+1.json', 'splits/x+ada+notes+1.json'])
    assert.equal(classifyOtherPath('issues', file), undefined, file)
})
