/** How many things may be done at a time, and how many may wait for that. */
export interface Semaphore {
  /**
   * Wait for a slot; call the result to give it back. Undefined if too many wait already, or if the signal aborts meanwhile.
   */
  take(signal?: AbortSignal): Promise<(() => void) | undefined>
}

/** A semaphore with `count` slots, for which at most `maxWaiting` more wait, in order. */
export function createSemaphore(count: number, maxWaiting: number): Semaphore {
  let free = count
  const waiting: ((slot: () => void) => void)[] = []
  const release = () => {
    const next = waiting.shift()
    if (next) next(createRelease())
    else free++
  }
  /** A slot is given back once, even if that is asked for twice. */
  const createRelease = () => {
    let isTaken = true
    return () => {
      if (isTaken) release()
      isTaken = false
    }
  }
  const take = (signal?: AbortSignal) => {
    if (signal?.aborted) return Promise.resolve(undefined)
    if (free > 0) {
      free--
      return Promise.resolve(createRelease())
    }
    if (waiting.length >= maxWaiting) return Promise.resolve(undefined)
    return new Promise<(() => void) | undefined>(resolve => {
      const leave = () => {
        waiting.splice(waiting.indexOf(receive), 1)
        resolve(undefined)
      }
      const receive = (slot: () => void) => {
        signal?.removeEventListener('abort', leave)
        resolve(slot)
      }
      signal?.addEventListener('abort', leave, { once: true })
      waiting.push(receive)
    })
  }
  return { take }
}
