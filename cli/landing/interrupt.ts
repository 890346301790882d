import type { LandingQueue } from '#landing'

/**
 * Where a signal ends this command, take out what it was waiting for: a person who interrupts a landing does not want the daemon to go
 * on with it. What another process lands just now is left to it. `own` shrinks as sessions land. Returns a function that ends this.
 */
export function dropAtSignal(
  queue: LandingQueue,
  own: ReadonlySet<string>,
  lander: { readonly isSelf: boolean },
): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const drop = (signal: NodeJS.Signals) => {
    for (const session of own)
      queue.drop(session, `its command was ended by ${signal}`, lander.isSelf ? ['waiting', 'landing'] : ['waiting'])
    stop()
    process.kill(process.pid, signal)
  }
  const stop = () => {
    for (const signal of signals) process.off(signal, drop)
  }
  for (const signal of signals) process.on(signal, drop)
  return stop
}
