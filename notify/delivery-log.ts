import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { appendLine, readIfPresent } from '#host/fs'
import { channels } from './outbox.ts'

const DeliveryLogEntry = z.object({
  at: z.iso.datetime(),
  /** Of a message; of several that went as one, the first. */
  id: z.string(),
  sessionId: z.string(),
  channel: z.enum(channels),
  what: z.enum(['sent', 'busy', 'unreachable', 'refused', 'held', 'dead']),
  reason: z.string(),
  status: z.int().optional(),
  /** All that went as one. */
  batchIds: z.array(z.string()).optional(),
})

/** One outcome. It holds no topic, token, address or body. */
export type DeliveryLogEntry = z.infer<typeof DeliveryLogEntry>

const MAX_LOG_BYTES = 2 * 1024 * 1024

/** Write an outcome down. Only the deliverer does; when the ledger is full it is put aside, and the one before that goes. */
export function appendDeliveryLog(home: string, entry: DeliveryLogEntry): void {
  const { now, before } = getLogFiles(home)
  if ((fs.statSync(now, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) fs.renameSync(now, before)
  appendLine(now, JSON.stringify(entry))
}

/** The last outcomes, oldest first. */
export function readDeliveryLog(home: string, last: number): DeliveryLogEntry[] {
  const { now, before } = getLogFiles(home)
  const newest = readEntries(now)
  const all = newest.length >= last ? newest : [...readEntries(before), ...newest]
  return last === 0 ? [] : all.slice(-last)
}

function getLogFiles(home: string): { now: string; before: string } {
  const at = (name: string) => path.join(home, 'outbox', name)
  return { now: at('ledger.jsonl'), before: at('ledger.before.jsonl') }
}

function readEntries(file: string): DeliveryLogEntry[] {
  const lines = (readIfPresent(file) ?? '').split('\n')
  return lines.flatMap(line => (line === '' ? [] : (DeliveryLogEntry.safeParse(parseEntry(line)).data ?? [])))
}

/** A line torn by a crash is nobody's outcome. */
function parseEntry(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
