import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { appendLine, readIfPresent } from '../host/index.ts'
import { channels } from './outbox.ts'

const Entry = z.object({
  at: z.iso.datetime(),
  /** Of a message; of several that went as one, the first. */
  id: z.string(),
  of: z.string(),
  channel: z.enum(channels),
  what: z.enum(['sent', 'busy', 'unreachable', 'refused', 'held', 'dead']),
  why: z.string(),
  status: z.int().optional(),
  /** All that went as one. */
  with: z.array(z.string()).optional(),
})

/** One outcome. It holds no topic, token, address or body. */
export type Entry = z.infer<typeof Entry>

const full = 2 * 1024 * 1024

/** Write an outcome down. Only the deliverer does; when the ledger is full it is put aside, and the one before that goes. */
export function enter(home: string, entry: Entry): void {
  const { now, before } = filesOf(home)
  if ((fs.statSync(now, { throwIfNoEntry: false })?.size ?? 0) > full) fs.renameSync(now, before)
  appendLine(now, JSON.stringify(entry))
}

/** The last outcomes, oldest first. */
export function readLedger(home: string, last: number): Entry[] {
  const { now, before } = filesOf(home)
  const newest = entriesIn(now)
  const all = newest.length >= last ? newest : [...entriesIn(before), ...newest]
  return last === 0 ? [] : all.slice(-last)
}

function filesOf(home: string): { now: string; before: string } {
  const at = (name: string) => path.join(home, 'outbox', name)
  return { now: at('ledger.jsonl'), before: at('ledger.before.jsonl') }
}

function entriesIn(file: string): Entry[] {
  const lines = (readIfPresent(file) ?? '').split('\n')
  return lines.flatMap(line => (line === '' ? [] : (Entry.safeParse(parsed(line)).data ?? [])))
}

/** A line torn by a crash is nobody's outcome. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
