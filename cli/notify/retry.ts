import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder, toStorageError } from '#host/fs'
import { defaultTiming, getOutboxFolders, listEnabledChannels, startDeliverer } from '#notify'

/** How many dead letters went back into the outbox, and how many were too old for that. */
export interface RetryCount {
  moved: number
  tooOld: number
}

/** Queue what was given up again. A notification past its maximum age would be given up at once, so it stays. */
export async function retryDeadLetters(config: Config): Promise<RetryCount> {
  const letters = listEnabledChannels(config).flatMap(channel => {
    const { dead, waiting } = getOutboxFolders(config.home, channel)
    const names = listNames(dead).filter(name => letterName.test(name))
    return names.map(name => ({ name, from: path.join(dead, name), waiting }))
  })
  const young = letters.filter(({ name }) => Date.now() - Number(name.slice(0, 15)) < defaultTiming.maxAgeMs)
  for (const { name, from, waiting } of young) moveLetter(from, path.join(waiting, name))
  if (young.length > 0) await startDeliverer(config)
  return { moved: young.length, tooOld: letters.length - young.length }
}

// --- internal ---

/** A name begins with the time in milliseconds: `001795951934214-2026-11-20-fix-login-a3f9-7.json`. */
const letterName = /^\d{15}-.*\.json$/

function moveLetter(from: string, to: string): void {
  makePrivateFolder(path.dirname(to))
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toStorageError(from, error) // Another process has moved it.
  }
}
