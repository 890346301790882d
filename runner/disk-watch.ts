import { MIN_SPACE_BYTES, measureFreeSpace } from '#host/fs'
import { MINUTE_MS } from '#host/time.ts'
import type { RunnerContext } from './context.ts'

/** Says once that the disk is nearly full. Nothing is stopped: what an agent has done so far may need little more. */
export class DiskWatch {
  private isLow = false
  private nextLookAtMs = Number.NEGATIVE_INFINITY

  check(context: RunnerContext, measure = measureFreeSpace, nowMs = performance.now()): void {
    if (nowMs < this.nextLookAtMs) return
    this.nextLookAtMs = nowMs + MINUTE_MS
    const freeBytes = measure(context.config.home)
    const wasLow = this.isLow
    this.isLow = freeBytes < MIN_SPACE_BYTES
    if (this.isLow && !wasLow) context.record({ type: 'disk.low', freeBytes })
  }
}
