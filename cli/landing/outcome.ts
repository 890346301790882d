import { type DispatchError, exitCodes } from '#host/error.ts'
import { RemoteError } from '#host/git/upstream'
import { formatCount } from '#host/text.ts'
import { MINUTE_MS } from '#host/time.ts'
import { type Entry, LONGEST_REST_MS } from '#landing'
import type { LandingStatus } from '#session/landing'
import { SessionBusyError } from '#session/lease'

/** What came of one try: where the landing stands, or why it could not be tried. */
export type Tried = { landing: LandingStatus } | { error: DispatchError }

/** What happens to an entry after a try. */
export type Next =
  | { kind: 'end'; outcome: NonNullable<Entry['outcome']>; reason: string }
  | { kind: 'later'; reason: string; notBefore: string }
  | { kind: 'send back'; reason: string }

/** So often a new attempt is made by itself; then a person decides. */
export const MAX_RETRY_COUNT = 2

/**
 * Decide what follows. A person at a shell gets the result, whatever it is. Otherwise a conflict, or what is not green, goes back as a
 * new attempt, twice; what cannot be reached for now is tried again; a push that fails or that a hook of the remote refuses, three
 * times; the rest, such as a protected branch, needs a person. Pure.
 */
export function decideNext(
  entry: Pick<Entry, 'sendsBack' | 'retries' | 'failures' | 'refusals' | 'undecided'>,
  tried: Tried,
  { isAttended, now }: { isAttended: boolean; now: Date },
): Next {
  if ('landing' in tried && tried.landing.state === 'landed') return { kind: 'end', outcome: 'landed', reason: '' }
  const reason = 'error' in tried ? tried.error.message : tried.landing.reason
  if (isAttended) return { kind: 'end', outcome: 'not landed', reason }
  const needsPerson: Next = { kind: 'end', outcome: 'needs you', reason }
  const later = (count: number): Next => {
    const pauseMs = Math.min(2 ** count * MINUTE_MS, LONGEST_REST_MS)
    return { kind: 'later', reason, notBefore: new Date(now.getTime() + pauseMs).toISOString() }
  }
  const laterIfRefused = () => (entry.refusals < MAX_REFUSAL_COUNT ? later(entry.refusals) : needsPerson)
  if ('error' in tried) {
    if (isFailedPush(tried.error)) return laterIfRefused()
    return isTemporary(tried.error) ? later(entry.failures) : needsPerson
  }
  switch (tried.landing.state) {
    case 'undecided':
    case 'blocked':
      return entry.undecided < MAX_UNDECIDED_COUNT ? later(entry.undecided) : needsPerson
    case 'refused':
      return isProtected(tried.landing.reason) ? needsPerson : laterIfRefused()
    case 'present':
      return { kind: 'end', outcome: 'not landed', reason }
    case 'conflict':
    case 'stale':
    case 'red':
      return decideRetry(entry, tried.landing)
    default:
      return needsPerson
  }
}

/** Has the remote said that the branch takes no push like this one? No later try changes that, as one at a hook may. Pure. */
export function isProtected(reason: string): boolean {
  return isProtectedOnGitHub(reason) || /protected branch|rule violations/i.test(reason)
}

/** The same, by the numbers that GitHub gives: there a pull request may be let through. Pure. */
export function isProtectedOnGitHub(reason: string): boolean {
  return /\bGH0(06|13)\b/.test(reason)
}

/** The branch could be fetched and not be pushed to: it may be the network for a moment, or a right that never comes. */
export function isFailedPush(error: DispatchError): boolean {
  return error instanceof RemoteError && error.direction === 'push'
}

// --- internal ---

/** Each try runs gates, and mostly every check and the judge; a check that cannot run may never be able to. */
const MAX_UNDECIDED_COUNT = 5
/** A hook of the remote may be wrong for a moment. What fails at the push may have been proved each time. */
const MAX_REFUSAL_COUNT = 3

const temporaryExitCodes: number[] = [exitCodes.upstream, exitCodes.storage, exitCodes.deadline]

/** The network, a vendor, the disk or a command at the session was the reason: not the work, and no program or key of this machine. */
function isTemporary(error: DispatchError): boolean {
  return (
    error instanceof RemoteError || error instanceof SessionBusyError || temporaryExitCodes.includes(error.exitCode)
  )
}

function decideRetry(
  { sendsBack, retries }: Pick<Entry, 'sendsBack' | 'retries'>,
  { state, reason }: LandingStatus,
): Next {
  if (sendsBack && retries < MAX_RETRY_COUNT) return { kind: 'send back', reason }
  const what = state === 'red' ? 'not green' : state
  const tries = retries === 0 ? '' : ` after ${formatCount(retries, 'new attempt')}`
  return { kind: 'end', outcome: 'needs you', reason: `${what}${tries}: ${reason}` }
}
