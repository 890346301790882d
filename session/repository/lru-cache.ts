/** A cache of things that never change: what was not used for the longest time is dropped first. */
export interface Cache<Value> {
  get(key: string): Value | undefined
  /** Keep a value that counts as `weight` towards the limit. One that is heavier than all of it is not kept. */
  set(key: string, value: Value, weight?: number): void
}

/** Create a cache whose values together weigh at most `maxWeight`. */
export function createCache<Value>(maxWeight: number): Cache<Value> {
  const kept = new Map<string, { value: Value; weight: number }>()
  let total = 0
  const remove = (key: string) => {
    total -= kept.get(key)?.weight ?? 0
    kept.delete(key)
  }
  return {
    get: key => {
      const found = kept.get(key)
      if (found === undefined) return undefined
      kept.delete(key)
      kept.set(key, found) // A Map is in the order in which its keys were set.
      return found.value
    },
    set: (key, value, weight = 1) => {
      remove(key)
      if (weight > maxWeight) return
      kept.set(key, { value, weight })
      total += weight
      for (const [oldest] of kept) {
        if (total <= maxWeight) break
        remove(oldest)
      }
    },
  }
}
