/** The rehearsal `night`, with a disk that is full for a while where this user may mount one. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { Stage } from '#rehearsal/scenario.ts'
import { scenario } from '#rehearsal/scenarios/night.ts'
import { openRig, withPhone } from '../fixtures/rig.ts'

const DISK_BYTES = 2 * 2 ** 30
const MARGIN_BYTES = 2 ** 20

test('a night: everything that can go on by itself does, and the person finds the rest', async t => {
  const rig = await openRig(scenario, { ...scenario.settings, ...withPhone, RIG_CLAUDE: 'real' })
  const lines: string[] = []
  const disk = mountDisk(path.join(rig.home, 'dispatch'))
  if (disk === undefined) t.diagnostic('the disk was not filled: this user may not mount one')
  try {
    const stage: Stage = { home: rig.home, environment: rig.environment, say: text => lines.push(text), disk }
    const isAsItShouldBe = (await scenario.play?.(stage)) ?? false
    assert.ok(isAsItShouldBe, lines.join('\n'))
    t.diagnostic('12 tasks')
  } finally {
    disk?.unmount()
    await rig.close()
  }
})

/** A disk of 2 GB in memory. Undefined where that is not allowed. */
function mountDisk(folder: string): (NonNullable<Stage['disk']> & { unmount(): void }) | undefined {
  fs.mkdirSync(folder, { recursive: true })
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=700`, 'none', folder]).status !== 0)
    return undefined
  const ballast = path.join(folder, 'ballast')
  return {
    async fill() {
      const { bavail, bsize } = fs.statfsSync(folder)
      fs.writeFileSync(ballast, '')
      spawnSync('fallocate', ['-l', String(bavail * bsize - MARGIN_BYTES), ballast]) // Others write meanwhile.
      const file = fs.openSync(ballast, 'a')
      try {
        for (;;) fs.writeSync(file, Buffer.alloc(4096))
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
      } finally {
        fs.closeSync(file)
      }
    },
    async free() {
      fs.rmSync(ballast)
    },
    unmount: () => spawnSync('umount', ['-l', folder]),
  }
}
