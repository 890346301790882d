import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listNames, makePrivateFolder, readJson, writeAtomic } from '#host/fs'
import { acquireLease, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#host/time.ts'

/** An issue or a pull request on GitHub. */
export interface ForgeKey {
  host: string
  owner: string
  name: string
  number: number
}

/** What every record says of where its issue or pull request is. */
export const forgePlaceShape = {
  host: z.string(),
  owner: z.string(),
  name: z.string(),
  number: z.int(),
  url: z.string(),
}

/** What this home keeps a file each about. */
type Kind = 'issues' | 'issues/splits' | 'pull-requests'

/** The file about one of them. */
export function getRecordFile(home: string, kind: Kind, { host, owner, name, number }: ForgeKey): string {
  return path.join(home, kind, `${[host.replace(':', '_'), owner, name, number].join('+').toLowerCase()}.json`)
}

/** The folder, beside the files in use, of those that were put aside because nothing has changed them for long. */
const PAST_FOLDER = 'past'

/** The files in use, without those that were put aside. */
export function listRecordFiles(home: string, kind: Kind): string[] {
  const folder = path.join(home, kind)
  return listRecordNames(folder).map(name => path.join(folder, name))
}

/** The files of all of them, as `readRecordFile` takes them. */
export function listAllRecordFiles(home: string, kind: Kind): string[] {
  const folder = path.join(home, kind)
  // Tidying only moves them to the second folder, so none is missed.
  const names = new Set([...listRecordNames(folder), ...listRecordNames(path.join(folder, PAST_FOLDER))])
  return [...names].sort().map(name => path.join(folder, name))
}

/** What a file contains, as `readJson` does, also where it was put aside. */
export function readRecordFile(file: string): unknown {
  const content = readJson(file)
  return content === null ? readJson(getPastFile(file)) : content
}

/** Put a record aside. The daemon reads those in use again and again; who asks for one by its key, or for all, finds it as before. */
export function putRecordAside(home: string, kind: Kind, key: ForgeKey): void {
  const file = getRecordFile(home, kind, key)
  makePrivateFolder(path.dirname(getPastFile(file)))
  fs.renameSync(file, getPastFile(file))
}

/** Where the file of a record is once it was put aside. */
export function getPastFile(file: string): string {
  return path.join(path.dirname(file), PAST_FOLDER, path.basename(file))
}

/** Write the record of one of them. It is on the disk when this returns. */
export function writeRecordFile(home: string, kind: Kind, record: ForgeKey): void {
  const file = getRecordFile(home, kind, record)
  makePrivateFolder(path.dirname(file))
  writeAtomic(file, `${JSON.stringify(record, null, 2)}\n`)
}

/** Exit 10: a record that cannot be read. `remedy`: what to do after it was moved away. */
export function createDamagedError(file: string, remedy: string): DispatchError {
  return new DispatchError(`${file} is damaged`, {
    exitCode: exitCodes.storage,
    remedy: `Move it away, then ${remedy}`,
  })
}

/** Do something with one of them while no other process of this home does. Undefined if one does. */
export async function withRecord<Result>(
  home: string,
  kind: Kind,
  key: ForgeKey,
  work: () => Promise<Result>,
): Promise<{ result: Result } | undefined> {
  const file = getRecordFile(home, kind, key)
  makePrivateFolder(path.dirname(file))
  const folder = file.replace(/\.json$/, '.lease')
  const self = await identify(process.pid)
  const lease = self && (await acquireLease(folder, self, { elsewhereExpiresMs: HOUR_MS }))
  if (lease === undefined) return undefined
  try {
    return { result: await work() }
  } finally {
    releaseLease(folder, lease)
  }
}

/** Try it until no other process, such as the daemon, is at this record: `work` is undefined while one is. Exit 5 where one stays there. */
export async function retryUntilFree<Result>(
  { url }: { url: string },
  work: () => Promise<Result | undefined>,
): Promise<Result> {
  const endMs = performance.now() + LONGEST_WAIT_MS
  while (performance.now() < endMs) {
    const result = await work()
    if (result !== undefined) return result
    await sleep(SECOND_MS / 4)
  }
  throw new DispatchError(`another process of dispatch is at work on ${url}`, {
    exitCode: exitCodes.conflict,
    remedy: 'Run the same command again later.',
  })
}

/** `ada/notes#42`, for people. */
export function formatForgeKey({ owner, name, number }: Pick<ForgeKey, 'owner' | 'name' | 'number'>): string {
  return `${owner}/${name}#${number}`
}

// --- internal ---

const LONGEST_WAIT_MS = 2 * MINUTE_MS

function listRecordNames(folder: string): string[] {
  return listNames(folder).filter(name => /^[^.].*\.json$/.test(name))
}
