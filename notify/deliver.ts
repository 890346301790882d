import fs from 'node:fs'
import path from 'node:path'
import { type Config, identify, namesIn } from '../host/index.ts'
import { type Claim, claim, holds, release } from '../session/index.ts'
import { channels, foldersOf } from './outbox.ts'
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
  } while (!signal.aborted && anyWaits(home))
}

/** Does a message wait on any channel? */
export function anyWaits(home: string): boolean {
  return channels.some(channel => namesIn(foldersOf(home, channel).waiting).some(name => timeIn(name) > 0))
}

interface Round {
  home: string
  configNow: () => Config
  pace: Pace
  signal: AbortSignal
  right: Claim
}

async function serve({ home, configNow, pace, signal, right }: Round): Promise<void> {
  const routes = channels.map(channel => new Route(home, channel, pace))
  const isOver = () => signal.aborted || !holds(chainOf(home), right) || routes.every(route => route.isIdle(Date.now()))
  await Promise.all(
    routes.map(async route => {
      const hints = hintsOf(route.folder, signal)
      while (!isOver()) {
        const pause = await stepOf(route, configNow)
        if (pause > 0) await hints.orAfter(pause)
      }
      hints.close()
    }),
  )
}

/** A channel that fails by a fault of ours, or of its folders, is tried again, and the others never notice. */
async function stepOf(route: Route, configNow: () => Config): Promise<number> {
  try {
    return await route.step(configNow())
  } catch (error) {
    process.stderr.write(`${new Date().toISOString()} ${error instanceof Error ? error.stack : error}\n`)
    return 60_000
  }
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
