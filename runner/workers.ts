import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { layWorker, workerMark } from '../agents/index.ts'
import {
  DispatchError,
  identify,
  killFamily,
  liveness,
  parseStreamLine,
  type Result,
  readIfPresent,
  readJson,
  readUntrusted,
  writeAtomic,
} from '../host/index.ts'
import { changedPaths, type Ending, importHead, matchesGlob, type Worker } from '../session/index.ts'
import { leftUsd } from './budget.ts'
import { type Reply, type Running, refuse } from './running.ts'
import { readyFor } from './setup.ts'
import { tmuxPlace } from './start.ts'

const Process = z.object({ pid: z.number(), start: z.string(), boot: z.string(), head: z.string() })
const Exit = z.object({ code: z.number(), fenced: z.boolean(), commit: z.string() })

/** How much of the end of a stream is searched for its result: 8 MiB. */
const streamTail = 8 * 1024 * 1024

/** Start what may start: every rw worker, and the first code worker when nobody holds the lock. */
async function startDue(running: Running): Promise<void> {
  const { status } = running
  if (status.setup?.how === 'running') return // They would begin without the project's dependencies.
  for (const worker of status.workers) {
    if (worker.startedAt !== undefined || worker.endedAt !== undefined) continue
    if (worker.kind === 'rw') await start(running, worker, 0)
    else if (status.lock?.worker === worker.name) await start(running, worker, status.lock.token)
    else if (running.status.lock === null) {
      const token = running.status.token + 1
      writeAtomic(path.join(running.session.paths.lock, 'token'), String(token))
      writeAtomic(path.join(running.session.paths.lock, 'holder'), `${worker.name}\n`)
      running.record({ is: 'lock.granted', worker: worker.name, token })
      await start(running, worker, token)
    }
  }
}

/** Look after everybody who works: who has ended, who takes too long. */
export async function watchWorkers(running: Running): Promise<void> {
  for (const worker of running.status.workers) {
    if (worker.startedAt === undefined || worker.endedAt !== undefined) continue
    const who = readProcess(running, worker.name)
    const exited = fs.existsSync(running.session.paths.worker(worker.name).exit)
    if (exited || who === undefined || (await liveness(who)) === 'dead') await end(running, worker, who)
    else if (Date.now() - Date.parse(worker.startedAt) > running.config.WORKER_TIMEOUT_SEC * 1000) {
      running.ended.set(worker.name, { how: 'timed out', why: `not done after ${running.config.WORKER_TIMEOUT_SEC} s` })
      await killFamily(who, workerMark(running.session, worker.name))
    }
  }
  await startDue(running)
}

/** `wait-workers`: undefined while one of those named still works. */
export function waited(running: Running, words: string[]): Reply | undefined {
  const { workers } = running.status
  const unknown = words.find(name => !workers.some(worker => worker.name === name))
  if (unknown !== undefined)
    return refuse(
      `There is no worker "${unknown}". There are: ${workers.map(worker => worker.name).join(', ') || 'none'}.`,
    )
  if (workers.length === 0) return refuse('There is no worker to wait for. Start one with spawn-worker.')
  const recent = workers.filter(worker => worker.queuedAt > (running.status.verdict?.at ?? ''))
  const named =
    words.length > 0 ? workers.filter(worker => words.includes(worker.name)) : recent.length > 0 ? recent : workers
  if (named.some(worker => worker.endedAt === undefined)) return undefined
  const told = named.map(worker => tellWorker(running, worker)).join('\n\n')
  return {
    exit: named.every(worker => worker.how === 'reported') ? 0 : 1,
    text: `${told}\n\nA report is a claim. Next: submit, or another worker if something is missing.`,
  }
}

/** End every worker now, because the session ends. */
export async function stopWorkers(running: Running, why: string): Promise<void> {
  for (const worker of running.status.workers) {
    if (worker.endedAt !== undefined) continue
    running.ended.set(worker.name, { how: 'stopped', why })
    const who = readProcess(running, worker.name)
    if (who && worker.startedAt !== undefined) await killFamily(who, workerMark(running.session, worker.name))
    await end(running, worker, who)
  }
}

async function start(running: Running, worker: Worker, token: number): Promise<void> {
  const { session, tmux, status } = running
  const { name, kind, model, clauses } = worker
  const own = session.paths.worker(name)
  const others = status.workers.filter(
    other => other.kind === 'rw' && other.name !== name && other.endedAt === undefined,
  )
  const files = kind === 'rw' ? worker.files : [...new Set(others.flatMap(other => other.files))]
  const accepted = kind === 'code' && others.length === 0 ? (status.accepted ?? '') : '' // A writer may be committing just now.
  const brief = fs.readFileSync(own.brief)
  const ready = status.base ? await readyFor(running, status.base) : undefined
  const { outputs } = session.paths
  const given = ready?.ok ? { programs: ready.programs(outputs), variables: ready.variables(outputs) } : {}
  const budgetUsd = leftUsd(running)
  const script = layWorker(session, { name, kind, model, clauses, files, brief, token, accepted, budgetUsd, ...given })
  const { commit } = await importHead(session.paths)
  const window = { ...tmuxPlace(session), name, command: ['/bin/sh', script] }
  // A runner that died just here has opened the window already: there must never be two.
  const open = (await tmux.panes()).find(pane => pane.session === window.session && pane.window === name)
  const pid = open?.pid ?? (await tmux.openWindow(window))
  const who = (await identify(pid)) ?? { pid, start: 'gone', boot: '' }
  writeAtomic(path.join(own.folder, 'process.json'), JSON.stringify({ ...who, head: accepted || commit }))
  running.record({ is: 'worker.started', worker: name })
}

