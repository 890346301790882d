import { readIfPresent } from '#host/fs'
import { toOneLine } from '#host/text.ts'
import { readVerdictRecord } from '#session/evidence'
import type { SessionStatus, WorkerStatus } from '#session/status'
import type { RunnerContext } from '../context.ts'
import { frameOwnWords } from '../messages/own-words.ts'
import { createVerdictReply } from '../rounds/verdict-reply.ts'
import { explainStopBlock } from '../stop-gate.ts'

/**
 * What an orchestrator reads when its claude was started again: what happened, how far the session is, and what to do next. A new
 * conversation knows nothing else of what was done.
 */
export function renderResumePrompt(
  context: RunnerContext,
  cause: { reason: string } | undefined,
  isNewConversation = false,
): string {
  const reason = cause ? ` (${cause.reason})` : ''
  const start = isNewConversation
    ? `Your process had ended${reason}, and its conversation is lost. Dispatch has started you again. What was done before is listed here; do not do it again.`
    : `Your process had ended${reason}, and dispatch has started it again with this conversation. A command that was running was cut off: run it again if you still need its answer.`
  const next = explainStopBlock(context.status) ?? 'Continue where you stopped.'
  return frameOwnWords([start, ...listFacts(context), next].join('\n'))
}

// --- internal ---

const MAX_REPORT_CHARS = 1500

function listFacts(context: RunnerContext): string[] {
  const { status } = context
  const { contract } = status
  return [
    contract ? `- The contract is sealed (version ${contract.version}).` : '- The contract is not sealed.',
    ...status.workers.map(worker => `- ${describeWorker(context, worker)}`),
    ...describeVerdict(context, status),
  ]
}

function describeWorker({ session }: RunnerContext, worker: WorkerStatus): string {
  const { name, kind, clauses, ending, startedAt } = worker
  const head = `Worker ${name} (${kind}; ${clauses.join(', ')})`
  if (ending === undefined) return `${head} ${startedAt === undefined ? 'waits for its turn' : 'works'}.`
  const report = toOneLine(readIfPresent(session.paths.worker(name).report) ?? '', MAX_REPORT_CHARS)
  return `${head} has ended: ${ending}. Its report: ${report}`
}

/** The reply to `submit` may never have reached the orchestrator. */
function describeVerdict(context: RunnerContext, { verdict }: SessionStatus): string[] {
  const record = verdict && readVerdictRecord(context.session.paths)
  return record ? [`- The verdict of round ${record.round}:`, createVerdictReply(context, record).text] : []
}
