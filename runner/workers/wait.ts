import { readIfPresent } from '#host/fs'
import type { WorkerStatus } from '#session/status'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'

const MAX_REPORT_CHARS = 6000

/**
 * Answer `wait-workers`: the reports of the workers named, or of those queued since the last verdict. Undefined while one of
 * them is still running.
 */
export function buildWaitReply(context: RunnerContext, names: string[]): CommandReply | undefined {
  const { workers, verdict } = context.status
  if (workers.length === 0) return refuse('No worker has been started. Start one with spawn-worker.')
  const unknown = names.find(name => !workers.some(worker => worker.name === name))
  if (unknown !== undefined) {
    const known = workers.map(worker => worker.name).join(', ')
    return refuse(`There is no worker "${unknown}". The workers are: ${known}.`)
  }
  const recent = workers.filter(worker => worker.queuedAt > (verdict?.time ?? ''))
  const awaited =
    names.length > 0 ? workers.filter(worker => names.includes(worker.name)) : recent.length > 0 ? recent : workers
  if (awaited.some(worker => worker.endedAt === undefined)) return undefined
  const reports = awaited.map(worker => formatReport(context, worker)).join('\n\n')
  return {
    exitCode: awaited.every(worker => worker.ending === 'reported') ? 0 : 1,
    text: `${reports}\n\nA report is a claim. Next: submit, or another worker if something is missing.`,
  }
}

function formatReport(
  { session }: RunnerContext,
  { name, kind, ending, reason, changedFiles, clauses }: WorkerStatus,
): string {
  const report = readIfPresent(session.paths.worker(name).report) ?? ''
  const changes = changedFiles === 0 ? 'NOTHING' : `${changedFiles} file(s)`
  const head = `=== ${name} (${kind}; ${clauses.join(', ')}): ${ending}${reason ? ` (${reason})` : ''}; changed ${changes}`
  return `${head}\n${report.slice(0, MAX_REPORT_CHARS).trimEnd()}`
}