/** Nothing of it may live on, the lock is free at once, and then we look at what it left. */
async function end(running: Running, worker: Worker, who: z.infer<typeof Process> | undefined): Promise<void> {
  const { paths } = running.session
  const own = paths.worker(worker.name)
  if (who) await killFamily(who, workerMark(running.session, worker.name))
  const exit = Exit.safeParse(parseJson(readUntrusted(own.exit, 4096))).data
  const result = lastResult(readUntrusted(own.stream, streamTail, -streamTail)?.toString('utf8') ?? '')
  const ours = running.ended.get(worker.name)
  const { how, why } =
    ours && !(exit && result)
      ? ours
      : judgeEnding(exit, result, readUntrusted(own.errors, 4096, -4096)?.toString('utf8') ?? '')
  freeLock(running, worker.name, how)
  writeAtomic(own.report, result?.result?.slice(0, 256 * 1024) ?? `(no report: ${how}${why ? `, ${why}` : ''})\n`)
  const aside = (readUntrusted(path.join(own.folder, 'set-aside.txt'), 65_536)?.toString('utf8') ?? '')
    .split('\n')
    .filter(Boolean)
  if (aside.length > 0) running.record({ is: 'changes.set-aside', worker: worker.name, files: aside.slice(0, 50) })
  const { commit, changed, trouble } = await leftBehind(running, worker, who?.head)
  const seconds = Math.round((Date.now() - Date.parse(worker.startedAt ?? worker.queuedAt)) / 1000)
  running.record({
    is: 'worker.ended',
    worker: worker.name,
    how,
    why: `${why}${trouble}`.slice(0, 300),
    commit,
    files: changed,
    costUsd: result?.total_cost_usd ?? null,
    seconds,
  })
}

/** What it committed; a repository that does not read is told, and hinders nobody's end. */
async function leftBehind(
  running: Running,
  worker: Worker,
  from: string | undefined,
): Promise<{ commit: string | null; changed: number; trouble: string }> {
  const { paths } = running.session
  try {
    const { commit } = await importHead(paths)
    const changed = from === undefined ? [] : await changedPaths(paths, from, commit)
    return { commit, changed: changed.filter(({ path: file }) => isIts(running, worker, file)).length, trouble: '' }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return { commit: null, changed: 0, trouble: `; ${error.message}` }
  }
}

/** Is a changed file this worker's doing? rw workers commit beside it, and only what they named. */
function isIts({ status }: Running, worker: Worker, file: string): boolean {
  const named = (files: string[]) => files.some(glob => matchesGlob(glob, file))
  if (worker.kind === 'rw') return named(worker.files)
  return !status.workers.some(other => other.kind === 'rw' && named(other.files))
}

/**
 * How it ended. Only the `result` line speaks for the model: claude exits 0 with no output at all where it cannot write
 * its own folders, and an error comes with `subtype: "success"`. Pure.
 */
export function judgeEnding(
  exit: z.infer<typeof Exit> | undefined,
  result: Result | undefined,
  errors: string,
): { how: Ending; why: string } {
  const last = errors.trim().split('\n').at(-1) ?? ''
  if (exit?.fenced) return { how: 'failed', why: 'it had lost the write lock; what it left uncommitted does not count' }
  if (result?.is_error) return { how: 'failed', why: result.result ?? result.subtype ?? 'claude reports an error' }
  if (exit === undefined) return { how: 'died', why: 'its process is gone' }
  if (result === undefined)
    return { how: 'silent', why: `claude ended with exit ${exit.code} and no result${last ? `: ${last}` : ''}` }
  return { how: 'reported', why: '' }
}

function freeLock(running: Running, name: string, why: string): void {
  const { lock } = running.status
  if (lock?.worker !== name) return
  for (const file of ['token', 'holder']) fs.rmSync(path.join(running.session.paths.lock, file), { force: true })
  running.record({ is: 'lock.released', worker: name, token: lock.token, why })
}

function lastResult(stream: string): Result | undefined {
  return stream
    .split('\n')
    .flatMap(parseStreamLine)
    .findLast(line => line.is === 'result')?.result
}

function tellWorker({ session }: Running, { name, kind, how, why, changedFiles, clauses }: Worker): string {
  const report = readIfPresent(session.paths.worker(name).report) ?? ''
  const head = `=== ${name} (${kind}; ${clauses.join(', ')}): ${how}${why ? ` (${why})` : ''}; changed ${changedFiles === 0 ? 'NOTHING' : `${changedFiles} file(s)`}`
  return `${head}\n${report.slice(0, 6000).trimEnd()}`
}

function readProcess({ session }: Running, name: string): z.infer<typeof Process> | undefined {
  return Process.safeParse(readJson(path.join(session.paths.worker(name).folder, 'process.json'))).data
}

function parseJson(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? 'null')
  } catch {
    return undefined // Half written, or not ours: as good as not there.
  }
}
