import fs from 'node:fs'
import { prepareWorker } from '#agents'
import { identify } from '#host/process'
import { planServices, type ServicePlan } from '#host/services'
import { importWork } from '#session/repository'
import type { WorkerStatus } from '#session/status'
import { listActiveWorkers, type RunnerContext } from '../context.ts'
import { ensureDependencies } from '../dependencies/install.ts'
import { prepareToolHome } from '../dependencies/tool-home.ts'
import { getTmuxSession } from '../terminal.ts'
import { isHeldByLimit } from '../usage-limit/worker.ts'
import { computeRemainingUsd } from './budget.ts'
import { finishWorker } from './finish.ts'
import { keepInterruptedAttempt } from './interruption.ts'
import { writeWorkerProcess } from './process-record.ts'
import { grantWriteLock } from './write-lock.ts'

/** Start every rw worker in the queue, and the first code worker if the write lock is free. With the budget spent, end them. */
export async function startQueuedWorkers(context: RunnerContext): Promise<void> {
  const { status } = context
  if (status.isTimeUp) return
  if (status.dependencies?.state === 'running') return // A worker would start without the project's dependencies.
  for (const worker of status.workers) {
    if (worker.startedAt !== undefined || worker.endedAt !== undefined || isHeldByLimit(context, worker)) continue
    if (computeRemainingUsd(context) === 0) await endUnstarted(context, worker, 'the budget is spent')
    else if (worker.kind === 'rw') await startWorker(context, worker, 0)
    else if (status.writeLock?.worker === worker.name) await startWorker(context, worker, status.writeLock.fencingToken)
    else if (context.status.writeLock === null) await startWorker(context, worker, grantWriteLock(context, worker.name))
  }
}

async function endUnstarted(context: RunnerContext, worker: WorkerStatus, reason: string): Promise<void> {
  context.endings.set(worker.name, { ending: 'stopped', reason })
  await finishWorker(context, worker)
}

async function startWorker(context: RunnerContext, worker: WorkerStatus, token: number): Promise<void> {
  const { session, tmux, status } = context
  const { name, kind } = worker
  const otherWriters = listActiveWorkers(status).filter(other => other.kind === 'rw' && other.name !== name)
  const files = kind === 'rw' ? worker.files : [...new Set(otherWriters.flatMap(other => other.files))]
  // While an rw worker runs, a new commit may be that worker's, so none is quarantined.
  const acceptedCommit = kind === 'code' && otherWriters.length === 0 ? (status.acceptedCommit ?? '') : ''
  const dependencies = status.base && (await ensureDependencies(context, status.base))
  const installed = dependencies?.ok ? dependencies : undefined
  const { toolHome } = session.paths.worker(name)
  const script = prepareWorker(session, worker, {
    files,
    token,
    acceptedCommit,
    programs: installed?.listProgramFolders(session.paths.outputs) ?? [],
    ...(await prepareToolHome(toolHome, session.manifest.toolchains, installed)),
    services: kind === 'code' ? await planWorkerServices(context, name) : undefined, // An rw worker runs no programs.
    budgetUsd: computeRemainingUsd(context),
    interrupted: keepInterruptedAttempt(session, worker),
  })
  const { commit } = await importWork(session.paths)
  const window = { ...getTmuxSession(session), name, command: ['/bin/sh', script] }
  // A runner that died right here may have opened the window already. There must never be two.
  const panes = await tmux.listPanes()
  const pane = panes.find(pane => pane.session === window.session && pane.window === name && !pane.isDead)
  const { exit, stream, quarantinedFiles } = session.paths.worker(name)
  // A run that was parked or cut off has left them.
  if (pane === undefined) for (const file of [exit, stream, quarantinedFiles]) fs.rmSync(file, { force: true })
  const pid = pane?.pid ?? (await tmux.openWindow(window))
  const identity = (await identify(pid)) ?? { pid, startTime: 'gone', bootId: '' }
  writeWorkerProcess(session.paths, name, { ...identity, head: acceptedCommit || commit })
  context.record({ type: 'worker.started', worker: name })
}

function planWorkerServices({ session }: RunnerContext, name: string): Promise<ServicePlan | undefined> {
  const { project, sandbox } = session.manifest
  const { tempFolder } = session.paths.worker(name)
  return planServices(project?.services ?? [], { tempFolder, sandbox: sandbox.kind })
}
