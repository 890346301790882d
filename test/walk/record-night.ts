import path from 'node:path'
import type { Stage } from '#rehearsal/scenario.ts'
import { scenario } from '#rehearsal/scenarios/night.ts'
import { openRig, withPhone } from '../fixtures/rig.ts'
import { mountDisk } from '../fixtures/small-disk.ts'

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
  const disk = mountDisk(path.join(rig.home, 'dispatch'), DISK_BYTES)
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
