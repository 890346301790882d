import { readStamp } from '#host/fs'
import type { Event } from './event.ts'
import { readLog } from './log.ts'

/**
 * Yield the events of a log, existing and future ones, until `signal` aborts. Watching may miss a change, so the log is
 * also looked at every `rescanMs`, and read if it was written. If a line was changed, that line and all after it are yielded again.
 */
export async function* followLog(
  file: string,
  { signal, rescanMs = 500 }: { signal: AbortSignal; rescanMs?: number },
): AsyncGenerator<Event> {
  const waker = await watchPaths([file], rescanMs)
  let seenStamp: string | undefined
  try {
    for (let seenHashes: string[] = []; !signal.aborted; await waker.next(signal)) {
      const stamp = readStamp(file) // Before the log: what is written in between is read again.
      if (stamp === seenStamp) continue
      seenStamp = stamp
      const { events, hashes } = readLog(file)
      const firstChanged = seenHashes.findIndex((hash, index) => hash !== hashes[index])
      yield* events.slice(firstChanged < 0 ? seenHashes.length : firstChanged)
      seenHashes = hashes
    }
  } finally {
    await waker.close()
  }
}

/** Wait for the next change under these paths, or the next tick. Most commands do not, so chokidar is loaded here. */
export async function watchPaths(
  paths: string[],
  tickMs: number,
): Promise<{ next(signal?: AbortSignal): Promise<void>; close(): Promise<void> }> {
  const { watch } = await import('chokidar')
  const watcher = watch(paths, { ignoreInitial: true, depth: 1 })
  let changed = false
  let wake: (() => void) | undefined
  watcher.on('all', () => {
    changed = true
    wake?.()
  })
  watcher.on('error', () => wake?.()) // The system may run out of watches; the tick continues.
  return {
    async next(signal) {
      if (!changed && !signal?.aborted) {
        await new Promise<void>(resolve => {
          const finish = () => {
            clearTimeout(timer)
            signal?.removeEventListener('abort', finish)
            resolve()
          }
          const timer = setTimeout(finish, tickMs)
          signal?.addEventListener('abort', finish)
          wake = finish
        })
      }
      changed = false
      wake = undefined
    },
    close: () => watcher.close(),
  }
}
