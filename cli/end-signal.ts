import type { signalExitCodes } from '#host/error.ts'

/** Wait until a signal asks this process to end. A second signal ends it at once. */
export function waitForEndSignal(): Promise<keyof typeof signalExitCodes> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve(signal))
  })
}

/**
 * Aborts when a signal asks this process to end. The process goes on, so that it ends only where it may. A reader of
 * the output that goes away does not end it either.
 */
export function abortAtEndSignal(): AbortSignal {
  const end = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end.abort())
  process.on('SIGPIPE', () => undefined)
  return end.signal
}
