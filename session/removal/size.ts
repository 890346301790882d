import fs from 'node:fs'
import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import { measureFolder, readJson, writeAtomic } from '#host/fs'
import type { Session } from '../manifest.ts'

const SizeRecord = z.object({ bytes: z.number(), lastEventAtMs: z.number() })

/** When something last happened in a session, in milliseconds. */
export function getLastEventTime({ paths }: Session): number {
  return fs.statSync(paths.events, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** The size that was measured before, in bytes; undefined if something has happened since. */
export function readKnownSize(session: Session): number | undefined {
  const record = SizeRecord.safeParse(readJson(session.paths.size)).data
  return record?.lastEventAtMs === getLastEventTime(session) ? record.bytes : undefined
}

/** Measure what removing the session would free, in bytes, and keep it in a file of the session if it has ended. */
export function measureSession(session: Session, hasEnded: boolean): number {
  const known = readKnownSize(session)
  if (known !== undefined) return known
  const bytes = measureFolder(session.paths.folder)
  const record: z.infer<typeof SizeRecord> = { bytes, lastEventAtMs: getLastEventTime(session) }
  if (hasEnded && session.newerFormat === undefined) keep(session, record)
  return bytes
}

// --- internal ---

/** On a full disk it is measured again the next time. */
function keep({ paths }: Session, record: z.infer<typeof SizeRecord>): void {
  try {
    writeAtomic(paths.size, JSON.stringify(record))
  } catch (error) {
    if (!(error instanceof DispatchError) || error.exitCode !== exitCodes.storage) throw error
  }
}
