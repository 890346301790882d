import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { backUp } from '#cli/backup/backup.ts'
import { readAlone } from '#cli/backup/lease.ts'
import { restore } from '#cli/backup/restore.ts'
import { openTarget } from '#cli/backup/target.ts'
import { readDefaultConfig } from '#host/config'
import { createFilledHome } from '../../fixtures/backup-home.ts'

const options = { hasSecrets: false, keptCount: 1 }

test('while a folder is read, no backup is made there, and no second restore', async t => {
  const { config, around } = createFilledHome(t, 1)
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  await readAlone(openTarget(folder), async () => {
    await assert.rejects(backUp(config, folder, options), { exitCode: 5 })
    await assert.rejects(restore(restored, folder, { mayMerge: false }), { exitCode: 5 })
  })
  await backUp(config, folder, options)
})

test('a copy of a home, and one that was restored elsewhere, do not write into the backups of the first', async t => {
  const { config, around } = createFilledHome(t, 1)
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  await restore(restored, folder, { mayMerge: false })
  await assert.rejects(backUp(restored, folder, options), { exitCode: 5 })
  const copy = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'copy') })
  fs.cpSync(config.home, copy.home, { recursive: true })
  await assert.rejects(backUp(copy, folder, options), { exitCode: 5 })
  const moved = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'moved') })
  fs.renameSync(config.home, moved.home)
  assert.equal((await backUp(moved, folder, options)).sessions, 1)
  fs.renameSync(moved.home, `${moved.home}-again`)
  fs.symlinkSync(`${moved.home}-again`, moved.home)
  const again = readDefaultConfig({ DISPATCH_HOME: `${moved.home}-again` })
  assert.equal((await backUp(again, folder, options)).sessions, 1, 'a link is in its old place')
})

test('an object that is younger than the backup stays', async t => {
  const { config, around } = createFilledHome(t, 1)
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const put = (hash: string) => {
    const file = path.join(folder, 'objects', hash.slice(0, 2), hash)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, '')
    return file
  }
  const old = put('a'.repeat(64))
  let young = ''
  const onProgress = () => {
    young = put('b'.repeat(64))
  }
  await backUp(config, folder, { ...options, onProgress })
  assert.deepEqual([fs.existsSync(old), fs.existsSync(young)], [false, true])
})

test('an empty name is no folder', async t => {
  const { config } = createFilledHome(t, 0)
  await assert.rejects(backUp(config, '', options), { exitCode: 2 })
  assert.throws(() => openTarget(''), { exitCode: 2 })
})
