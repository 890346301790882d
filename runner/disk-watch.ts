import { MIN_SPACE_BYTES, measureFreeSpace } from '#host/fs'
import { MINUTE_MS } from '#host/time.ts'
import type { RunnerContext } from './context.ts'

/** Says once that the disk is nearly full. Nothing is stopped: what an agent has done so far may need little more. */
export class DiskWatch {
  private isLow = false
  private nextLookAtMs = 0

  check(context: RunnerContext, measure = measureFreeSpace): void {
    if (Date.now() < this.nextLookAtMs) return
    this.nextLookAtMs = Date.now() + MINUTE_MS
    const freeBytes = measure(context.config.home)
    const wasLow = this.isLow
    this.isLow = freeBytes < MIN_SPACE_BYTES
    if (this.isLow && !wasLow) context.record({ type: 'disk.low', freeBytes })
  }
}
