import { AsyncLocalStorage } from 'node:async_hooks'

/** The signal that ends one request, and the response to it. */
export interface FetchObservation {
  signal: AbortSignal
  response?: Response
}

const currentObservation = new AsyncLocalStorage<FetchObservation>()
const originalFetch = globalThis.fetch

/**
 * Run work that calls fetch, and observe the call. npm `ntfy` calls the global fetch without a deadline, and of a refusal it
 * keeps only the text. Inside `work`, and only there, fetch stops at `observation.signal`, follows no redirect, and stores
 * the response in `observation`.
 */
export function observeFetch<Value>(observation: FetchObservation, work: () => Promise<Value>): Promise<Value> {
  globalThis.fetch = observedFetch
  return currentObservation.run(observation, work)
}

const observedFetch: typeof fetch = async (input, init) => {
  const observation = currentObservation.getStore()
  if (observation === undefined) return originalFetch(input, init)
  const response = await originalFetch(input, { ...init, signal: observation.signal, redirect: 'manual' })
  observation.response = response
  return response
}
