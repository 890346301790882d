import { type DispatchError, exitCodes } from '#host/error.ts'
import { MINUTE_MS } from '#host/time.ts'
import { type Entry, MAX_RETRY_COUNT } from '#landing'
import type { LandingStatus } from '#session/landing'

/** What came of one try: where the landing stands, or why it could not be tried. */
export type Tried = { landing: LandingStatus } | { error: DispatchError }

/** What happens to an entry after a try. */
export type Next =
  | { kind: 'end'; outcome: NonNullable<Entry['outcome']>; reason: string }
  | { kind: 'later'; reason: string; notBefore: string }
  | { kind: 'send back'; reason: string }

/**
 * Decide what follows. A person at a shell gets the result, whatever it is. Otherwise a conflict, or what is not green, goes back as a
 * new attempt, twice; what the machine, the network, the judge or a hook of the other side has caused is tried again; the rest needs a
 * person. Pure.
 */
export function decideNext(
  { sendsBack, retries, failures }: Pick<Entry, 'sendsBack' | 'retries' | 'failures'>,
  tried: Tried,
  { isAttended, now }: { isAttended: boolean; now: Date },
): Next {
  if ('landing' in tried && tried.landing.state === 'landed') return { kind: 'end', outcome: 'landed', reason: '' }
  const reason = 'error' in tried ? tried.error.message : tried.landing.reason
  if (isAttended) return { kind: 'end', outcome: 'not landed', reason }
  const later = (minutes: number): Next => ({
    kind: 'later',
    reason,
    notBefore: new Date(now.getTime() + minutes * MINUTE_MS).toISOString(),
  })
  if ('error' in tried) {
    const isTemporary = temporaryExitCodes.includes(tried.error.exitCode)
    return isTemporary
      ? later(Math.min(2 ** failures, MAX_PAUSE_MINUTES))
      : { kind: 'end', outcome: 'needs you', reason }
  }
  const { state } = tried.landing
  if (state === 'undecided') return later(Math.min(2 ** failures, MAX_PAUSE_MINUTES))
  if (state === 'refused' && failures < MAX_REFUSAL_COUNT) return later(2 ** failures)
  if (state === 'conflict' || state === 'stale' || state === 'red') {
    if (sendsBack && retries < MAX_RETRY_COUNT) return { kind: 'send back', reason }
    const tries = retries === 0 ? '' : ` after ${retries} new attempts`
    return { kind: 'end', outcome: 'needs you', reason: `${state}${tries}: ${reason}` }
  }
  return { kind: 'end', outcome: 'needs you', reason }
}

// --- internal ---

const MAX_PAUSE_MINUTES = 30
/** A hook of the other side may be wrong for a moment. */
const MAX_REFUSAL_COUNT = 3

const temporaryExitCodes: number[] = [
  exitCodes.dependency,
  exitCodes.login,
  exitCodes.upstream,
  exitCodes.storage,
  exitCodes.sandbox,
  exitCodes.deadline,
]
