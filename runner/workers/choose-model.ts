import type { SessionManifest } from '#session'
import type { WorkerKind } from '#session/log'
import type { ClauseStatus } from '#session/status'

/**
 * The model of a worker for these clauses. The models of code workers are a ladder, such as `sonnet,opus`: one rung up for each
 * round in which one of its clauses was not met, and one for a session before this one that failed at the same task. Pure.
 */
export function chooseWorkerModel(
  { models, retryOf }: Pick<SessionManifest, 'models' | 'retryOf'>,
  known: ClauseStatus[],
  { kind, clauses }: { kind: WorkerKind; clauses: string[] },
): string {
  if (kind === 'rw') return models.rw
  const rungs = models.code.split(',').map(name => name.trim())
  const failures = Math.max(0, ...known.filter(({ id }) => clauses.includes(id)).map(clause => clause.failures ?? 0))
  const earlierFailures = /^FAIL\b/.test(retryOf?.outcome ?? '') ? 1 : 0
  return rungs[Math.min(failures + earlierFailures, rungs.length - 1)] ?? models.code
}
