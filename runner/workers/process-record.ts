import { z } from 'zod'
import { readJson, writeAtomic } from '#host/fs'
import { ProcessIdentity } from '#host/process'
import type { SessionPaths } from '#session'

const WorkerProcess = ProcessIdentity.extend({
  /** The commit that the worker started from. */
  head: z.string(),
})

/** The process in a worker's window. */
export type WorkerProcess = z.infer<typeof WorkerProcess>

export function writeWorkerProcess(paths: SessionPaths, worker: string, record: WorkerProcess): void {
  writeAtomic(paths.worker(worker).process, JSON.stringify(record))
}

/** The process of a worker; undefined if it has not started. */
export function readWorkerProcess(paths: SessionPaths, worker: string): WorkerProcess | undefined {
  return WorkerProcess.safeParse(readJson(paths.worker(worker).process)).data
}
