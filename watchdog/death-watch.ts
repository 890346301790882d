import { hasProcess } from '#host/process'

/**
 * A signal that is aborted as soon as one of these processes has ended. Asking is one system call for each, so it is done several
 * times a second. Call `stop` when the signal is no longer needed.
 */
export function watchForDeath(pids: number[]): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController()
  if (pids.length === 0) return { signal: controller.signal, stop: () => undefined }
  const timer = setInterval(() => {
    if (!pids.every(hasProcess)) controller.abort()
  }, LOOK_INTERVAL_MS)
  return { signal: controller.signal, stop: () => clearInterval(timer) }
}

// --- internal ---

const LOOK_INTERVAL_MS = 400
