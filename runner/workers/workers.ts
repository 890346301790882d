import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { buildWorkerMark, prepareWorker } from '#agents'
import { parseStreamLine, type StreamResult } from '#host/claude'
import { DispatchError } from '#host/error.ts'
import { readIfPresent, readJson, readUntrusted, writeAtomic } from '#host/fs'
import { checkLiveness, identify, killProcessTree } from '#host/process'
import { matchesGlob } from '#session/contract'
import type { WorkerEnding } from '#session/log'
import { importWork, listChangedPaths } from '#session/repository'
import type { WorkerStatus } from '#session/status'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { ensureDependencies } from '../dependencies/install.ts'
import { tmuxPlace } from '../terminal.ts'
import { computeRemainingUsd } from './budget.ts'

const ProcessRecord = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string(), head: z.string() })
const ExitRecord = z.object({ code: z.number(), fenced: z.boolean(), commit: z.string() })

/** How much of the end of a stream is searched for its result: 8 MiB. */
const STREAM_TAIL_BYTES = 8 * 1024 * 1024

/** Start what may start: every rw worker, and the first code worker when nobody holds the lock. */
async function startQueuedWorkers(context: RunnerContext): Promise<void> {
  const { status } = context
  if (status.dependencies?.state === 'running') return // They would begin without the project's dependencies.
  for (const worker of status.workers) {
    if (worker.startedAt !== undefined || worker.endedAt !== undefined) continue
    if (worker.kind === 'rw') await startWorker(context, worker, 0)
    else if (status.writeLock?.worker === worker.name) await startWorker(context, worker, status.writeLock.fencingToken)
    else if (context.status.writeLock === null) {
      const fencingToken = context.status.lastFencingToken + 1
      writeAtomic(path.join(context.session.paths.writeLock, 'token'), String(fencingToken))
      writeAtomic(path.join(context.session.paths.writeLock, 'holder'), `${worker.name}\n`)
      context.record({ type: 'lock.granted', worker: worker.name, fencingToken })
      await startWorker(context, worker, fencingToken)
    }
  }
}

/** Look after everybody who works: who has ended, who takes too long. */
export async function watchWorkers(context: RunnerContext): Promise<void> {
  for (const worker of context.status.workers) {
    if (worker.startedAt === undefined || worker.endedAt !== undefined) continue
    const who = readProcess(context, worker.name)
    const exited = fs.existsSync(context.session.paths.worker(worker.name).exit)
    if (exited || who === undefined || (await checkLiveness(who)) === 'dead') await finishWorker(context, worker, who)
    else if (Date.now() - Date.parse(worker.startedAt) > context.config.WORKER_TIMEOUT_SEC * 1000) {
      context.endings.set(worker.name, {
        how: 'timed out',
        reason: `not done after ${context.config.WORKER_TIMEOUT_SEC} s`,
      })
      await killProcessTree(who, buildWorkerMark(context.session, worker.name))
    }
  }
  await startQueuedWorkers(context)
}

/** `wait-workers`: undefined while one of those named still works. */
export function buildWaitReply(context: RunnerContext, words: string[]): CommandReply | undefined {
  const { workers } = context.status
  const unknown = words.find(name => !workers.some(worker => worker.name === name))
  if (unknown !== undefined)
    return refuse(
      `There is no worker "${unknown}". There are: ${workers.map(worker => worker.name).join(', ') || 'none'}.`,
    )
  if (workers.length === 0) return refuse('There is no worker to wait for. Start one with spawn-worker.')
  const recent = workers.filter(worker => worker.queuedAt > (context.status.verdict?.time ?? ''))
  const named =
    words.length > 0 ? workers.filter(worker => words.includes(worker.name)) : recent.length > 0 ? recent : workers
  if (named.some(worker => worker.endedAt === undefined)) return undefined
  const reports = named.map(worker => formatWorkerReport(context, worker)).join('\n\n')
  return {
    exit: named.every(worker => worker.ending === 'reported') ? 0 : 1,
    text: `${reports}\n\nA report is a claim. Next: submit, or another worker if something is missing.`,
  }
}

