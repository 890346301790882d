import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '#host/time.ts'

/** The color of a badge. `call` is for what waits for a person. */
export type Tone = 'good' | 'bad' | 'unsure' | 'call' | 'live' | 'quiet'

/** A short label in a color. */
export interface Badge {
  label: string
  tone: Tone
}

/** Create the badge of a state, an outcome or a verdict. Pure. */
export function createBadge(label = ''): Badge {
  return { label, tone: pickTone(label) }
}

/** The tone of a state, an outcome or a verdict. An unknown one is quiet, never green. Pure. */
export function pickTone(label: string): Tone {
  const [tone] = tones.find(([, labels]) => labels.includes(label)) ?? []
  return tone ?? (label.endsWith('(void)') ? 'unsure' : 'quiet')
}

const tones: [Tone, labels: string[]][] = [
  ['good', ['PASS', 'green']],
  ['bad', ['FAIL', 'failed', 'red']],
  ['unsure', ['INCONCLUSIVE', 'nothing ran', 'could not run', 'flaky', 'interrupted']],
  ['call', ['asking', 'needs you', 'stuck']],
  ['live', ['opening', 'planning', 'working', 'judging']],
]

/** The time since then, in one unit: `42 s`, `5 min`, `3 h`, `2 d`. Empty if `time` is invalid. */
export function formatAge(time: string, now: Date): string {
  const ageMs = computeElapsedMs(time, now.toISOString())
  if (Number.isNaN(ageMs)) return ''
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / SECOND_MS)} s`
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min`
  return ageMs < 2 * DAY_MS ? `${Math.floor(ageMs / HOUR_MS)} h` : `${Math.floor(ageMs / DAY_MS)} d`
}

/** The time between two moments, in two units: `42 s`, `3 min 20 s`, `2 h 5 min`. Empty if one is invalid. */
export function formatDuration(start: string, end: string): string {
  const durationMs = computeElapsedMs(start, end)
  if (Number.isNaN(durationMs)) return ''
  const hours = Math.floor(durationMs / HOUR_MS)
  const minutes = Math.floor((durationMs % HOUR_MS) / MINUTE_MS)
  const seconds = Math.floor((durationMs % MINUTE_MS) / SECOND_MS)
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`
  if (minutes === 0) return `${seconds} s`
  return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`
}

/** The local time, as `14:03:22`. Empty if `time` is invalid. */
export function formatClock(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleTimeString('en-GB')
}

/** The local date and time, as `20 Nov 2026, 14:03`. Empty if `time` is invalid. */
export function formatDateTime(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return ''
  return date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
}

/** The name of a file on one line: of what could hide in it, the templates show the rest. Pure. */
export function formatFileName(name: string): string {
  return name.replace(/[\n\t]/g, character => `\\u{${character.charCodeAt(0).toString(16)}}`)
}

function computeElapsedMs(start: string, end: string): number {
  return Math.max(0, Date.parse(end) - Date.parse(start))
}
