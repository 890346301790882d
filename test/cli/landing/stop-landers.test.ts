import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { stopLanders } from '#cli/landing/stop-landers.ts'
import { acquireLease } from '#host/lease'
import { checkLiveness, identify } from '#host/process'
import { getLanderLease, LandingQueue } from '#landing'
import { createEntry } from '../../fixtures/landing-entry.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

test('what lands in the background ends, and the command of a person who waits for a landing does not', async t => {
  const home = createScratchFolder(t)
  const landers = { aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: false, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: true }
  const lives = await Promise.all(
    Object.entries(landers).map(async ([name, isAttended]) => {
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
      t.after(() => child.kill('SIGKILL'))
      const lander = await waitUntil(() => identify(child.pid ?? 0), 'it runs')
      const queue = new LandingQueue(path.join(home, 'landing', name))
      queue.add(createEntry(isAttended ? { attendedBy: lander } : {}))
      assert.ok(queue.claim(createEntry()))
      assert.ok(await acquireLease(getLanderLease(queue.folder), lander))
      return lander
    }),
  )
  await stopLanders(home)
  assert.deepEqual(await Promise.all(lives.map(checkLiveness)), ['dead', 'alive'])
})
