import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { enqueueHomeNotification } from '#cli/home-notification.ts'
import { listNames } from '#host/fs'
import { getOutboxFolders } from '#notify'
import { buildConfig, buildPhoneSettings } from '../fixtures/notify-home.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'
import { createTestSession } from '../fixtures/web-sessions.ts'

const SECRET = 'Tulip-Garden-42'

test('words of a session lose its secrets, and are left out where those cannot be read', async t => {
  const home = createScratchFolder(t)
  const config = buildConfig(home, buildPhoneSettings('http://127.0.0.1:1'))
  const { id, paths } = await createTestSession(config.workspace, '2026-11-20-a-a001')
  const read = (number: string) => {
    const at = new Date().toISOString()
    const words = { of: [id], lines: [`psql says: ${SECRET} refused`] }
    const head = { sessionId: id, title: 'The queue needs you', priority: 4 as const, tags: [] }
    enqueueHomeNotification(config, { id: `queue-${number}`, at, lines: ['q-1 does not go on.'], words, ...head })
    const { waiting } = getOutboxFolders(home, 'phone')
    const name = listNames(waiting).find(each => each.includes(`queue-${number}`)) ?? assert.fail()
    return JSON.parse(fs.readFileSync(path.join(waiting, name), 'utf8')).notification.body
  }
  fs.mkdirSync(paths.ignoredFiles)
  fs.writeFileSync(path.join(paths.ignoredFiles, '.env'), `DATABASE_PASSWORD=${SECRET}\n`)
  assert.equal(read('1'), 'q-1 does not go on.\npsql says: [secret withheld: known value] refused')
  fs.rmSync(paths.ignoredFiles, { recursive: true })
  fs.symlinkSync(paths.ignoredFiles, paths.ignoredFiles)
  assert.equal(read('2'), 'q-1 does not go on.')
  fs.rmSync(paths.folder, { recursive: true })
  assert.match(read('3'), /^q-1 does not go on.\npsql says: /)
})
