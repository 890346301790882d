import path from 'node:path'
import { readBytesIfPresent, readStamp, readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { parseLog } from '../log/log.ts'
import type { Session } from '../manifest.ts'
import { computeState } from '../status/conditions.ts'
import { computeStatus } from '../status/status.ts'
import type { SessionStatus } from '../status/status-types.ts'
import { readSession } from '../store.ts'

/** What the index keeps of a session: all that its files say, and nothing about its processes. */
export interface IndexedSession extends Pick<Session, 'id' | 'manifest' | 'newerFormat'> {
  status: SessionStatus
  unreadableLines: number
}

/** A session as its files say, with the columns by which it is found. Undefined if it is gone or cannot be read. */
export function readIndexed(workspace: string, id: string) {
  const stamps = readStamps(workspace, id) // Before the files, so that what is written meanwhile is noticed.
  const session = readSession(workspace, id)
  if (session === undefined) return undefined
  const { paths, manifest, newerFormat } = session
  const bytes = readBytesIfPresent(paths.events) ?? Buffer.alloc(0)
  const { events, unreadableLines } = parseLog(bytes)
  const status = computeStatus(events)
  const indexed: IndexedSession = { id, manifest, status, unreadableLines, ...(newerFormat && { newerFormat }) }
  return {
    indexed,
    isOpen: isOpen(status),
    state: computeState(status, 'dead'),
    stamps,
    logBytes: bytes.length,
    logSha256: sha256(bytes),
    words: readWords(session),
  }
}

/** Has the session not ended? Pure. */
export function isOpen(status: SessionStatus): boolean {
  return status.closed === undefined && status.phase !== 'failed'
}

/** It differs when a file has changed that the index reads. */
export function readStamps(workspace: string, id: string): string {
  return ['session.json', 'events.jsonl'].map(name => readStamp(path.join(workspace, id, name))).join(' ')
}

/** What a search looks in: the id, the task, the sealed contract and the verdict, in lower case. */
export function readWords({ id, paths }: Session): string {
  const texts = [paths.task, paths.contract, paths.verdictText].map(
    file => readUntrusted(file, MAX_TEXT_BYTES)?.toString('utf8') ?? '',
  )
  return [id, ...texts].join('\n').toLowerCase()
}

// --- internal ---

const MAX_TEXT_BYTES = 128 << 10
