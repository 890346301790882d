import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { makePrivateFolder, readJson, writeAtomic } from '#host/fs'
import { acquireLease, type LeaseOptions, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { HOUR_MS } from '#host/time.ts'

/** What was installed under a key. It is written last, so its existence means that all of it is there. */
export const CacheRecord = z.object({
  format: z.literal(1),
  commands: z.array(z.string()),
  /** The tree in which the commands ran. Scripts and links in it may contain this path. */
  tree: z.string(),
  /** The paths that were made, from the top of the tree. */
  made: z.array(z.string()),
  seconds: z.number(),
  /** What the folder takes on the disk. A record of an earlier dispatch has none. */
  bytes: z.number().optional(),
})

export type CacheRecord = z.infer<typeof CacheRecord>

const FIRST_POLL_MS = 20
const LEASE_POLL_MS = 500
/** An installation on another machine that shares this home, or in a container that is gone, is waited for this long. */
export const installLeaseOptions: LeaseOptions = { elsewhereExpiresMs: HOUR_MS }

/** The folder of a key, which all sessions of this machine share. It is created if it does not exist. */
export function openCacheFolder(home: string, key: string): string {
  const cache = path.join(home, 'prepared')
  const folder = path.join(cache, key)
  makePrivateFolder(cache)
  makePrivateFolder(folder)
  return folder
}

/** The record of a folder, if everything it names exists. Marks it as used, so only who holds its lease calls this. */
export function readCacheRecord(folder: string): CacheRecord | undefined {
  const file = getRecordFile(folder)
  const record = CacheRecord.safeParse(readJson(file)).data
  if (!record || record.made.some(name => !fs.existsSync(path.join(record.tree, name)))) return undefined
  const now = new Date()
  fs.utimesSync(file, now, now)
  return record
}

export function writeCacheRecord(folder: string, record: CacheRecord): void {
  writeAtomic(getRecordFile(folder), JSON.stringify(record, null, 2))
}

/** Do something while no other session writes to the folder. Waits until it is free. */
export async function withCacheLease<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder, 'claim')
  const self = await identify(process.pid)
  if (!self) throw new Error('this process is not in the process table')
  const acquire = () => acquireLease(file, self, installLeaseOptions)
  let lease = await acquire()
  // Mostly another one looks for a moment whether it is there. An installation takes minutes.
  for (let pauseMs = FIRST_POLL_MS; !lease; pauseMs = Math.min(2 * pauseMs, LEASE_POLL_MS)) {
    await sleep(pauseMs)
    lease = await acquire()
  }
  try {
    return await work()
  } finally {
    releaseLease(file, lease)
  }
}

/** The record's file. Its time is when the folder was last used. */
export function getRecordFile(folder: string): string {
  return path.join(folder, 'made.json')
}