/** End every worker now, because the session ends. */
export async function stopWorkers(context: RunnerContext, reason: string): Promise<void> {
  for (const worker of context.status.workers) {
    if (worker.endedAt !== undefined) continue
    context.endings.set(worker.name, { how: 'stopped', reason })
    const who = readProcess(context, worker.name)
    if (who && worker.startedAt !== undefined) await killProcessTree(who, buildWorkerMark(context.session, worker.name))
    await finishWorker(context, worker, who)
  }
}

async function startWorker(context: RunnerContext, worker: WorkerStatus, token: number): Promise<void> {
  const { session, tmux, status } = context
  const { name, kind, model, clauses } = worker
  const own = session.paths.worker(name)
  const others = status.workers.filter(
    other => other.kind === 'rw' && other.name !== name && other.endedAt === undefined,
  )
  const files = kind === 'rw' ? worker.files : [...new Set(others.flatMap(other => other.files))]
  const acceptedCommit = kind === 'code' && others.length === 0 ? (status.acceptedCommit ?? '') : '' // A writer may be committing just now.
  const brief = fs.readFileSync(own.brief)
  const ready = status.base ? await ensureDependencies(context, status.base) : undefined
  const { outputs } = session.paths
  const given = ready?.ok ? { programs: ready.listProgramFolders(outputs), variables: ready.getVariables(outputs) } : {}
  const budgetUsd = computeRemainingUsd(context)
  const script = prepareWorker(session, {
    name,
    kind,
    model,
    clauses,
    files,
    brief,
    token,
    acceptedCommit,
    budgetUsd,
    ...given,
  })
  const { commit } = await importWork(session.paths)
  const window = { ...tmuxPlace(session), name, command: ['/bin/sh', script] }
  // A runner that died just here has opened the window already: there must never be two.
  const open = (await tmux.listPanes()).find(pane => pane.session === window.session && pane.window === name)
  const pid = open?.pid ?? (await tmux.openWindow(window))
  const who = (await identify(pid)) ?? { pid, startTime: 'gone', bootId: '' }
  writeAtomic(path.join(own.folder, 'process.json'), JSON.stringify({ ...who, head: acceptedCommit || commit }))
  context.record({ type: 'worker.started', worker: name })
}

/** Nothing of it may live on, the lock is free at once, and then we look at what it left. */
async function finishWorker(
  context: RunnerContext,
  worker: WorkerStatus,
  who: z.infer<typeof ProcessRecord> | undefined,
): Promise<void> {
  const { paths } = context.session
  const own = paths.worker(worker.name)
  if (who) await killProcessTree(who, buildWorkerMark(context.session, worker.name))
  const exit = ExitRecord.safeParse(parseJson(readUntrusted(own.exit, 4096))).data
  const result = findLastResult(
    readUntrusted(own.stream, STREAM_TAIL_BYTES, -STREAM_TAIL_BYTES)?.toString('utf8') ?? '',
  )
  const ours = context.endings.get(worker.name)
  const { how: ending, reason } =
    ours && !(exit && result)
      ? ours
      : classifyEnding(exit, result, readUntrusted(own.errors, 4096, -4096)?.toString('utf8') ?? '')
  releaseWriteLock(context, worker.name, ending)
  writeAtomic(
    own.report,
    result?.result?.slice(0, 256 * 1024) ?? `(no report: ${ending}${reason ? `, ${reason}` : ''})\n`,
  )
  const aside = (readUntrusted(path.join(own.folder, 'quarantined.txt'), 65_536)?.toString('utf8') ?? '')
    .split('\n')
    .filter(Boolean)
  if (aside.length > 0) context.record({ type: 'changes.quarantined', worker: worker.name, files: aside.slice(0, 50) })
  const { commit, changed, trouble } = await collectWorkerCommit(context, worker, who?.head)
  const seconds = Math.round((Date.now() - Date.parse(worker.startedAt ?? worker.queuedAt)) / 1000)
  context.record({
    type: 'worker.ended',
    worker: worker.name,
    ending,
    reason: `${reason}${trouble}`.slice(0, 300),
    commit,
    changedFiles: changed,
    costUsd: result?.total_cost_usd ?? null,
    seconds,
  })
}

