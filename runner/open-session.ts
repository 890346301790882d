import fs from 'node:fs'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import { readCode } from '#host/installed-code'
import { isStorageProblem } from '#host/storage-problem.ts'
import { SECOND_MS } from '#host/time.ts'
import { type Commit, getStoresFolder, prepareRepository, removeUnusedPackStores } from '#session/repository'
import { countInARow } from '#session/status'
import type { RunnerContext } from './context.ts'
import { restoreContractFile } from './contract/seal.ts'
import { installDependencies } from './dependencies/install.ts'
import type { StartFailure } from './end-session.ts'

/** Take the session over: record this runner (generation 1 is the first). */
export function openSession(context: RunnerContext, generation: number): void {
  recordStart(context, generation)
  const { damage } = context.log
  if (damage !== undefined && context.status.problemExitCode !== exitCodes.integrity) context.reportTampering(damage)
  restoreContractFile(context)
  if (hasLostBase(context))
    context.reportTampering('events.jsonl lacks the contract that was sealed: lines were removed')
}

/** Prepares the repository and its dependencies, while the orchestrator starts and plans. */
export class BasePreparation {
  private isStarted = false
  private retries = 0
  private failure: StartFailure | undefined

  /** Starts it at the first call. Returns why the repository could not be prepared; undefined while it may still be. */
  check(context: RunnerContext): StartFailure | undefined {
    if (!this.isStarted && !hasLostBase(context)) {
      this.isStarted = true
      void this.prepare(context)
    }
    return this.failure
  }

  private async prepare(context: RunnerContext): Promise<void> {
    try {
      const base = context.status.base ?? (await prepareBase(context))
      removeOldStores(context)
      // A check or a worker that needs the dependencies waits for them.
      installDependencies(context, base).catch(error => context.recordFailure(error))
    } catch (error) {
      if (isStorageProblem(error) && this.retries++ < MAX_STORAGE_RETRY_COUNT) return this.tryLater(context, error)
      const reason = `the repository could not be copied: ${error instanceof Error ? error.message : error}`
      this.failure = { reason, exitCode: error instanceof DispatchError ? error.exitCode : exitCodes.internal }
    }
  }

  /** A disk that is full may have room again. */
  private tryLater(context: RunnerContext, error: unknown): void {
    context.recordFailure(error)
    setTimeout(() => {
      this.isStarted = false
    }, STORAGE_RETRY_MS)
  }
}

// --- internal ---

const STORAGE_RETRY_MS = 5 * SECOND_MS
/** For ten minutes. */
const MAX_STORAGE_RETRY_COUNT = 120

function recordStart(context: RunnerContext, generation: number): void {
  const { session, status } = context
  if (status.lastSeq === 0) {
    const { task, repository, models, maxRounds, allowsJudgedOnly, sandbox } = session.manifest
    context.record({
      type: 'session.opened',
      format: 1,
      task,
      repository: repository?.path ?? null,
      uncommittedFiles: repository?.uncommittedFiles ?? 0,
      models,
      maxRounds,
      allowsJudgedOnly,
      sandbox,
      sha256: sha256(fs.readFileSync(session.paths.manifest, 'utf8')),
    })
  }
  const restarts = generation === 1 ? {} : { consecutiveRestarts: countInARow(context.status.lastRestart, Date.now()) }
  const { version } = readCode()
  context.record({ type: 'runner.started', pid: process.pid, generation, version, ...restarts })
}

/** The contract was sealed, so there was a base, but the log does not have it any more. */
function hasLostBase({ session, status }: RunnerContext): boolean {
  return !status.base && fs.existsSync(session.paths.contractVersion(1))
}

/** Copy the user's repository, or make an empty one. */
async function prepareBase(context: RunnerContext): Promise<Commit> {
  const { id, paths, manifest } = context.session
  const { repository } = manifest
  const stores = getStoresFolder(context.config.home)
  const options = { stores, baseBranch: repository?.branch ?? undefined }
  const base = await prepareRepository(paths, `dispatch/${id}`, repository?.path, repository?.commit, options)
  context.record({ type: 'base.prepared', ...base })
  return base
}

/** What is left of them costs only space. */
function removeOldStores(context: RunnerContext): void {
  try {
    removeUnusedPackStores(context.config.home)
  } catch (error) {
    context.recordFailure(error)
  }
}
