import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readConfig } from '#host/config'
import { testTopic } from '../../fixtures/notify-home.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a mistake in another setting stops no notification, and one that may send it elsewhere does', t => {
  const home = createScratchFolder(t)
  const read = (...lines: string[]) => {
    fs.writeFileSync(path.join(home, '.env'), [`NTFY_TOPIC=${testTopic}`, ...lines].join('\n'))
    return readConfig({ DISPATCH_HOME: home }, { forNotifications: true })
  }
  for (const line of ['ROUNDS=99', 'MAX_SESIONS=3', 'MAX_SESSIONS 3', 'CODE_MODEL="opus', 'SOMETHING=else'])
    assert.equal(read(line).NTFY_TOPIC, testTopic, line)
  for (const line of [
    'NTFY_SERVER=no address',
    'NTFY_SERVR=https://ntfy.example',
    'NTFY_SERVER https://ntfy.example',
    'QUIET_HOUR=23-7',
  ])
    assert.throws(() => read(line), { exitCode: 2 }, line)
})
