import { exitCodes, type signalExitCodes } from '#host/error.ts'

let exitCodeWithoutReader: number = exitCodes.ok

/**
 * What the process exits with when the reader of its output has gone. That is no failure (`dispatch ls | head`), except where the exit
 * code is a verdict: there 0 would read as a PASS. So such a command calls this at its begin, and again once it has the verdict.
 */
export function setExitCodeWithoutReader(exitCode: number = exitCodes.closedPipe): void {
  exitCodeWithoutReader = exitCode
}

export function getExitCodeWithoutReader(): number {
  return exitCodeWithoutReader
}

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
