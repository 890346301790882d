import type { Event } from './event.ts'
import { readLog } from './log.ts'
/**
 * The events of a log, those there and those to come, until `signal` aborts. Watching is only a hint:
 * the log is read again at least every `rescan` milliseconds. Where somebody has changed what was there, all from that line on is
 * news.
 */
export async function* followLog(
  file: string,
  { signal, rescanMs = 500 }: { signal: AbortSignal; rescanMs?: number },
): AsyncGenerator<Event> {
  const waker = await watchPaths([file], rescanMs)
  try {
    for (let seen: string[] = []; !signal.aborted; await waker.next(signal)) {
      const { events, hashes } = readLog(file)
      const changed = seen.findIndex((hash, at) => hash !== hashes[at])
      yield* events.slice(changed < 0 ? seen.length : changed)
      seen = hashes
    }
  } finally {
    await waker.close()
  }
}

/** Something to wait on: the next change under these paths, or the next tick. The watcher is loaded only by who waits. */
export async function watchPaths(
  paths: string[],
  tickMs: number,
): Promise<{ next(signal?: AbortSignal): Promise<void>; close(): Promise<void> }> {
  const { watch } = await import('chokidar')
  const watcher = watch(paths, { ignoreInitial: true, depth: 1 })
  let changed = false
  let wake = doNothing
  watcher.on('all', () => {
    changed = true
    wake()
  })
  watcher.on('error', () => wake()) // Watches may run out; the tick goes on.
  return {
    async next(signal) {
      if (!changed && !signal?.aborted) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, tickMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
          signal?.addEventListener('abort', wake, { once: true })
        })
      }
      changed = false
      wake = doNothing
    },
    close: () => watcher.close(),
  }
}

/** Nobody waits at the moment; the change is remembered by the flag. */
function doNothing(): void {
  // Nothing to wake.
}
