import { formatCount, sanitize } from '#host/text.ts'
import type { Item, Room } from '#queue'
import { explainDaemonHost } from '#watchdog'
import type { Enqueued } from '../queue/enqueue.ts'
import type { QueueState } from '../queue/queue-state.ts'
import { fitTable, formatLocalTime, formatRelativeTime, paint, print, shorten } from './terminal.ts'

/** What was added, and when its turn comes. */
export function printQueued({ item, aheadCount, wait, room }: Enqueued, isJson: boolean): void {
  if (isJson) return print(JSON.stringify(summarizeItem(item)))
  print(`${item.id}  ${sanitize(item.title)}`)
  if (item.notBefore !== null) print(`  not before ${formatLocalTime(item.notBefore)}`)
  else if (aheadCount > 0) print(`  ${formatCount(aheadCount, 'item')} before it`)
  if (wait !== '') print(paint('yellow', `  it does not start now: ${wait}`))
  if (room.reason !== '') print(paint('yellow', `  nothing starts now: ${describeRoom(room)}`))
  print(paint('dim', `  dispatch queue   what waits, runs and needs you`))
}

/** One line an item, then what holds the queue back. */
export function printQueue({ items, room, hasDaemon, hasService, daemonHost }: QueueState): void {
  if (items.length === 0) return print('The queue is empty. To add a task: dispatch later "task"')
  const rows = items.map(({ item, wait }) => [
    paint(stateColors[item.state], item.state),
    item.id,
    item.priority === 'default' ? '' : item.priority,
    paint('dim', formatRelativeTime(item.enqueuedAt)),
    sanitize(describeItem(item, wait)),
    shorten(item.title, TITLE_WIDTH),
  ])
  print(fitTable(rows, TITLE_COLUMN, shorten))
  if (!items.some(({ item }) => item.state === 'waiting')) return
  if (room.reason !== '') print(paint('yellow', `\nNothing starts now: ${describeRoom(room)}`))
  if (!hasDaemon) print(paint('yellow', `\n${explainNoDaemon(hasService)}`))
  if (daemonHost !== undefined)
    print(paint('yellow', `\nThe daemon of this home runs on ${daemonHost}. ${explainDaemonHost(daemonHost)}`))
}

/** An item with all that is known of it, and what to do. */
export function printItem(item: Item): void {
  const rows: [string, string][] = [
    ['state', `${item.state}, ${formatRelativeTime(item.since)}`],
    ['why', item.reason],
    ['task', item.title],
    ['repository', item.repository ?? 'an empty one'],
    ['priority', item.priority],
    ['tags', (item.tags ?? []).join(', ')],
    ['not before', item.notBefore === null ? '' : formatLocalTime(item.notBefore)],
    ['after', item.after.join(', ')],
    ['needs', item.needs.join(', ')],
    ['options', item.options.join(' ')],
    ['attempts', item.attempt === 0 ? '' : `${item.attempt}, of which ${item.failures} failed`],
    ['session', item.sessionId ?? ''],
    ['added by', item.source],
    ['next', describeNext(item)],
  ]
  print(item.id)
  for (const [name, value] of rows) if (value !== '') print(`  ${name.padEnd(11)} ${sanitize(value)}`)
}

/** The queue as `--json` prints it. Pure. */
export function summarizeQueue({ items, room, hasDaemon, hasService }: QueueState) {
  return {
    items: items.map(({ item, wait }) => ({ ...summarizeItem(item), heldBackBy: wait || null })),
    heldBackBy: room.reason || (hasDaemon ? null : explainNoDaemon(hasService)),
    until: room.until,
  }
}

/** An item as `--json` prints it. Pure. */
export function summarizeItem(item: Item) {
  return { ...item, next: describeNext(item) }
}

// --- internal ---

const TITLE_COLUMN = 5
const TITLE_WIDTH = 60

const stateColors = {
  waiting: 'dim',
  starting: 'cyan',
  running: 'cyan',
  'needs you': 'yellow',
  done: 'green',
  cancelled: 'dim',
} as const

function explainNoDaemon(hasService: boolean): string {
  const command = hasService ? 'service restart' : 'daemon --restart'
  return `No daemon runs, so nothing starts. To start one: dispatch ${command}`
}

function describeItem({ state, sessionId, reason, notBefore, after }: Item, wait: string): string {
  if (state === 'running') return `session ${sessionId?.slice(-4)}`
  if (state === 'waiting' && notBefore !== null && Date.parse(notBefore) > Date.now())
    return `not before ${formatLocalTime(notBefore)}`
  if (state === 'waiting' && reason === '' && after.length > 0) return `after ${after.join(', ')}`
  return shorten(wait || reason, TITLE_WIDTH)
}

function describeRoom({ reason, until }: Room): string {
  return until === null ? reason : `${reason}, until ${formatLocalTime(until)}`
}

function describeNext({ id, state, sessionId }: Pick<Item, 'id' | 'state' | 'sessionId'>): string {
  if (state === 'needs you') return `dispatch queue again ${id}, or dispatch queue rm ${id}`
  if (state === 'running') return `dispatch watch ${sessionId?.slice(-4)}`
  return state === 'done' && sessionId !== null ? `dispatch apply ${sessionId.slice(-4)}` : ''
}
