/** How loud a word is on the page; `call` is for what waits for a person. */
export type Tone = 'good' | 'bad' | 'unsure' | 'call' | 'live' | 'quiet'

/** How a state, an outcome or a finding looks. A word that is not known is quiet, never green. */
export function pickTone(word: string): Tone {
  return tones.get(word) ?? (word.endsWith('(void)') ? 'unsure' : 'quiet')
}

const tones = new Map<string, Tone>([
  ['PASS', 'good'],
  ['green', 'good'],
  ['FAIL', 'bad'],
  ['failed', 'bad'],
  ['red', 'bad'],
  ['INCONCLUSIVE', 'unsure'],
  ['could not run', 'unsure'],
  ['flaky', 'unsure'],
  ['interrupted', 'unsure'],
  ['asking', 'call'],
  ['needs you', 'call'],
  ['stuck', 'call'],
  ['opening', 'live'],
  ['planning', 'live'],
  ['working', 'live'],
  ['judging', 'live'],
])

/** How long ago, in one unit: `42 s`, `5 min`, `3 h`, `2 d`. Empty when the moment does not read as one. */
export function formatAge(at: string, now: Date): string {
  return formatInOneUnit(countSecondsBetween(at, now.toISOString()))
}

/** How long something took, or has taken so far: `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(from: string, to: string): string {
  const seconds = countSecondsBetween(from, to)
  if (Number.isNaN(seconds)) return ''
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`
  if (minutes === 0) return `${seconds} s`
  return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
}

/** The machine's own clock, as `14:03:22`. */
export function formatClock(at: string): string {
  const moment = new Date(at)
  return Number.isNaN(moment.getTime()) ? '' : moment.toLocaleTimeString('en-GB')
}

/** Day and time on the machine's own clock, as `20 Nov 2026, 14:03`. */
export function formatDateTime(at: string): string {
  const moment = new Date(at)
  return Number.isNaN(moment.getTime())
    ? ''
    : moment.toLocaleString('en-GB', {
        day: 'numeric',
        month: 'short',
        year: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
      })
}

/** `1 file`, `3 files`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function countSecondsBetween(from: string, to: string): number {
  return Math.max(0, Math.floor((Date.parse(to) - Date.parse(from)) / 1000))
}

function formatInOneUnit(seconds: number): string {
  if (Number.isNaN(seconds)) return ''
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}
