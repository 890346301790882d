import { formatCount, formatNames, sanitize, toOneLine } from '#host/text.ts'
import { type Landing, listOverlaps } from '#landing'
import { fitTable, formatLocalTime, paint, print, shorten } from './terminal.ts'

/** What waits to land on one repository, as far as it is shown. */
export interface ShownQueue {
  checkout: string | null
  entries: Landing[]
  pause: { until: string | null } | null
  isRunning: boolean
}

/** One block for each repository: what lands, what waits, what needs you, and why. */
export function printLandingQueue(queues: ShownQueue[]): void {
  if (queues.length === 0) return print('Nothing waits to land. To put a session in: dispatch land <sid> --queue')
  for (const [index, { checkout, entries, pause, isRunning }] of queues.entries()) {
    if (index > 0) print()
    print(`${paint('bold', sanitize(checkout ?? 'a repository'))}${describeQueue(pause, isRunning)}`)
    const rows = entries.map(entry => [
      `  ${entry.session.slice(-4)}`,
      paintPlace(entry),
      formatCount(entry.files.length, 'file'),
      describeWait(entry, entries),
    ])
    if (rows.length > 0) print(fitTable(rows, REASON_COLUMN, shorten))
  }
}

// --- internal ---

const REASON_COLUMN = 3
const MAX_REASON_CHARS = 300

function describeQueue(pause: ShownQueue['pause'], isRunning: boolean): string {
  if (pause) return paint('yellow', `  paused${pause.until === null ? '' : ` until ${formatLocalTime(pause.until)}`}`)
  return isRunning ? paint('dim', '  lands now') : ''
}

function paintPlace({ state, outcome }: Landing): string {
  if (state === 'landing') return paint('cyan', 'lands')
  if (state !== 'ended') return state === 'waiting' ? 'waits' : paint('yellow', 'sent back')
  return outcome === 'landed' ? paint('green', 'landed') : paint(outcome === 'needs you' ? 'red' : 'dim', outcome ?? '')
}

function describeWait(entry: Landing, entries: Landing[]): string {
  const { after, notBefore, reason, state, outcome, error, retryItem, retries } = entry
  const parts = [
    ...(reason === '' ? [] : [toOneLine(reason, MAX_REASON_CHARS)]),
    ...(outcome === 'needs you' && error?.remedy ? [error.remedy] : []),
    ...(state === 'sent back' ? [`new attempt ${retries + 1}: ${retryItem}`] : []),
    ...(state === 'waiting' && after.length > 0 ? [`after ${formatNames(after.map(id => id.slice(-4)))}`] : []),
    ...(state === 'waiting' && notBefore !== null ? [`again at ${formatLocalTime(notBefore)}`] : []),
    ...(state === 'waiting' ? listOverlaps(entry, entries).map(describeOverlap) : []),
  ]
  return sanitize(parts.join('; '))
}

function describeOverlap({ session, files }: { session: string; files: string[] }): string {
  return `changes ${formatNames(files)}, and so does ${session.slice(-4)}`
}