/** What it committed; a repository that does not read is told, and hinders nobody's end. */
async function collectWorkerCommit(
  context: RunnerContext,
  worker: WorkerStatus,
  from: string | undefined,
): Promise<{ commit: string | null; changed: number; trouble: string }> {
  const { paths } = context.session
  try {
    const { commit } = await importWork(paths)
    const changed = from === undefined ? [] : await listChangedPaths(paths, from, commit)
    return {
      commit,
      changed: changed.filter(({ path: file }) => isOwnChange(context, worker, file)).length,
      trouble: '',
    }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return { commit: null, changed: 0, trouble: `; ${error.message}` }
  }
}

/** Is a changed file this worker's doing? rw workers commit beside it, and only what they named. */
function isOwnChange({ status }: RunnerContext, worker: WorkerStatus, file: string): boolean {
  const named = (files: string[]) => files.some(glob => matchesGlob(glob, file))
  if (worker.kind === 'rw') return named(worker.files)
  return !status.workers.some(other => other.kind === 'rw' && named(other.files))
}

/**
 * How it ended. Only the `result` line speaks for the model: claude exits 0 with no output at all where it cannot write
 * its own folders, and an error comes with `subtype: "success"`. Pure.
 */
export function classifyEnding(
  exit: z.infer<typeof ExitRecord> | undefined,
  result: StreamResult | undefined,
  errors: string,
): { how: WorkerEnding; reason: string } {
  const last = errors.trim().split('\n').at(-1) ?? ''
  if (exit?.fenced)
    return { how: 'failed', reason: 'it had lost the write lock; what it left uncommitted does not count' }
  if (result?.is_error) return { how: 'failed', reason: result.result ?? result.subtype ?? 'claude reports an error' }
  if (exit === undefined) return { how: 'died', reason: 'its process is gone' }
  if (result === undefined)
    return { how: 'silent', reason: `claude ended with exit ${exit.code} and no result${last ? `: ${last}` : ''}` }
  return { how: 'reported', reason: '' }
}

function releaseWriteLock(context: RunnerContext, name: string, reason: string): void {
  const { writeLock } = context.status
  if (writeLock?.worker !== name) return
  for (const file of ['token', 'holder']) fs.rmSync(path.join(context.session.paths.writeLock, file), { force: true })
  context.record({ type: 'lock.released', worker: name, fencingToken: writeLock.fencingToken, reason })
}

function findLastResult(stream: string): StreamResult | undefined {
  return stream
    .split('\n')
    .flatMap(parseStreamLine)
    .findLast(line => line.kind === 'result')?.result
}

function formatWorkerReport(
  { session }: RunnerContext,
  { name, kind, ending, reason, changedFiles, clauses }: WorkerStatus,
): string {
  const report = readIfPresent(session.paths.worker(name).report) ?? ''
  const head = `=== ${name} (${kind}; ${clauses.join(', ')}): ${ending}${reason ? ` (${reason})` : ''}; changed ${changedFiles === 0 ? 'NOTHING' : `${changedFiles} file(s)`}`
  return `${head}\n${report.slice(0, 6000).trimEnd()}`
}

function readProcess({ session }: RunnerContext, name: string): z.infer<typeof ProcessRecord> | undefined {
  return ProcessRecord.safeParse(readJson(path.join(session.paths.worker(name).folder, 'process.json'))).data
}

function parseJson(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? 'null')
  } catch {
    return undefined // Half written, or not ours: as good as not there.
  }
}
