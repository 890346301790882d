import fs from 'node:fs'
import path from 'node:path'
import { writeAtomic } from '#host/fs'
import type { RunnerContext } from '../context.ts'

/** Give the write lock to a code worker, on disk and in the log. Returns its fencing token. */
export function grantWriteLock(context: RunnerContext, worker: string): number {
  const { writeLock } = context.session.paths
  const fencingToken = context.status.lastFencingToken + 1
  writeAtomic(path.join(writeLock, 'token'), String(fencingToken))
  writeAtomic(path.join(writeLock, 'holder'), `${worker}\n`)
  context.record({ type: 'lock.granted', worker, fencingToken })
  return fencingToken
}

/** Release the write lock if this worker has it. */
export function releaseWriteLock(context: RunnerContext, worker: string, reason: string): void {
  const { writeLock } = context.status
  if (writeLock?.worker !== worker) return
  for (const file of ['token', 'holder']) fs.rmSync(path.join(context.session.paths.writeLock, file), { force: true })
  context.record({ type: 'lock.released', worker, fencingToken: writeLock.fencingToken, reason })
}
