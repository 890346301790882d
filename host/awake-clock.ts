import os from 'node:os'
import { SECOND_MS } from './time.ts'

/**
 * A clock that stands still while the machine sleeps, or while this process is stopped. It is read at least once a second, so a
 * longer gap is a sleep. The time since the boot shows the gap: setting the wall clock does not change it.
 */
export class AwakeClock {
  private readonly readBootMs: () => number
  private readonly starts = new Map<string, number>()
  private readonly timer: NodeJS.Timeout
  private seenMs: number
  private sleptMs = 0
  private reportedMs = 0

  constructor(readBootMs = () => os.uptime() * SECOND_MS) {
    this.readBootMs = readBootMs
    this.seenMs = readBootMs()
    this.timer = setInterval(() => this.read(), SECOND_MS).unref()
  }

  /** Read it no more by itself. */
  stop(): void {
    clearInterval(this.timer)
  }

  /** Milliseconds of awake time. Only differences mean something. */
  read(): number {
    const nowMs = this.readBootMs()
    const gapMs = nowMs - this.seenMs
    if (gapMs > MIN_SLEEP_MS) this.sleptMs += gapMs - SECOND_MS
    this.seenMs = nowMs
    return nowMs - this.sleptMs
  }

  /** The milliseconds that were slept since the last call. */
  takeSleep(): number {
    this.read()
    const newMs = this.sleptMs - this.reportedMs
    this.reportedMs = this.sleptMs
    return newMs
  }

  /**
   * The milliseconds of awake time since something began. `startedAt` (ISO 8601) is believed the first time only, because the wall
   * clock may be set later. What began before this clock did may contain time that was slept.
   */
  measure(what: string, startedAt: string): number {
    const key = `${what} ${startedAt}`
    const start = this.starts.get(key) ?? this.read() - Math.max(0, Date.now() - Date.parse(startedAt))
    this.starts.set(key, start)
    return this.read() - start
  }
}

/** Call `act` once this much time has passed in which the machine was awake. The timers of Node count sleep on macOS. */
export function setAwakeTimeout(
  act: () => void,
  limitMs: number,
  clock: Pick<AwakeClock, 'read'> = getProcessClock(),
): { clear(): void } {
  const startMs = clock.read()
  const check = () => {
    const missingMs = limitMs - (clock.read() - startMs)
    if (missingMs > TOLERANCE_MS) timer = setTimeout(check, missingMs)
    else act()
  }
  let timer = setTimeout(check, limitMs)
  return { clear: () => clearTimeout(timer) }
}

// --- internal ---

/** macOS tells the time since the boot in whole seconds. */
const TOLERANCE_MS = 2 * SECOND_MS

let processClock: AwakeClock | undefined

function getProcessClock(): AwakeClock {
  processClock ??= new AwakeClock()
  return processClock
}

/** A busy machine, or a long step, is no sleep. */
const MIN_SLEEP_MS = 30 * SECOND_MS
