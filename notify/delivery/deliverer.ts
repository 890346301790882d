import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { acquireLease, holdsLease, type LeaseOptions, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { MINUTE_MS } from '#host/time.ts'
import { type Channel, channels, getOutboxFolders, listEnabledChannels, listNotifications } from '../outbox.ts'
import { ChannelWorker } from './channel-worker.ts'
import { type DeliveryTiming, defaultTiming } from './timing.ts'

/** The folder of the lease that allows one process to deliver for a home. */
export function getDelivererLeaseFolder(home: string): string {
  return path.join(home, 'outbox', 'deliverer')
}

/** What waits for a deliverer on another machine is sent after this time all the same. Twice does less harm than never. */
export const delivererLeaseOptions: LeaseOptions = { elsewhereExpiresMs: 10 * MINUTE_MS }

/**
 * Deliver what is in the outbox until nothing waits. Returns at once if another process delivers for this home. Each channel
 * has its own loop. `readConfigNow` is called before each step. `signal` ends the work after the attempt that is running.
 */
export async function runDeliverer(
  home: string,
  readConfigNow: () => Config,
  timing: DeliveryTiming = defaultTiming,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const leaseFolder = getDelivererLeaseFolder(home)
  const identity = await identify(process.pid)
  if (identity === undefined) throw new Error('the system does not list this process')
  do {
    const lease = await acquireLease(leaseFolder, identity, delivererLeaseOptions)
    if (lease === undefined) return
    try {
      const loops = channels.map(channel => createLoop(home, channel, timing))
      const isOver = () => signal.aborted || !holdsLease(leaseFolder, lease) || loops.every(loop => loop.isIdle())
      await Promise.all(loops.map(loop => loop.run(readConfigNow, isOver, signal)))
    } finally {
      if (holdsLease(leaseFolder, lease)) releaseLease(leaseFolder, lease)
    }
    // A process that queued something while this one had the lease started no deliverer, so look once more without it.
  } while (!signal.aborted && hasWaiting(home, listEnabledChannels(readConfigNow())))
}

/** Does a notification wait on any of these channels? */
export function hasWaiting(home: string, targets: readonly Channel[] = channels): boolean {
  return targets.some(channel => {
    try {
      return listNotifications(getOutboxFolders(home, channel).waiting).length > 0
    } catch (error) {
      if (error instanceof DispatchError) return false // An unreadable folder cannot be sent. `readChannelHealth` reports it.
      throw error
    }
  })
}

// --- internal ---

/** The wait before a channel is opened again after an unexpected error. */
const FAULT_PAUSE_MS = MINUTE_MS

/** Keeps one channel working: after an unexpected error it opens the channel again. The other channels are not affected. */
function createLoop(home: string, channel: Channel, timing: DeliveryTiming) {
  let worker: ChannelWorker | undefined

  function open(): ChannelWorker | undefined {
    try {
      worker ??= new ChannelWorker(home, channel, timing)
    } catch (error) {
      logError(error)
    }
    return worker
  }

  /** Do one step. Returns how many milliseconds to wait before the next one. */
  async function step(readConfigNow: () => Config): Promise<number> {
    try {
      return (await open()?.step(readConfigNow())) ?? FAULT_PAUSE_MS
    } catch (error) {
      worker = undefined
      logError(error)
      return FAULT_PAUSE_MS
    }
  }

  open()
  return {
    isIdle: () => (worker ? worker.isIdle(Date.now()) : !hasWaiting(home, [channel])),
    async run(readConfigNow: () => Config, isOver: () => boolean, signal: AbortSignal): Promise<void> {
      const watch = watchFolder(getOutboxFolders(home, channel).waiting, signal)
      while (!isOver()) {
        const pauseMs = await step(readConfigNow)
        if (pauseMs > 0) await watch.waitForChange(pauseMs)
      }
      watch.close()
    },
  }
}

function logError(error: unknown): void {
  const message = error instanceof DispatchError ? error.message : error instanceof Error ? error.stack : error
  process.stderr.write(`${new Date().toISOString()} ${message}\n`)
}

/**
 * Watch for changes in a folder. Only a hint: systems drop events when there are many, and may have no watch left.
 * `watchPaths` of the session log does not fit: it has one fixed tick, and it would load chokidar (8 MB, 30 ms) for one folder.
 */
function watchFolder(folder: string, signal: AbortSignal) {
  let hasChanged = false
  let wake: (() => void) | undefined
  let watcher: fs.FSWatcher | undefined
  const onChange = () => {
    hasChanged = true
    wake?.()
  }
  try {
    watcher = fs.watch(folder, onChange).on('error', () => undefined)
  } catch {} // Without a watch, the timeout is enough.
  signal.addEventListener('abort', onChange)
  return {
    /** Resolves when the folder changed since the last call, when the signal aborts, or after `timeoutMs`. */
    async waitForChange(timeoutMs: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      const timer = setTimeout(resolve, hasChanged ? 0 : timeoutMs)
      await promise
      clearTimeout(timer)
      hasChanged = false
    },
    close() {
      watcher?.close()
      signal.removeEventListener('abort', onChange)
    },
  }
}
