import { AsyncLocalStorage } from 'node:async_hooks'

/** What is seen of one request, and the signal that ends it. */
export interface FetchObservation {
  signal: AbortSignal
  status?: number
  retryAfter?: string | null
}

const currentObservation = new AsyncLocalStorage<FetchObservation>()
const originalFetch = globalThis.fetch

/**
 * Run work that calls fetch, and observe the call. npm `ntfy` calls the global fetch without a deadline, and of a refusal it
 * keeps only the text. Inside `work`, and only there, fetch stops at `observation.signal`, follows no redirect, and stores
 * the status and Retry-After in `observation`.
 */
export function observeFetch<Value>(observation: FetchObservation, work: () => Promise<Value>): Promise<Value> {
  globalThis.fetch = observedFetch
  return currentObservation.run(observation, work)
}

const observedFetch: typeof fetch = async (input, init) => {
  const observation = currentObservation.getStore()
  if (observation === undefined) return originalFetch(input, init)
  const response = await originalFetch(input, { ...init, signal: observation.signal, redirect: 'manual' })
  observation.status = response.status
  observation.retryAfter = response.headers.get('retry-after')
  return response
}
