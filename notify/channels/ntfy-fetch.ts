import { AsyncLocalStorage } from 'node:async_hooks'

/** What became of one request, and what may end it. */
export interface FetchObservation {
  signal: AbortSignal
  status?: number
  retryAfter?: string | null
}

const currentObservation = new AsyncLocalStorage<FetchObservation>()
const originalFetch = globalThis.fetch

/**
 * Do work that calls fetch, with a hand on it. npm `ntfy` calls the global fetch without a deadline and keeps of a refusal
 * nothing but its words; inside here, and nowhere else, fetch obeys `heard.signal`, follows no redirect, and leaves status
 * and Retry-After behind.
 */
export function observeFetch<Value>(heard: FetchObservation, work: () => Promise<Value>): Promise<Value> {
  globalThis.fetch = observedFetch
  return currentObservation.run(heard, work)
}

const observedFetch: typeof fetch = async (input, init) => {
  const heard = currentObservation.getStore()
  if (heard === undefined) return originalFetch(input, init)
  const response = await originalFetch(input, { ...init, signal: heard.signal, redirect: 'manual' })
  heard.status = response.status
  heard.retryAfter = response.headers.get('retry-after')
  return response
}
