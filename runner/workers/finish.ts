import fs from 'node:fs'
import { z } from 'zod'
import { buildWorkerMark } from '#agents'
import { parseStreamLine } from '#host/claude'
import { DispatchError } from '#host/error.ts'
import { deleteFolder, readUntrusted, writeAtomic } from '#host/fs'
import { parseJson } from '#host/json.ts'
import { killProcessTree } from '#host/process'
import { matchesGlob } from '#session/contract'
import type { WorkerEnding } from '#session/log'
import { importWork, listChangedPaths } from '#session/repository'
import type { WorkerStatus } from '#session/status'
import type { RunnerContext } from '../context.ts'
import { findWorkerLimit, parkWorker } from '../usage-limit/worker.ts'
import { recordUnreportedCost } from './in-flight.ts'
import { interruptWorker } from './interruption.ts'
import { readWorkerProcess } from './process-record.ts'
import { releaseWriteLock } from './write-lock.ts'

/** What `worker.sh` writes last. */
const ExitRecord = z.object({ code: z.number(), fenced: z.boolean(), commit: z.string() })
type ExitRecord = z.infer<typeof ExitRecord>

/** The last line of a stream. */
export type StreamResult = Extract<ReturnType<typeof parseStreamLine>[number], { kind: 'result' }>['result']

/** With this `with-services.sh` ends when a service did not become ready. */
const SERVICE_EXIT_CODE = 69

/** The result is searched for in this much of the end of a stream. */
const STREAM_TAIL_BYTES = 8 * 1024 * 1024
const ERROR_TAIL_BYTES = 4096
const MAX_EXIT_RECORD_BYTES = 4096
const MAX_QUARANTINE_LIST_BYTES = 65_536
const MAX_QUARANTINED_FILES = 50
const MAX_REPORT_CHARS = 256 * 1024

/** Kill what is left of a worker, release its write lock, and record how it ended and what it committed. */
export async function finishWorker(context: RunnerContext, worker: WorkerStatus): Promise<void> {
  const { paths } = context.session
  const files = paths.worker(worker.name)
  const process = readWorkerProcess(paths, worker.name)
  if (process) await killProcessTree(process, buildWorkerMark(context.session, worker.name))
  const read = (file: string, maxBytes: number, startByte = 0) =>
    readUntrusted(file, maxBytes, startByte)?.toString('utf8') ?? ''
  const isParked = worker.startedAt === undefined // What it has left is of a run that is recorded already.
  const exit = isParked ? undefined : ExitRecord.safeParse(parseJson(read(files.exit, MAX_EXIT_RECORD_BYTES))).data
  const stream = isParked ? '' : read(files.stream, STREAM_TAIL_BYTES, -STREAM_TAIL_BYTES)
  const errors = read(files.errors, ERROR_TAIL_BYTES, -ERROR_TAIL_BYTES)
  const lines = stream.split('\n').flatMap(parseStreamLine)
  const result = lines.findLast(line => line.kind === 'result')?.result
  // The runner may have stopped a worker that ended by itself at the same moment: then its own end counts.
  const requested = context.endings.get(worker.name)
  const stopped = exit && result ? undefined : requested
  const limit = requested || exit?.fenced ? undefined : findWorkerLimit(result)
  const { ending, reason } = stopped ?? classifyEnding(exit, result, errors)
  releaseWriteLock(context, worker.name, ending)
  if (!isParked) recordQuarantine(context, worker, read(files.quarantinedFiles, MAX_QUARANTINE_LIST_BYTES))
  if (!isParked && result?.total_cost_usd === undefined) recordUnreportedCost(context, worker)
  if (ending === 'died' && interruptWorker(context, worker, reason)) return
  const noReport = `(no report: ${ending}${reason ? `, ${reason}` : ''})\n`
  writeAtomic(files.report, result?.result?.slice(0, MAX_REPORT_CHARS) ?? noReport)
  const { commit, changedFiles, problem } = await collectCommit(context, worker, process?.head)
  const costUsd = result?.total_cost_usd ?? null
  if (limit) return parkWorker(context, worker.name, limit, { commit, costUsd })
  context.record({
    type: 'worker.ended',
    worker: worker.name,
    ending,
    reason: `${reason}${problem}`.slice(0, 300),
    commit,
    changedFiles,
    costUsd,
    seconds: Math.round(context.clock.measure(worker.name, worker.startedAt ?? worker.queuedAt) / 1000),
  })
  removeToolHome(context, worker.name)
}

/**
 * How a worker ended. Only the `result` line speaks for the model: claude exits 0 without any output if it cannot write to its own
 * folders, and an error has `subtype: "success"`. Pure.
 */
export function classifyEnding(
  exit: ExitRecord | undefined,
  result: StreamResult | undefined,
  errors: string,
): { ending: WorkerEnding; reason: string } {
  if (exit?.fenced)
    return { ending: 'failed', reason: 'it lost the write lock; what it left uncommitted does not count' }
  if (result?.is_error)
    return { ending: 'failed', reason: result.result ?? result.subtype ?? 'claude reports an error' }
  if (exit === undefined) return { ending: 'died', reason: 'its process is gone' }
  if (result !== undefined) return { ending: 'reported', reason: '' }
  const lastError = errors.trim().split('\n').at(-1)
  // Claude does not start without the services that run beside it; the script that starts them says so last.
  if (exit.code === SERVICE_EXIT_CODE && lastError?.startsWith('service '))
    return { ending: 'failed', reason: lastError }
  const detail = lastError ? `: ${lastError}` : ''
  return { ending: 'silent', reason: `claude ended with exit ${exit.code} and no result${detail}` }
}

/** What a worker found at its start and kept out of the work: of no worker, or of its own attempt that was cut off. */
function recordQuarantine(context: RunnerContext, { name, interruptions }: WorkerStatus, list: string): void {
  const files = list.split('\n').filter(Boolean).slice(0, MAX_QUARANTINED_FILES)
  if (files.length === 0) return
  const attempt = interruptions === undefined ? {} : { attempt: interruptions }
  context.record({ type: 'changes.quarantined', worker: name, files, ...attempt })
}

/** Nothing reads the caches of a worker that has ended, and they may be large. What claude wrote is in another folder. */
function removeToolHome({ session }: RunnerContext, name: string): void {
  const { tempFolder, toolHome } = session.paths.worker(name)
  // Without a sandbox a worker could have put a link there.
  if (!fs.lstatSync(tempFolder, { throwIfNoEntry: false })?.isDirectory()) return
  try {
    deleteFolder(toolHome)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error // What cannot be removed stays until `rm`.
  }
}

/** What the worker committed since `head`. A repository that cannot be read is a problem to report, not an error. */
async function collectCommit(
  context: RunnerContext,
  worker: WorkerStatus,
  head: string | undefined,
): Promise<{ commit: string | null; changedFiles: number; problem: string }> {
  const { paths } = context.session
  try {
    const { commit } = await importWork(paths)
    const changes = head === undefined ? [] : await listChangedPaths(paths, head, commit)
    const own = changes.filter(({ path: file }) => isOwnChange(context, worker, file))
    return { commit, changedFiles: own.length, problem: '' }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return { commit: null, changedFiles: 0, problem: `; ${error.message}` }
  }
}

/** Did this worker change the file? rw workers commit at the same time, and only files they named. */
function isOwnChange({ status }: RunnerContext, worker: WorkerStatus, file: string): boolean {
  const covers = (globs: string[]) => globs.some(glob => matchesGlob(glob, file))
  if (worker.kind === 'rw') return covers(worker.files)
  return !status.workers.some(other => other.kind === 'rw' && covers(other.files))
}
