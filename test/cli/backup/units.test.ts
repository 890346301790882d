import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { backUp } from '#cli/backup/backup.ts'
import { restore } from '#cli/backup/restore.ts'
import { readDefaultConfig } from '#host/config'
import { createFilledHome } from '../../fixtures/backup-home.ts'

const options = { hasSecrets: false, keptCount: 7 }
const fresh = { mayMerge: false }

test('what is behind a link is copied, and a link that leads nowhere is told', async t => {
  const { config, around } = createFilledHome(t, 2)
  const [moved = '', other = ''] = fs.readdirSync(config.workspace)
  for (const name of [path.join('workspace', moved), 'projects']) {
    const file = path.join(config.home, name)
    const disk = path.join(around, `disk-${path.basename(name)}`)
    fs.renameSync(file, disk)
    fs.symlinkSync(disk, file)
  }
  fs.symlinkSync(path.join(around, 'nowhere'), path.join(config.home, 'outbox'))
  const folder = path.join(around, 'backups')
  const report = await backUp(config, folder, options)
  assert.equal(report.sessions, 2)
  assert.deepEqual(
    report.skipped.map(({ path: name, isLost }) => [name, isLost]),
    [['outbox', true]],
  )
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  assert.deepEqual((await restore(restored, folder, fresh)).restored, [moved, other])
  for (const name of [`workspace/${moved}/events.jsonl`, 'projects/one.json'])
    assert.deepEqual(fs.readFileSync(path.join(restored.home, name)), fs.readFileSync(path.join(config.home, name)))
})

test('a session is copied without its manifest, and one that just begins is told', async t => {
  const { config, around } = createFilledHome(t, 2)
  const [headless = '', young = ''] = fs.readdirSync(config.workspace)
  fs.rmSync(path.join(config.workspace, headless, 'session.json'))
  for (const name of ['session.json', 'events.jsonl']) fs.rmSync(path.join(config.workspace, young, name))
  const report = await backUp(config, path.join(around, 'backups'), options)
  assert.equal(report.sessions, 1)
  assert.deepEqual(
    report.skipped.map(({ path: name, isLost }) => [name, isLost]),
    [[`workspace/${young}`, false]],
  )
})

test('a damaged queue does not keep the rest from being copied, and its files are kept apart', async t => {
  const { config, around } = createFilledHome(t, 1)
  const folder = path.join(around, 'backups')
  for (const [ending, text] of [
    ['', 'SQLite format 3\0 and then nothing'],
    ['-wal', 'the last changes'],
  ])
    fs.writeFileSync(path.join(config.home, `queue.db${ending}`), text ?? '')
  const report = await backUp(config, folder, options)
  assert.equal(report.sessions, 1)
  assert.deepEqual(
    report.skipped.map(({ path: name, isLost }) => [name, isLost]),
    [['queue.db', true]],
  )
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  await restore(restored, folder, fresh)
  assert.ok(!fs.existsSync(path.join(restored.home, 'queue.db')))
  assert.equal(fs.readFileSync(path.join(restored.home, 'queue.db-wal.damaged'), 'utf8'), 'the last changes')
})
