import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { type Identity, isErrno, liveness, makePrivate, namesIn, readJson } from '../host/index.ts'

const Link = z.object({ pid: z.number(), start: z.string(), boot: z.string() })

/** The right to act, with the generation that fences every earlier holder. */
export interface Claim {
  generation: number
}

/**
 * Claim the folder's right for one living process: a chain of files named by generation, the highest of which holds it.
 * Undefined while another holder lives, or may live. A generation is created whole by link(2), never replaced and never
 * taken from a live process; measured at 0 double entries where mkdir, link-and-rename and proper-lockfile all failed.
 */
export async function claim(folder: string, who: Identity): Promise<Claim | undefined> {
  makePrivate(folder)
  for (;;) {
    const top = topOf(folder)
    if (top > 0 && !(await isFree(folder, top))) return undefined
    const mine = top + 1
    if (!link(folder, mine, who)) continue
    if (topOf(folder) === mine) {
      prune(folder, mine)
      return { generation: mine }
    }
    fs.rmSync(file(folder, mine), { force: true })
  }
}

/** Does this generation still hold the right? Everything that matters asks before it acts. */
export function holds(folder: string, claimed: Claim): boolean {
  return topOf(folder) === claimed.generation && !fs.existsSync(`${file(folder, claimed.generation)}.free`)
}

/** Give the right back. */
export function release(folder: string, claimed: Claim): void {
  fs.writeFileSync(`${file(folder, claimed.generation)}.free`, '', { mode: 0o600 })
}

/** Who holds the right now, as far as the chain says; liveness is the caller's question. */
export function holder(folder: string): Identity | undefined {
  const top = topOf(folder)
  return top === 0 || fs.existsSync(`${file(folder, top)}.free`) ? undefined : read(folder, top)
}

async function isFree(folder: string, generation: number): Promise<boolean> {
  if (fs.existsSync(`${file(folder, generation)}.free`)) return true
  const who = read(folder, generation)
  return who !== undefined && (await liveness(who)) === 'dead'
}

function link(folder: string, generation: number, who: Identity): boolean {
  const draft = path.join(folder, `.tmp-${randomBytes(8).toString('hex')}`)
  fs.writeFileSync(draft, JSON.stringify(who), { flag: 'wx', mode: 0o600, flush: true })
  try {
    fs.linkSync(draft, file(folder, generation))
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

function topOf(folder: string): number {
  return Math.max(
    0,
    ...namesIn(folder)
      .filter(name => /^\d{12}$/.test(name))
      .map(Number),
  )
}

/** Old generations go, but never the newest few: a slow contender may still be looking at them. */
function prune(folder: string, top: number): void {
  for (const name of namesIn(folder)) {
    if (/^\d{12}(\.free)?$/.test(name) && Number.parseInt(name, 10) < top - 4)
      fs.rmSync(path.join(folder, name), { force: true })
  }
}

function read(folder: string, generation: number): Identity | undefined {
  const parsed = Link.safeParse(readJson(file(folder, generation)))
  return parsed.data
}

function file(folder: string, generation: number): string {
  return path.join(folder, String(generation).padStart(12, '0'))
}
