import { MINUTE_MS } from '#host/time.ts'
import type { Entry, Landing } from './entry.ts'

/** No entry rests longer than this between two tries. */
export const LONGEST_REST_MS = 30 * MINUTE_MS

/**
 * Choose which one lands next; undefined if none may. The one with the fewest files goes first, so that a large one meets the conflicts
 * and not the small ones. Each landing that goes before it halves what it counts as, so that it does not wait for ever. One that
 * changes the same files as an older one stays behind it: which of the two meets a conflict does not depend on the size. A rest that was
 * begun before the clock was set back does not count. Pure.
 */
export function chooseNextLanding(queue: Landing[], landed: ReadonlySet<string>, now: Date): Landing | undefined {
  const mayGo = (entry: Landing) =>
    entry.state === 'waiting' && entry.after.every(session => landed.has(session)) && !rests(entry, now.getTime())
  const candidates = queue.filter(mayGo)
  const landingTimes = queue.filter(({ outcome }) => outcome === 'landed').map(({ since }) => since)
  const getWeight = ({ size, addedAt }: Entry) => size / 2 ** landingTimes.filter(time => time > addedAt).length
  const [smallest] = candidates.toSorted((a, b) => getWeight(a) - getWeight(b))
  return smallest && findOldestOfSameFiles(smallest, candidates)
}

/** The others that wait, and change files of this one, with those files. Pure. */
export function listOverlaps(entry: Landing, queue: Landing[]): { session: string; files: string[] }[] {
  const own = new Set(entry.files)
  return queue
    .filter(({ session, state }) => session !== entry.session && state !== 'ended')
    .map(({ session, files }) => ({ session, files: files.filter(file => own.has(file)) }))
    .filter(({ files }) => files.length > 0)
}

// --- internal ---

function rests({ notBefore, since }: Entry, nowMs: number): boolean {
  if (notBefore === null) return false
  const restMs = Date.parse(notBefore) - nowMs
  const isClockSetBack = Date.parse(since) > nowMs || restMs > LONGEST_REST_MS
  return restMs > 0 && !isClockSetBack
}

function findOldestOfSameFiles(entry: Landing, candidates: Landing[]): Landing {
  const older = candidates
    .slice(0, candidates.indexOf(entry))
    .find(({ files }) => files.some(file => entry.files.includes(file)))
  return older === undefined ? entry : findOldestOfSameFiles(older, candidates)
}
