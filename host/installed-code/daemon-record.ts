import path from 'node:path'
import { z } from 'zod'
import { readJson, writeAtomic } from '../fs/files.ts'
import { mayRun, ProcessIdentity } from '../process/identity.ts'
import { Code } from './installed-code.ts'

/** The content of `daemon.json`: the daemon that started last. `startedAt` is ISO 8601. */
const DaemonRecord = z.object({
  process: ProcessIdentity,
  code: Code,
  startedAt: z.string(),
  /** Does a service of the system keep it? */
  isService: z.boolean(),
})

export type DaemonRecord = z.infer<typeof DaemonRecord>

/** Replace the record of a home's daemon. */
export function writeDaemonRecord(home: string, record: DaemonRecord): void {
  writeAtomic(getDaemonRecordFile(home), `${JSON.stringify(record)}\n`)
}

/** The record of the daemon that runs, as far as can be told without waiting; undefined without one, or for an older dispatch. */
export function readRunningDaemon(home: string): DaemonRecord | undefined {
  const record = DaemonRecord.safeParse(readJson(getDaemonRecordFile(home))).data
  return record && mayRun(record.process) ? record : undefined
}

// --- internal ---

function getDaemonRecordFile(home: string): string {
  return path.join(home, 'daemon.json')
}
