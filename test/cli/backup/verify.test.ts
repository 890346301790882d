import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type BackupRecord, type Entry, resolveBackupPaths } from '#cli/backup/format.ts'
import { ObjectStore } from '#cli/backup/object-store.ts'
import { verifyBackup } from '#cli/backup/verify.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('no path of a forged backup leads out of its part, or through a link', async t => {
  const paths = resolveBackupPaths(createScratchFolder(t))
  fs.mkdirSync(paths.objects)
  const store = new ObjectStore(paths.objects)
  const sha256 = store.addBytes(Buffer.from('evil'))
  const file = (name: string): Entry => ({
    kind: 'file',
    path: name,
    mode: 0o600,
    mtimeMs: 0,
    size: 4,
    sha256,
    stamp: '',
  })
  const folder = (name: string): Entry => ({ kind: 'folder', path: name, mode: 0o700, mtimeMs: 0 })
  const link = (name: string): Entry => ({ kind: 'link', path: name, target: '/etc' })
  const countDamage = async (name: string, ...entries: Entry[]) => countAll([name, entries])
  const countAll = async (...parts: [name: string, entries: Entry[]][]) => {
    const units = parts.map(([name, entries]) => {
      const listing = store.addBytes(Buffer.from(JSON.stringify(entries)))
      return { name, listing, files: 1, bytes: 4 }
    })
    const record: BackupRecord = { format: 1, homeId: '', home: '/', createdAt: '', hasSecrets: false, units }
    const { damage, units: usable } = await verifyBackup(paths, record)
    assert.equal(usable.length, parts.length - damage.length)
    return damage.length
  }
  assert.equal(await countDamage('projects', folder(''), folder('a'), file('a/b'), link('c')), 0)
  assert.equal(await countDamage('projects', file('')), 0)
  const forged: Entry[][] = [
    [folder(''), file('../../.bashrc')],
    [folder(''), file('/etc/passwd')],
    [folder(''), link('a'), file('a/passwd')],
    [folder(''), folder('a'), link('a'), file('a/passwd')],
    [folder(''), file('a/b')],
    [folder(''), file('a'), file('a')],
    [folder(''), file('.')],
    [folder(''), file('a\0b')],
    [link('')],
  ]
  for (const entries of forged) assert.equal(await countDamage('projects', ...entries), 1, JSON.stringify(entries))
  assert.equal(await countAll(['issues', [folder('')]], ['projects', [folder('')]]), 0)
  assert.equal(await countAll(['issues', [link('')]], ['issues', [folder(''), file('x')]]), 2)
  assert.equal(await countAll(['issues', [folder(''), link('a')]], ['issues', [folder('a'), file('a/x')]]), 1)
  assert.equal(await countDamage('cache', folder('')), 1)
  assert.equal(await countDamage('workspace/../..', folder('')), 1)
  assert.ok(!fs.existsSync(path.join(paths.folder, '../a')))
})
