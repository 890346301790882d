import { unreachable } from '#host/error.ts'
import { formatCount, sanitize, toOneLine } from '#host/text.ts'
import type { Event } from './event.ts'

/** An event as text for a terminal, a page or a log: who did what, and in which tone to show it. */
export interface EventDescription {
  actor: string
  text: string
  tone: 'plain' | 'good' | 'bad' | 'quiet'
  /** More lines, for a reader with room for them. */
  details: string[]
}

/** Describe an event for a person; undefined for one that only programs need. */
export function describeEvent(event: Event): EventDescription | undefined {
  switch (event.type) {
    case 'session.opened':
      return describeOpening(event)
    case 'base.prepared':
      return createDescription('runner', `outputs/ checked out at ${event.commit.slice(0, 10)}`, 'quiet')
    case 'dependencies.started':
      return createDescription('runner', `installs dependencies: ${event.commands.join('; ')}`)
    case 'dependencies.ended':
      return describeDependencies(event)
    case 'orchestrator.started':
      return createDescription('orchestrator', 'started and is planning')
    case 'start.failed':
      return createDescription('orchestrator', `did not start: ${event.reason}`, 'bad')
    case 'contract.rejected':
      return createDescription('runner', describeRejection(event.problems), 'bad')
    case 'contract.amended':
      return createDescription('contract', `amended to version ${event.version}: ${event.changes.join('; ')}`)
    case 'contract.sealed':
      return describeSeal(event)
    case 'check.ran':
      return createDescription(event.clauseId, describeCheck(event), chooseCheckTone(event))
    case 'request.rejected':
      return createDescription('orchestrator', `${event.tool} was rejected: ${event.reason}`, 'quiet')
    case 'write.blocked':
      return createDescription(event.agent, `tried to write ${event.file}; blocked`, 'bad')
    case 'worker.queued':
      return createDescription(event.worker, describeQueuedWorker(event))
    case 'lock.granted':
      return createDescription(event.worker, `got the write lock (${event.fencingToken})`, 'quiet')
    case 'lock.released':
      return createDescription(event.worker, 'released the write lock', 'quiet')
    case 'worker.started':
      return createDescription(event.worker, 'started')
    case 'worker.ended':
      return createDescription(event.worker, describeEnding(event), event.ending === 'reported' ? 'plain' : 'bad')
    case 'changes.quarantined':
      return createDescription(
        event.worker,
        `found changes that no worker made, and quarantined them: ${event.files.slice(0, 4).join(', ')}`,
        'bad',
      )
    case 'question.asked':
      return createDescription('orchestrator', `asks you: ${toOneLine(event.question, 300)}`, 'bad')
    case 'question.answered':
      return createDescription('orchestrator', `continues: a prompt arrived from ${event.source}`)
    case 'message.delivered':
      return createDescription('you', `sent a message (${event.bytes} bytes), which ${event.delivery}`)
    case 'message.rejected':
      return createDescription('dispatch', `your message was not delivered: ${event.reason}`, 'bad')
    case 'approval.requested':
      return createDescription('contract', describeApproval(event), 'bad')
    case 'contract.approved':
      return createDescription('you', `approved the contract, sha256 ${event.sha256.slice(0, 12)}`, 'good')
    case 'contract.declined':
      return createDescription('you', 'declined the contract')
    case 'judging.started':
      return createDescription(
        'runner',
        `round ${event.round}: runs every check on tree ${event.tree.slice(0, 10)}, then asks the judge`,
      )
    case 'verdict.given':
      return createDescription(
        'verdict',
        `${event.verdict}${event.isFinal || event.verdict !== 'FAIL' ? '' : ', to be fixed'}: ${event.reason}`,
        event.verdict === 'PASS' ? 'good' : 'bad',
        event.isFinal ? [] : event.clauses.map(({ id, verdict }) => `${id.padEnd(4)} ${verdict}`),
      )
    case 'verdict.voided':
      return createDescription('verdict', `void: ${event.reason}`, 'bad')
    case 'human.needed':
      return createDescription('orchestrator', `needs you: ${event.reason}`, 'bad')
    case 'orchestrator.stuck':
      return createDescription('orchestrator', `no activity for ${event.idleSeconds} s`, 'bad')
    case 'session.closed':
      return createDescription('dispatch', `closed by ${event.actor}: ${event.reason}`)
    case 'runner.started':
      return event.generation > 1 ? createDescription('runner', `took over as number ${event.generation}`) : undefined
    case 'turn.ended':
      return event.isBlocked
        ? createDescription('orchestrator', 'tried to stop before the verdict; blocked', 'quiet')
        : undefined
    case 'tool.failed':
      return createDescription(event.agent, `${event.tool} failed: ${event.reason}`, 'quiet')
    case 'subagent.ended':
      return createDescription(event.agent, `a subagent ended (${event.kind})`, 'quiet')
    case 'usage-limit.reached':
      return createDescription('orchestrator', `parked at the usage limit: ${event.reason}`, 'bad')
    case 'usage-limit.lifted':
      return createDescription('orchestrator', 'continues: the usage limit is over')
    case 'budget.reached':
      return createDescription(
        'runner',
        `the budget is spent: $${event.spentUsd.toFixed(2)} of $${event.budgetUsd.toFixed(2)}`,
        'bad',
      )
    case 'deadline.passed':
      return createDescription('runner', 'the deadline has passed without a verdict', 'bad')
    case 'notification.queued':
      return undefined
    default:
      return unreachable(event)
  }
}

