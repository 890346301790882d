import { z } from 'zod'
import { parseJson } from '#host/json.ts'
import { type Event, type EventType, eventSchemas } from './event.ts'

/** A whole line of the log: its number, the hash of the line before it, and its event. */
export interface LogLine {
  seq: number
  /** The hash of the line before. Undefined in a line of an older dispatch; empty if the field holds something else. */
  prev: string | undefined
  /** Undefined for an event of an unknown type or shape. */
  event: Event | undefined
}

/** Parse a line of the log; undefined for a torn or foreign one. */
export function parseLine(text: string): LogLine | undefined {
  const value = parseJson(text)
  const head = LineHeadSchema.safeParse(value).data
  if (head === undefined) return undefined
  const { seq, time, type, prev } = head
  const body = Object.hasOwn(eventSchemas, type) ? eventSchemas[type as EventType].safeParse(value) : undefined
  return { seq, prev, event: body?.success ? ({ seq, time, type, ...body.data } as Event) : undefined }
}

/** Parse the event in a line of the log; undefined for a torn, foreign or newer one. */
export function parseEvent(line: string): Event | undefined {
  return parseLine(line)?.event
}

// --- internal ---

const LineHeadSchema = z.looseObject({
  seq: z.number().int().nonnegative(),
  time: z.string(),
  type: z.string(),
  prev: z.string().optional().catch(''),
})
