import type { RunnerContext } from './context.ts'

/** A session with a verdict stays open for `KEEP_OPEN_SEC`, then closes. Returns the reason to close it, or undefined. */
export function explainExpiry({ status, config, clock }: RunnerContext): string | undefined {
  const { phase, verdict, phaseStartedAt } = status
  if (!verdict?.isFinal || phase !== verdict.verdict) return undefined
  const openMs = clock.measure(phase, phaseStartedAt)
  return openMs > config.KEEP_OPEN_SEC * 1000 ? `open for ${config.KEEP_OPEN_SEC} s after the verdict` : undefined
}