const MAX_TEXT_CHARS = 400
const MAX_DETAIL_CHARS = 200
const MAX_PROBLEMS = 3

function createDescription(
  actor: string,
  text: string,
  tone: EventDescription['tone'] = 'plain',
  details: string[] = [],
): EventDescription {
  return {
    actor,
    text: toOneLine(text, MAX_TEXT_CHARS),
    tone,
    details: details.map(line => sanitize(line).slice(0, MAX_DETAIL_CHARS)),
  }
}

function describeOpening({
  task,
  repository,
  uncommittedFiles,
  sandbox,
}: Extract<Event, { type: 'session.opened' }>): EventDescription {
  const where = repository ? ` on ${repository}` : ''
  const without = uncommittedFiles > 0 ? `, without ${formatCount(uncommittedFiles, 'uncommitted file')}` : ''
  const details = sandbox?.kind === null ? [`no sandbox: ${sandbox.reason}`] : []
  return createDescription('dispatch', `"${task.title}"${where}${without}`, undefined, details)
}

function describeRejection(problems: string[]): string {
  const more = problems.length > MAX_PROBLEMS ? ` and ${problems.length - MAX_PROBLEMS} more` : ''
  return `the contract is not ready: ${problems.slice(0, MAX_PROBLEMS).join('; ')}${more}`
}

function describeSeal({ clauses, uncoveredSentences }: Extract<Event, { type: 'contract.sealed' }>): EventDescription {
  const count = uncoveredSentences.length
  const uncovered = count > 0 ? `, ${formatCount(count, 'sentence')} of the task not covered` : ''
  return createDescription(
    'contract',
    `sealed: ${formatCount(clauses.length, 'clause')}${uncovered}`,
    'good',
    clauses.map(({ id, proof, sentence }) => `${id.padEnd(4)} ${proof.padEnd(6)} ${sentence}`),
  )
}

function describeQueuedWorker({ kind, model, clauses, blockedBy }: Extract<Event, { type: 'worker.queued' }>): string {
  const purpose = clauses.length > 0 ? ` for ${clauses.join(', ')}` : ''
  return `queued: ${kind} worker (${model})${purpose}${blockedBy ? `, waits for ${blockedBy}` : ''}`
}

function describeDependencies({
  result,
  reason,
  seconds,
}: Extract<Event, { type: 'dependencies.ended' }>): EventDescription {
  if (result === 'failed')
    return createDescription('runner', `installing the dependencies failed, so no check can run: ${reason}`, 'bad')
  return createDescription(
    'runner',
    result === 'cached' ? 'dependencies are already installed' : `dependencies installed in ${seconds} s`,
    'quiet',
  )
}

function describeCheck({ side, outcome, reason, milliseconds }: Extract<Event, { type: 'check.ran' }>): string {
  const when = side === 'base' ? (outcome === 'red' ? 'before the work, as it should be' : 'before the work') : 'now'
  return `${outcome} ${when}${reason ? ` (${reason})` : ''}, ${(milliseconds / 1000).toFixed(1)} s`
}

function chooseCheckTone({ side, outcome }: Extract<Event, { type: 'check.ran' }>): EventDescription['tone'] {
  if (side === 'base') return outcome === 'could not run' || outcome === 'flaky' ? 'bad' : 'quiet'
  return outcome === 'green' ? 'good' : 'bad'
}

function describeApproval({ sha256, dilutions = [], reason }: Extract<Event, { type: 'approval.requested' }>): string {
  const hash = `sha256 ${sha256.slice(0, 12)}`
  if (reason === undefined) return `needs your approval, ${hash}`
  if (dilutions.length === 0) return `an amendment needs your approval (${reason}), ${hash}`
  return `a weaker amendment needs your approval: ${dilutions.join('; ')} (${reason}), ${hash}`
}

function describeEnding({
  ending,
  reason,
  changedFiles,
  costUsd,
  seconds,
}: Extract<Event, { type: 'worker.ended' }>): string {
  const changed = changedFiles === 0 ? 'committed nothing' : `changed ${formatCount(changedFiles, 'file')}`
  const cost = costUsd === null ? '' : `, $${costUsd.toFixed(2)}`
  return `${ending}${reason ? ` (${reason})` : ''}; ${changed}, ${seconds} s${cost}`
}
