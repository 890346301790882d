import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { backUp } from '#cli/backup/backup.ts'
import { restore } from '#cli/backup/restore.ts'
import { type Config, readDefaultConfig } from '#host/config'
import { openQueue, readPause, writePause } from '#queue'
import { createFilledHome } from '../../fixtures/backup-home.ts'
import { createItem } from '../../fixtures/queue-contract.ts'

const options = { hasSecrets: false, keptCount: 7 }
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

async function enqueue({ home }: Config): Promise<void> {
  const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
  await queue.enqueue([createItem({ title: 'one' })])
  queue.close()
}

test('a pause that would end by itself does not, once a queue is restored, and keeps its reason', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  await enqueue(config)
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  writePause(restored.home, { since: new Date().toISOString(), until: inAnHour(), reason: 'lunch' })
  assert.ok((await restore(restored, folder, { mayMerge: false })).isPaused)
  const pause = readPause(restored.home, new Date())
  assert.equal(pause?.until, null)
  assert.match(pause?.reason ?? '', /lunch/)
})

test('where nothing would start, the pause of the home or of the backup stays as it was', async t => {
  const { config, around } = createFilledHome(t, 1)
  const until = inAnHour()
  writePause(config.home, { since: new Date().toISOString(), until, reason: 'holiday' })
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  await restore(restored, folder, { mayMerge: false })
  assert.deepEqual(
    [readPause(restored.home, new Date())?.until, readPause(restored.home, new Date())?.reason],
    [until, 'holiday'],
  )
  writePause(restored.home, { since: new Date().toISOString(), until: null, reason: 'my own' })
  const report = await restore(restored, folder, { mayMerge: true })
  assert.deepEqual([readPause(restored.home, new Date())?.reason, report.keptFiles], ['my own', ['projects/one.json']])
})

test('what a lost queue has left is not taken for changes of the restored one', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  await enqueue(config)
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  fs.mkdirSync(restored.home)
  fs.writeFileSync(path.join(restored.home, 'queue.db-wal'), 'of another queue')
  await restore(restored, folder, { mayMerge: false })
  assert.equal(fs.readFileSync(path.join(restored.home, 'queue.db-wal.damaged'), 'utf8'), 'of another queue')
})
