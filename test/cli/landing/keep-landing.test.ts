import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { keepLanding, type LandingWatch } from '#cli/landing/keep-landing.ts'
import { readDefaultConfig } from '#host/config'
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
    const restMs = (watch.landers.get(folder) ?? 0) - Date.now()
    assert.ok(restMs > 0 && restMs <= 60_000, `${restMs}`)
  }
})
