import { stderr } from 'node:process'

/**
 * A line on standard error that counts what is done of long work: `reading the sessions: 1,200 of 9,980`. It appears only on a
 * terminal, and only once the work has lasted for a second. `clear` removes it.
 */
export function createProgressLine(what: string): { show(done: number, all: number): void; clear(): void } {
  const startedAtMs = performance.now()
  let shownAtMs = Number.NEGATIVE_INFINITY
  return {
    show(done, all) {
      const nowMs = performance.now()
      if (!stderr.isTTY || nowMs - startedAtMs < FIRST_SHOWN_MS || nowMs - shownAtMs < INTERVAL_MS) return
      shownAtMs = nowMs
      stderr.write(`\r${what}: ${done.toLocaleString('en')} of ${all.toLocaleString('en')}${ERASE_TO_END}`)
    },
    clear() {
      if (shownAtMs > Number.NEGATIVE_INFINITY) stderr.write(`\r${ERASE_TO_END}`)
    },
  }
}

// --- internal ---

const FIRST_SHOWN_MS = 1000
const INTERVAL_MS = 100
const ERASE_TO_END = '\u001b[K'
