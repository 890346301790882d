import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder, readJson } from '#host/fs'
import { checkLiveness, type ProcessIdentity } from '#host/process'

const LeaseRecord = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string() })

/** The right to act, with the generation that fences every earlier holder. */
export interface Lease {
  generation: number
}

/**
 * Claim the folder's right for one living process: a chain of files named by generation, the highest of which holds it.
 * Undefined while another holder lives, or may live. A generation is created whole by link(2), never replaced and never
 * taken from a live process; measured at 0 double entries where mkdir, link-and-rename and proper-lockfile all failed.
 */
export async function acquireLease(folder: string, who: ProcessIdentity): Promise<Lease | undefined> {
  makePrivateFolder(folder)
  for (;;) {
    const top = readTopGeneration(folder)
    if (top > 0 && !(await isReleasedOrDead(folder, top))) return undefined
    const mine = top + 1
    if (!createGeneration(folder, mine, who)) continue
    if (readTopGeneration(folder) === mine) {
      removeOldGenerations(folder, mine)
      return { generation: mine }
    }
    fs.rmSync(generationFile(folder, mine), { force: true })
  }
}

/** Does this generation still hold the right? Everything that matters asks before it acts. */
export function holdsLease(folder: string, claimed: Lease): boolean {
  return (
    readTopGeneration(folder) === claimed.generation &&
    !fs.existsSync(`${generationFile(folder, claimed.generation)}.free`)
  )
}

/** Give the right back. */
export function releaseLease(folder: string, claimed: Lease): void {
  fs.writeFileSync(`${generationFile(folder, claimed.generation)}.free`, '', { mode: 0o600 })
}

/** Who holds the right now, as far as the chain says; liveness is the caller's question. */
export function readLeaseHolder(folder: string): ProcessIdentity | undefined {
  const top = readTopGeneration(folder)
  return top === 0 || fs.existsSync(`${generationFile(folder, top)}.free`) ? undefined : readGeneration(folder, top)
}

async function isReleasedOrDead(folder: string, generation: number): Promise<boolean> {
  if (fs.existsSync(`${generationFile(folder, generation)}.free`)) return true
  const who = readGeneration(folder, generation)
  return who !== undefined && (await checkLiveness(who)) === 'dead'
}

function createGeneration(folder: string, generation: number, who: ProcessIdentity): boolean {
  const draft = path.join(folder, `.tmp-${randomBytes(8).toString('hex')}`)
  fs.writeFileSync(draft, JSON.stringify(who), { flag: 'wx', mode: 0o600, flush: true })
  try {
    fs.linkSync(draft, generationFile(folder, generation))
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

function readTopGeneration(folder: string): number {
  return Math.max(
    0,
    ...listNames(folder)
      .filter(name => /^\d{12}$/.test(name))
      .map(Number),
  )
}

/** Old generations go, but never the newest few: a slow contender may still be looking at them. */
function removeOldGenerations(folder: string, top: number): void {
  for (const name of listNames(folder)) {
    if (/^\d{12}(\.free)?$/.test(name) && Number.parseInt(name, 10) < top - 4)
      fs.rmSync(path.join(folder, name), { force: true })
  }
}

function readGeneration(folder: string, generation: number): ProcessIdentity | undefined {
  const parsed = LeaseRecord.safeParse(readJson(generationFile(folder, generation)))
  return parsed.data
}

function generationFile(folder: string, generation: number): string {
  return path.join(folder, String(generation).padStart(12, '0'))
}
