import fs from 'node:fs'
import path from 'node:path'
import { type Config, DispatchError, identify, namesIn } from '../host/index.ts'
import { type Claim, claim, holds, release } from '../session/index.ts'
import { type Channel, channels, channelsOf, foldersOf } from './outbox.ts'
import { type Pace, usual } from './pace.ts'
import { Route } from './route.ts'
import { timeIn } from './shelf.ts'

/** The chain of those who have held the right to deliver. */
export const chainOf = (home: string) => path.join(home, 'outbox', 'deliverer')

/**
 * Deliver what lies in the outbox, until nothing waits there any more. One at a time for each home: when another lives, this
 * returns at once. Each channel goes at its own speed. `configNow` is asked before each step; `signal` ends it after the
 * attempt that is under way.
 */
export async function deliver(
  home: string,
  configNow: () => Config,
  pace: Pace = usual,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const who = await identify(process.pid)
  if (who === undefined) throw new Error('this process is not in the table of processes')
  do {
    const right = await claim(chainOf(home), who)
    if (right === undefined) return
    try {
      await serve({ home, configNow, pace, signal, right })
    } finally {
      if (holds(chainOf(home), right)) release(chainOf(home), right)
    }
    // Whoever posted while we still held the right has started nobody: look once more, now that it is given back.
  } while (!signal.aborted && anyWaits(home, channelsOf(configNow())))
}

/** Does a message wait on any of these channels? */
export function anyWaits(home: string, on: readonly Channel[] = channels): boolean {
  return on.some(channel => {
    try {
      return namesIn(foldersOf(home, channel).waiting).some(name => timeIn(name) > 0)
    } catch (error) {
      if (error instanceof DispatchError) return false // Nobody can send what nobody can read; its health tells of it.
      throw error
    }
  })
}

interface Round {
  home: string
  configNow: () => Config
  pace: Pace
  signal: AbortSignal
  right: Claim
}

async function serve({ home, configNow, pace, signal, right }: Round): Promise<void> {
  const lanes = channels.map(channel => new Lane(home, channel, pace))
  const isOver = () => signal.aborted || !holds(chainOf(home), right) || lanes.every(lane => lane.isIdle())
  await Promise.all(
    lanes.map(async lane => {
      const hints = hintsOf(lane.folder, signal)
      while (!isOver()) {
        const pause = await lane.step(configNow)
        if (pause > 0) await hints.orAfter(pause)
      }
      hints.close()
    }),
  )
}

/** A channel that fails by a fault of ours, or of its folders, is opened and tried again, and the others never notice. */
class Lane {
  private readonly opened: () => Route
  private readonly waits: () => boolean
  readonly folder: string
  private route: Route | undefined

  constructor(home: string, channel: Channel, pace: Pace) {
    this.opened = () => new Route(home, channel, pace)
    this.waits = () => anyWaits(home, [channel])
    this.folder = foldersOf(home, channel).waiting
    this.open()
  }

  isIdle(): boolean {
    return this.route ? this.route.isIdle(Date.now()) : !this.waits()
  }

  /** Answers after how many milliseconds to come again. */
  async step(configNow: () => Config): Promise<number> {
    try {
      return (await this.open()?.step(configNow())) ?? 60_000
    } catch (error) {
      this.route = undefined
      complain(error)
      return 60_000
    }
  }

  private open(): Route | undefined {
    try {
      this.route ??= this.opened()
    } catch (error) {
      complain(error)
    }
    return this.route
  }
}

function complain(error: unknown): void {
  const words = error instanceof DispatchError ? error.message : error instanceof Error ? error.stack : error
  process.stderr.write(`${new Date().toISOString()} ${words}\n`)
}

/** Something new may lie in the folder: a hint and no more, for systems drop events when they are many. */
function hintsOf(folder: string, signal: AbortSignal) {
  let isHeard = false
  let wake: (() => void) | undefined
  const hear = () => {
    isHeard = true
    wake?.()
  }
  const watcher = watched(folder, hear)
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
function watched(folder: string, hear: () => void): fs.FSWatcher | undefined {
  try {
    return fs.watch(folder, hear).on('error', () => undefined)
  } catch {
    return undefined
  }
}
