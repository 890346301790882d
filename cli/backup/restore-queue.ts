import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import type { Queue } from '#queue'
import type { SessionView } from '#session/status'
import { findStarted } from '../queue/claim.ts'
import { withQueue } from '../queue/open.ts'
import type { BackupRecord, Listing } from './format.ts'
import type { ObjectStore } from './object-store.ts'
import { writeUnit } from './write-unit.ts'

/** The unit of the queue, and its file in a home. */
export const QUEUE_FILE = 'queue.db'

/** Has this home a queue, even one without items? */
export function hasQueue(home: string): boolean {
  return fs.existsSync(path.join(home, QUEUE_FILE))
}

/**
 * Add the queue of a backup to the one that a home has. `isOwn`: it is of this very home. `restored` are the sessions that came back.
 * Exit 6 for one of a newer dispatch.
 */
export async function addQueue(
  config: Config,
  { entries, store }: { entries: Listing; store: ObjectStore },
  { homeId, isOwn, restored }: { homeId: BackupRecord['homeId']; isOwn: boolean; restored: SessionView[] },
): ReturnType<Queue['addCopy']> {
  const copy = path.join(config.home, `.tmp-${QUEUE_FILE}-${process.pid}`)
  try {
    fs.rmSync(copy, { force: true })
    writeUnit(entries, copy, store, new Map())
    return await withQueue(config, queue =>
      queue.addCopy(copy, { origin: homeId, isOwn, findSession: fence => findStarted(restored, fence) }),
    )
  } finally {
    for (const ending of ['', '-wal', '-shm', '-journal']) fs.rmSync(`${copy}${ending}`, { force: true })
  }
}
