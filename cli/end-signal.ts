import type { signalExitCodes } from '#host/error.ts'

/** Wait until a signal asks this process to end. A second signal ends it at once. */
export function waitForEndSignal(): Promise<keyof typeof signalExitCodes> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve(signal))
  })
}
