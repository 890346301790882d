import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { listNames } from '#host/fs'
import { identify } from '#host/process'
import { acquireLease, holdsLease, type Lease, releaseLease } from '#session/lease'
import { type Channel, channels, getOutboxFolders, listEnabledChannels } from '../outbox.ts'
import { ChannelWorker } from './channel-worker.ts'
import { parseTimeFromName } from './outbox-folders.ts'
import { type DeliveryTiming, defaultTiming } from './timing.ts'
/** The chain of those who have held the right to deliver. */
export const getDelivererLeaseFolder = (home: string) => path.join(home, 'outbox', 'deliverer')

/**
 * Deliver what lies in the outbox, until nothing waits there any more. One at a time for each home: when another lives, this
 * returns at once. Each channel goes at its own speed. `configNow` is asked before each step; `signal` ends it after the
 * attempt that is under way.
 */
export async function runDeliverer(
  home: string,
  readConfigNow: () => Config,
  timing: DeliveryTiming = defaultTiming,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const who = await identify(process.pid)
  if (who === undefined) throw new Error('this process is not in the table of processes')
  do {
    const lease = await acquireLease(getDelivererLeaseFolder(home), who)
    if (lease === undefined) return
    try {
      await serveChannels({ home, readConfigNow, timing, signal, lease })
    } finally {
      if (holdsLease(getDelivererLeaseFolder(home), lease)) releaseLease(getDelivererLeaseFolder(home), lease)
    }
    // Whoever posted while we still held the right has started nobody: look once more, now that it is given back.
  } while (!signal.aborted && hasWaiting(home, listEnabledChannels(readConfigNow())))
}

/** Does a message wait on any of these channels? */
export function hasWaiting(home: string, on: readonly Channel[] = channels): boolean {
  return on.some(channel => {
    try {
      return listNames(getOutboxFolders(home, channel).waiting).some(name => parseTimeFromName(name) > 0)
    } catch (error) {
      if (error instanceof DispatchError) return false // Nobody can send what nobody can read; its health tells of it.
      throw error
    }
  })
}

interface DelivererContext {
  home: string
  readConfigNow: () => Config
  timing: DeliveryTiming
  signal: AbortSignal
  lease: Lease
}

async function serveChannels({ home, readConfigNow, timing, signal, lease }: DelivererContext): Promise<void> {
  const lanes = channels.map(channel => new ChannelLoop(home, channel, timing))
  const isOver = () =>
    signal.aborted || !holdsLease(getDelivererLeaseFolder(home), lease) || lanes.every(lane => lane.isIdle())
  await Promise.all(
    lanes.map(async lane => {
      const hints = watchForChanges(lane.folder, signal)
      while (!isOver()) {
        const pause = await lane.step(readConfigNow)
        if (pause > 0) await hints.orAfter(pause)
      }
      hints.close()
    }),
  )
}

/** A channel that fails by a fault of ours, or of its folders, is opened and tried again, and the others never notice. */
class ChannelLoop {
  private readonly opened: () => ChannelWorker
  private readonly waits: () => boolean
  readonly folder: string
  private worker: ChannelWorker | undefined

  constructor(home: string, channel: Channel, timing: DeliveryTiming) {
    this.opened = () => new ChannelWorker(home, channel, timing)
    this.waits = () => hasWaiting(home, [channel])
    this.folder = getOutboxFolders(home, channel).waiting
    this.open()
  }

  isIdle(): boolean {
    return this.worker ? this.worker.isIdle(Date.now()) : !this.waits()
  }

  /** Answers after how many milliseconds to come again. */
  async step(configNow: () => Config): Promise<number> {
    try {
      return (await this.open()?.step(configNow())) ?? 60_000
    } catch (error) {
      this.worker = undefined
      logError(error)
      return 60_000
    }
  }

  private open(): ChannelWorker | undefined {
    try {
      this.worker ??= this.opened()
    } catch (error) {
      logError(error)
    }
    return this.worker
  }
}

function logError(error: unknown): void {
  const words = error instanceof DispatchError ? error.message : error instanceof Error ? error.stack : error
  process.stderr.write(`${new Date().toISOString()} ${words}\n`)
}

/** Something new may lie in the folder: a hint and no more, for systems drop events when they are many. */
function watchForChanges(folder: string, signal: AbortSignal) {
  let isHeard = false
  let wake: (() => void) | undefined
  const hear = () => {
    isHeard = true
    wake?.()
  }
  const watcher = tryWatch(folder, hear)
  signal.addEventListener('abort', hear)
  return {
    async orAfter(milliseconds: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      const timer = setTimeout(resolve, isHeard ? 0 : milliseconds)
      await promise
      clearTimeout(timer)
      isHeard = false
    },
    close() {
      watcher?.close()
      signal.removeEventListener('abort', hear)
    },
  }
}

/** Undefined where the system has no more watches to give; then the looks at each second have to do. */
function tryWatch(folder: string, hear: () => void): fs.FSWatcher | undefined {
  try {
    return fs.watch(folder, hear).on('error', () => undefined)
  } catch {
    return undefined
  }
}
