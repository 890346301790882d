import type { LandingQueue } from '#landing'

/** What one command waits for in one queue. `own` shrinks as sessions land. */
export interface OwnLandings {
  queue: LandingQueue
  own: Set<string>
  /** Does this command land what waits there just now? */
  isLander: boolean
}

/**
 * Where a signal ends this command, take out what it has put in: a person who interrupts a landing does not want the daemon to go on with
 * it. What another process lands just now, or has put in, is left to it. Returns a function that ends this.
 */
export function dropAtSignal(groups: readonly OwnLandings[]): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const drop = (signal: NodeJS.Signals) => {
    for (const { queue, own, isLander } of groups)
      for (const session of own)
        if (queue.find(session)?.attendedBy?.pid === process.pid)
          queue.drop(session, `its command was ended by ${signal}`, isLander ? ['waiting', 'landing'] : ['waiting'])
    stop()
    process.kill(process.pid, signal)
  }
  const stop = () => {
    for (const signal of signals) process.off(signal, drop)
  }
  for (const signal of signals) process.on(signal, drop)
  return stop
}
