import { unreachable } from '#host/error.ts'
import { sanitize, toOneLine } from '#host/text.ts'
import type { Event } from './event.ts'
/** A moment of the story, for a terminal, a page or a log: who, what, and how loud. */
export interface EventDescription {
  actor: string
  text: string
  tone: 'plain' | 'good' | 'bad' | 'quiet'
  /** Lines below it, where there is room for them. */
  details: string[]
}

/** Put an event into words for a person; undefined for what only machines care about. */
export function describeEvent(event: Event): EventDescription | undefined {
  switch (event.type) {
    case 'session.opened':
      return createDescription(
        'dispatch',
        `"${event.task.title}"${event.repository ? ` on ${event.repository}` : ''}${event.uncommittedFiles > 0 ? `, without ${event.uncommittedFiles} uncommitted file${plural(event.uncommittedFiles)}` : ''}`,
        undefined,
        event.sandbox?.kind === null ? [`no sandbox: ${event.sandbox.reason}`] : [],
      )
    case 'base.prepared':
      return createDescription('runner', `outputs/ stands at ${event.commit.slice(0, 10)}`, 'quiet')
    case 'dependencies.started':
      return createDescription('runner', `sets up the project: ${event.commands.join('; ')}`)
    case 'dependencies.ended':
      return describeSetup(event)
    case 'orchestrator.started':
      return createDescription('orchestrator', 'has started and is planning')
    case 'start.failed':
      return createDescription('orchestrator', `did not start: ${event.reason}`, 'bad')
    case 'contract.rejected':
      return createDescription(
        'runner',
        `the contract is not ready: ${event.problems.slice(0, 3).join('; ')}${event.problems.length > 3 ? ` and ${event.problems.length - 3} more` : ''}`,
        'bad',
      )
    case 'contract.amended':
      return createDescription('contract', `is amended, version ${event.version}: ${event.changes.join('; ')}`)
    case 'contract.sealed':
      return createDescription(
        'contract',
        `sealed: ${event.clauses.length} clause${plural(event.clauses.length)}${event.uncoveredSentences.length > 0 ? `, ${event.uncoveredSentences.length} sentence${plural(event.uncoveredSentences.length)} of the task not covered` : ''}`,
        'good',
        event.clauses.map(({ id, proof, sentence }) => `${id.padEnd(4)} ${proof.padEnd(6)} ${sentence}`),
      )
    case 'check.ran':
      return createDescription(event.clauseId, describeCheck(event), chooseCheckTone(event))
    case 'request.rejected':
      return createDescription('orchestrator', `${event.tool} was refused: ${event.reason}`, 'quiet')
    case 'write.blocked':
      return createDescription(event.agent, `may not write ${event.file}; refused`, 'bad')
    case 'worker.queued':
      return createDescription(
        event.worker,
        `${event.kind} worker (${event.model}) asked${forClauses(event.clauses)}${event.blockedBy ? `; waits for ${event.blockedBy}` : ''}`,
      )
    case 'lock.granted':
      return createDescription(event.worker, `holds the write lock (${event.fencingToken})`, 'quiet')
    case 'lock.released':
      return createDescription(event.worker, 'has left the write lock', 'quiet')
    case 'worker.started':
      return createDescription(event.worker, 'works')
    case 'worker.ended':
      return createDescription(event.worker, describeEnding(event), event.ending === 'reported' ? 'plain' : 'bad')
    case 'changes.quarantined':
      return createDescription(
        event.worker,
        `found changes nobody owns and set them aside: ${event.files.slice(0, 4).join(', ')}`,
        'bad',
      )
    case 'question.asked':
      return createDescription('orchestrator', `asks you: ${toOneLine(event.question, 300)}`, 'bad')
    case 'question.answered':
      return createDescription('orchestrator', `goes on: a prompt came in by ${event.source}`)
    case 'message.delivered':
      return createDescription('you', `said something (${event.bytes} bytes): it ${event.delivery}`)
    case 'message.rejected':
      return createDescription('dispatch', `your words were not delivered: ${event.reason}`, 'bad')
    case 'approval.requested':
      return createDescription('contract', describeApproval(event), 'bad')
    case 'contract.approved':
      return createDescription('you', `approved the contract, sha256 ${event.sha256.slice(0, 12)}`, 'good')
    case 'contract.declined':
      return createDescription('you', 'sent the contract back')
    case 'judging.started':
      return createDescription(
        'runner',
        `round ${event.round}: runs every check on tree ${event.tree.slice(0, 10)}, then the judge`,
      )
    case 'verdict.given':
      return createDescription(
        'verdict',
        `${event.verdict}${event.isFinal || event.verdict !== 'FAIL' ? '' : ', to be repaired'}: ${event.reason}`,
        event.verdict === 'PASS' ? 'good' : 'bad',
        event.isFinal ? [] : event.clauses.map(({ id, verdict }) => `${id.padEnd(4)} ${verdict}`),
      )
    case 'verdict.voided':
      return createDescription('verdict', `void: ${event.reason}`, 'bad')
    case 'human.needed':
      return createDescription('orchestrator', `needs you: ${event.reason}`, 'bad')
    case 'orchestrator.stuck':
      return createDescription('orchestrator', `nothing has happened for ${event.idleSeconds} s`, 'bad')
    case 'session.closed':
      return createDescription('dispatch', `closed by ${event.actor}: ${event.reason}`)
    case 'runner.started':
      return event.generation > 1 ? createDescription('runner', `went on as number ${event.generation}`) : undefined
    case 'turn.ended':
      return event.isBlocked
        ? createDescription('orchestrator', 'wanted to stop before a verdict; held', 'quiet')
        : undefined
    case 'tool.failed':
      return createDescription(event.agent, `${event.tool} failed: ${event.reason}`, 'quiet')
    case 'subagent.ended':
      return createDescription(event.agent, `a subagent has ended (${event.kind})`, 'quiet')
    case 'usage-limit.reached':
      return createDescription('orchestrator', `parked at a usage limit: ${event.reason}`, 'bad')
    case 'usage-limit.lifted':
      return createDescription('orchestrator', 'goes on: the usage limit is over')
    case 'budget.reached':
      return createDescription(
        'runner',
        `the budget is spent: $${event.spentUsd.toFixed(2)} of $${event.budgetUsd.toFixed(2)}`,
        'bad',
      )
    case 'deadline.passed':
      return createDescription('runner', 'the deadline has passed, and there is no verdict', 'bad')
    case 'notification.queued':
      return undefined
    default:
      return unreachable(event)
  }
}

