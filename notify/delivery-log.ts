import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { appendLine, readIfPresent } from '#host/fs'
import { parseJson } from '#host/json.ts'
import { channels } from './outbox.ts'

const DeliveryLogEntry = z.object({
  at: z.iso.datetime(),
  /** The id of the notification; for a batch, of its first one. */
  id: z.string(),
  sessionId: z.string(),
  channel: z.enum(channels),
  result: z.enum(['sent', 'busy', 'unreachable', 'refused', 'deferred', 'dead']),
  /** Why it was not sent; empty if it was. */
  reason: z.string(),
  /** The HTTP status, if a server answered. */
  status: z.int().optional(),
  /** The ids of a batch. */
  batchIds: z.array(z.string()).optional(),
})

/** The result of one attempt. It has no topic, token, address or body. */
export type DeliveryLogEntry = z.infer<typeof DeliveryLogEntry>

const MAX_LOG_BYTES = 2 * 1024 * 1024

/** Append an entry. Only the deliverer writes. A full log becomes the previous one, which replaces the one before it. */
export function appendDeliveryLog(home: string, entry: DeliveryLogEntry): void {
  const log = getLogFile(home)
  const size = fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0
  if (size > MAX_LOG_BYTES) fs.renameSync(log, getLogFile(home, '.previous'))
  appendLine(log, JSON.stringify(entry))
}

/** Read the last `count` entries, oldest first. */
export function readDeliveryLog(home: string, count: number): DeliveryLogEntry[] {
  const recent = readEntries(getLogFile(home))
  const entries = recent.length >= count ? recent : [...readEntries(getLogFile(home, '.previous')), ...recent]
  return count === 0 ? [] : entries.slice(-count)
}

// --- internal ---

function getLogFile(home: string, suffix: '' | '.previous' = ''): string {
  return path.join(home, 'outbox', `delivery-log${suffix}.jsonl`)
}

/** A line that a crash cut short is skipped. */
function readEntries(file: string): DeliveryLogEntry[] {
  const lines = (readIfPresent(file) ?? '').split('\n')
  return lines.flatMap(line => (line === '' ? [] : (DeliveryLogEntry.safeParse(parseJson(line)).data ?? [])))
}
