import { appendLine, readIfPresent } from '../host/index.ts'
import { type Event, type Happening, parseEvent } from './event.ts'

/** What a log holds: its events in order, and how many lines could not be read as one. */
export interface Log {
  events: Event[]
  unread: number
}

/** Read a log. A torn, spliced or foreign line is counted, never fatal, and never removed. */
export function readLog(file: string): Log {
  const lines = (readIfPresent(file) ?? '').split('\n').filter(line => line.trim() !== '')
  const events = lines.map(parseEvent).filter(event => event !== undefined)
  return { events, unread: lines.length - events.length }
}

/** Append what happened, numbered after the last. Only the runner writes (and a door, while no runner can). */
export function append(file: string, happening: Happening, previous: number, now: Date): Event {
  const event: Event = { seq: previous + 1, at: now.toISOString(), ...happening }
  appendLine(file, JSON.stringify(event))
  return event
}
