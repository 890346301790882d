import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

/**
 * A folder that is gone when the test is over, and whatever still dies in it has had a second to do so. Its path has a blank and
 * an umlaut in it: nobody may stumble over that.
 */
export function createScratchFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch ü-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 1000 }))
  return folder
}

/** Wait until `seen` answers something but false, and answer that; a wait that ends in nothing is an error. */
export async function waitUntil<Seen>(
  seen: () => Seen | false | undefined | Promise<Seen | false | undefined>,
  what: string,
  seconds = 30,
): Promise<Seen> {
  for (const over = Date.now() + seconds * 1000; Date.now() < over; ) {
    const found = await seen()
    if (found !== undefined && found !== false) return found
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`waited ${seconds} s in vain until ${what}`)
}

/** The same row of numbers between 0 and 1 at every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