function createDescription(
  actor: string,
  what: string,
  tone: EventDescription['tone'] = 'plain',
  details: string[] = [],
): EventDescription {
  return { actor, text: toOneLine(what, 400), tone, details: details.map(line => sanitize(line).slice(0, 200)) }
}

function describeSetup({ result, reason, seconds }: Extract<Event, { type: 'dependencies.ended' }>): EventDescription {
  if (result === 'failed')
    return createDescription('runner', `the project's setup failed, so no check can run: ${reason}`, 'bad')
  return createDescription(
    'runner',
    result === 'cached' ? 'the project is set up already' : `the project is set up, ${seconds} s`,
    'quiet',
  )
}

function describeCheck({ side, outcome, reason, milliseconds }: Extract<Event, { type: 'check.ran' }>): string {
  const where = side === 'base' ? (outcome === 'red' ? 'before the work, as it should be' : 'before the work') : 'now'
  return `${outcome} ${where}${reason ? ` (${reason})` : ''}, ${(milliseconds / 1000).toFixed(1)} s`
}

function chooseCheckTone({ side, outcome }: Extract<Event, { type: 'check.ran' }>): EventDescription['tone'] {
  if (side === 'base') return outcome === 'could not run' || outcome === 'flaky' ? 'bad' : 'quiet'
  return outcome === 'green' ? 'good' : 'bad'
}

function describeApproval({ sha256, dilutions = [], reason }: Extract<Event, { type: 'approval.requested' }>): string {
  const hash = `sha256 ${sha256.slice(0, 12)}`
  if (reason === undefined) return `waits for your approval, ${hash}`
  if (dilutions.length === 0) return `an amendment waits for your approval (${reason}), ${hash}`
  return `is to ask for less, and waits for your approval: ${dilutions.join('; ')} (${reason}), ${hash}`
}

function describeEnding({
  ending,
  reason,
  changedFiles,
  costUsd,
  seconds,
}: Extract<Event, { type: 'worker.ended' }>): string {
  const changed = changedFiles === 0 ? 'handed in nothing' : `changed ${changedFiles} file${plural(changedFiles)}`
  const cost = costUsd === null ? '' : `, $${costUsd.toFixed(2)}`
  return `${ending === 'reported' ? 'has reported' : ending}${reason ? ` (${reason})` : ''}; ${changed}, ${seconds} s${cost}`
}

function forClauses(clauses: string[]): string {
  return clauses.length > 0 ? ` for ${clauses.join(', ')}` : ''
}

function plural(count: number): string {
  return count === 1 ? '' : 's'
}
