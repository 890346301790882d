import { hasProcess } from '#host/process'

/**
 * Call `report` once, as soon as one of these processes has ended. Asking is one system call for each, so it is done several times a
 * second. The function that is returned ends the watch.
 */
export function watchForDeath(pids: number[], report: () => void): () => void {
  if (pids.length === 0) return () => undefined
  const timer = setInterval(() => {
    if (pids.every(hasProcess)) return
    clearInterval(timer)
    report()
  }, LOOK_INTERVAL_MS)
  return () => clearInterval(timer)
}

// --- internal ---

const LOOK_INTERVAL_MS = 400
