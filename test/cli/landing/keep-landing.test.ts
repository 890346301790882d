import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { keepLanding, type LandingWatch } from '#cli/landing/keep-landing.ts'
import { readDefaultConfig } from '#host/config'
import { MAX_LOG_BYTES } from '#host/log-file.ts'
import { LandingQueue } from '#landing'
import { createEntry } from '../../fixtures/landing-entry.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a lander that cannot be started is tried again, and keeps no other repository from landing', async t => {
  const home = createScratchFolder(t)
  const config = readDefaultConfig({ DISPATCH_HOME: home })
  const folders = ['a', 'b'].map(letter => path.join(home, 'landing', letter.repeat(32)))
  for (const folder of folders) new LandingQueue(folder).add(createEntry())
  fs.writeFileSync(config.logsFolder, 'no folder, so nothing can be logged')
  const watch: LandingWatch = { landers: new Map(), notifiedMs: new Map() }
  await keepLanding(config, watch, { views: [], isThorough: false, say: () => undefined })
  for (const folder of folders) {
    const restMs = (watch.landers.get(folder) ?? 0) - performance.now()
    assert.ok(restMs > 0 && restMs <= 60_000, `${restMs}`)
  }
})

test('the log of the landers begins again before it grows without end', async t => {
  const home = createScratchFolder(t)
  const config = readDefaultConfig({ DISPATCH_HOME: home })
  new LandingQueue(path.join(home, 'landing', 'a'.repeat(32))).add(createEntry())
  const log = path.join(config.logsFolder, 'landing.log')
  fs.mkdirSync(config.logsFolder)
  fs.writeFileSync(log, 'x'.repeat(MAX_LOG_BYTES + 1))
  const open = fs.openSync
  t.mock.method(fs, 'openSync', (...args: Parameters<typeof open>) => {
    if (args[0] === log) throw Object.assign(new Error('too many open files, so no lander starts'), { code: 'EMFILE' })
    return open(...args)
  })
  const watch: LandingWatch = { landers: new Map(), notifiedMs: new Map() }
  await keepLanding(config, watch, { views: [], isThorough: false, say: () => undefined })
  assert.deepEqual(fs.readdirSync(config.logsFolder), ['landing.log.1'])
})
