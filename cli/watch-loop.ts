import { getWakeFile } from '#queue'
import { watchPaths } from '#session/log'

/**
 * Look again and again until `end` aborts: at once when the queue of the home is woken, else after `intervalMs`. An error ends nothing; one
 * that comes again and again is said once.
 */
export async function watchLoop(
  { home, intervalMs, end }: { home: string; intervalMs: number; end: AbortSignal },
  look: () => Promise<unknown>,
  say: (line: string) => void,
): Promise<void> {
  const waker = await watchPaths([getWakeFile(home)], intervalMs)
  let lastFailure = ''
  while (!end.aborted) {
    try {
      await look()
      lastFailure = ''
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
      if (failure !== lastFailure) say(failure)
      lastFailure = failure
    }
    await waker.next(end)
  }
  await waker.close()
}
