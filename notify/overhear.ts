import { AsyncLocalStorage } from 'node:async_hooks'

/** What became of one request, and what may end it. */
export interface Heard {
  signal: AbortSignal
  status?: number
  retryAfter?: string | null
}

const going = new AsyncLocalStorage<Heard>()
const nodes = globalThis.fetch

/**
 * Do work that calls fetch, with a hand on it. npm `ntfy` calls the global fetch without a deadline and keeps of a refusal
 * nothing but its words; inside here, and nowhere else, fetch obeys `heard.signal`, follows no redirect, and leaves status
 * and Retry-After behind.
 */
export function overhear<Value>(heard: Heard, work: () => Promise<Value>): Promise<Value> {
  globalThis.fetch = listening
  return going.run(heard, work)
}

const listening: typeof fetch = async (input, init) => {
  const heard = going.getStore()
  if (heard === undefined) return nodes(input, init)
  const response = await nodes(input, { ...init, signal: heard.signal, redirect: 'manual' })
  heard.status = response.status
  heard.retryAfter = response.headers.get('retry-after')
  return response
}
