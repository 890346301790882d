import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { Stage } from '#rehearsal/scenario.ts'
import { scenario } from '#rehearsal/scenarios/night.ts'
import { openRig, withPhone } from '../fixtures/rig.ts'

/** What a person sees in the evening, in the night and in the morning, and whether it is as it should be. */
export interface Night {
  lines: string[]
  isAsItShouldBe: boolean
  /** Was the disk full for a while? Only a user who may mount one can fill it. */
  hasFilledDisk: boolean
}

/** Play the rehearsal `night` in a home on a disk of its own, which is full for a while. */
export async function recordNight(): Promise<Night> {
  const rig = await openRig(scenario, { ...scenario.settings, ...withPhone, RIG_CLAUDE: 'real' })
  const disk = mountDisk(path.join(rig.home, 'dispatch'))
  const lines: string[] = []
  try {
    const say = (text: string) => lines.push(...text.split('\n'))
    const stage: Stage = { home: rig.home, environment: rig.environment, say, disk }
    const isAsItShouldBe = (await scenario.play?.(stage)) ?? false
    return { lines, isAsItShouldBe, hasFilledDisk: disk !== undefined }
  } finally {
    await rig.dispatch(['stop', '--all'])
    disk?.unmount()
    await rig.close()
  }
}

// --- internal ---

const DISK_BYTES = 2 * 2 ** 30
const MARGIN_BYTES = 2 ** 20

/** A disk of 2 GB in memory. Undefined where that is not allowed. */
function mountDisk(folder: string): (NonNullable<Stage['disk']> & { unmount(): void }) | undefined {
  fs.mkdirSync(folder, { recursive: true })
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=700`, 'none', folder])
  if (mounted.status !== 0) return undefined
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
