import { oneLine, printable, unreachable } from '../host/index.ts'
import type { Event } from './event.ts'

/** A moment of the story, for a terminal, a page or a log: who, what, and how loud. */
export interface Moment {
  who: string
  what: string
  tone: 'plain' | 'good' | 'bad' | 'quiet'
  /** Lines below it, where there is room for them. */
  details: string[]
}

/** Put an event into words for a person; undefined for what only machines care about. */
export function tell(event: Event): Moment | undefined {
  switch (event.is) {
    case 'session.opened':
      return say(
        'dispatch',
        `"${event.task.title}"${event.repository ? ` on ${event.repository}` : ''}${event.uncommitted > 0 ? `, without ${event.uncommitted} uncommitted file${plural(event.uncommitted)}` : ''}`,
        undefined,
        event.sandbox?.kind === null ? [`no sandbox: ${event.sandbox.why}`] : [],
      )
    case 'base.prepared':
      return say('runner', `outputs/ stands at ${event.commit.slice(0, 10)}`, 'quiet')
    case 'setup.started':
      return say('runner', `sets up the project: ${event.commands.join('; ')}`)
    case 'setup.ended':
      return setupMoment(event)
    case 'orchestrator.started':
      return say('orchestrator', 'has started and is planning')
    case 'start.failed':
      return say('orchestrator', `did not start: ${event.why}`, 'bad')
    case 'contract.refused':
      return say(
        'runner',
        `the contract is not ready: ${event.problems.slice(0, 3).join('; ')}${event.problems.length > 3 ? ` and ${event.problems.length - 3} more` : ''}`,
        'bad',
      )
    case 'contract.amended':
      return say('contract', `is amended, version ${event.version}: ${event.changes.join('; ')}`)
    case 'contract.sealed':
      return say(
        'contract',
        `sealed: ${event.clauses.length} clause${plural(event.clauses.length)}${event.uncovered.length > 0 ? `, ${event.uncovered.length} sentence${plural(event.uncovered.length)} of the task not covered` : ''}`,
        'good',
        event.clauses.map(({ id, proof, sentence }) => `${id.padEnd(4)} ${proof.padEnd(6)} ${sentence}`),
      )
    case 'check.ran':
      return say(event.clause, checkWords(event), checkTone(event))
    case 'request.refused':
      return say('orchestrator', `${event.tool} was refused: ${event.why}`, 'quiet')
    case 'write.refused':
      return say(event.who, `may not write ${event.file}; refused`, 'bad')
    case 'worker.queued':
      return say(
        event.worker,
        `${event.kind} worker (${event.model}) asked${forClauses(event.clauses)}${event.waitsFor ? `; waits for ${event.waitsFor}` : ''}`,
      )
    case 'lock.granted':
      return say(event.worker, `holds the write lock (${event.token})`, 'quiet')
    case 'lock.released':
      return say(event.worker, 'has left the write lock', 'quiet')
    case 'worker.started':
      return say(event.worker, 'works')
    case 'worker.ended':
      return say(event.worker, endingWords(event), event.how === 'reported' ? 'plain' : 'bad')
    case 'changes.set-aside':
      return say(
        event.worker,
        `found changes nobody owns and set them aside: ${event.files.slice(0, 4).join(', ')}`,
        'bad',
      )
    case 'question.asked':
      return say('orchestrator', `asks you: ${oneLine(event.question, 300)}`, 'bad')
    case 'question.answered':
      return say('orchestrator', `goes on: a prompt came in by ${event.by}`)
    case 'human.said':
      return say('you', `said something (${event.bytes} bytes): it ${event.how}`)
    case 'human.refused':
      return say('dispatch', `your words were not delivered: ${event.why}`, 'bad')
    case 'approval.asked':
      return say('contract', approvalWords(event), 'bad')
    case 'contract.approved':
      return say('you', `approved the contract, sha256 ${event.sha256.slice(0, 12)}`, 'good')
    case 'contract.declined':
      return say('you', 'sent the contract back')
    case 'judging.started':
      return say('runner', `round ${event.round}: runs every check on tree ${event.tree.slice(0, 10)}, then the judge`)
    case 'verdict.given':
      return say(
        'verdict',
        `${event.verdict}${event.final || event.verdict !== 'FAIL' ? '' : ', to be repaired'}: ${event.reason}`,
        event.verdict === 'PASS' ? 'good' : 'bad',
        event.final ? [] : event.clauses.map(({ id, verdict }) => `${id.padEnd(4)} ${verdict}`),
      )
    case 'verdict.voided':
      return say('verdict', `void: ${event.why}`, 'bad')
    case 'orchestrator.gave-up':
      return say('orchestrator', `needs you: ${event.why}`, 'bad')
    case 'orchestrator.stuck':
      return say('orchestrator', `nothing has happened for ${event.idleSeconds} s`, 'bad')
    case 'session.closed':
      return say('dispatch', `closed by ${event.by}: ${event.why}`)
    case 'runner.started':
      return event.generation > 1 ? say('runner', `went on as number ${event.generation}`) : undefined
    case 'turn.ended':
      return event.held ? say('orchestrator', 'wanted to stop before a verdict; held', 'quiet') : undefined
    case 'tool.failed':
      return say(event.who, `${event.tool} failed: ${event.why}`, 'quiet')
    case 'subagent.ended':
      return say(event.who, `a subagent has ended (${event.kind})`, 'quiet')
    case 'limit.reached':
      return say('orchestrator', `parked at a usage limit: ${event.why}`, 'bad')
    case 'limit.lifted':
      return say('orchestrator', 'goes on: the usage limit is over')
    case 'budget.reached':
      return say(
        'runner',
        `the budget is spent: $${event.spentUsd.toFixed(2)} of $${event.budgetUsd.toFixed(2)}`,
        'bad',
      )
    case 'deadline.passed':
      return say('runner', 'the deadline has passed, and there is no verdict', 'bad')
    case 'notice.queued':
      return undefined
    default:
      return unreachable(event)
  }
}

function say(who: string, what: string, tone: Moment['tone'] = 'plain', details: string[] = []): Moment {
  return { who, what: oneLine(what, 400), tone, details: details.map(line => printable(line).slice(0, 200)) }
}

function setupMoment({ how, why, seconds }: Extract<Event, { is: 'setup.ended' }>): Moment {
  if (how === 'failed') return say('runner', `the project's setup failed, so no check can run: ${why}`, 'bad')
  return say(
    'runner',
    how === 'cached' ? 'the project is set up already' : `the project is set up, ${seconds} s`,
    'quiet',
  )
}

function checkWords({ side, outcome, why, milliseconds }: Extract<Event, { is: 'check.ran' }>): string {
  const where = side === 'base' ? (outcome === 'red' ? 'before the work, as it should be' : 'before the work') : 'now'
  return `${outcome} ${where}${why ? ` (${why})` : ''}, ${(milliseconds / 1000).toFixed(1)} s`
}

function checkTone({ side, outcome }: Extract<Event, { is: 'check.ran' }>): Moment['tone'] {
  if (side === 'base') return outcome === 'could not run' || outcome === 'flaky' ? 'bad' : 'quiet'
  return outcome === 'green' ? 'good' : 'bad'
}

function approvalWords({ sha256, dilutions = [], why }: Extract<Event, { is: 'approval.asked' }>): string {
  const hash = `sha256 ${sha256.slice(0, 12)}`
  if (why === undefined) return `waits for your approval, ${hash}`
  if (dilutions.length === 0) return `an amendment waits for your approval (${why}), ${hash}`
  return `is to ask for less, and waits for your approval: ${dilutions.join('; ')} (${why}), ${hash}`
}

function endingWords({ how, why, files, costUsd, seconds }: Extract<Event, { is: 'worker.ended' }>): string {
  const changed = files === 0 ? 'handed in nothing' : `changed ${files} file${plural(files)}`
  const cost = costUsd === null ? '' : `, $${costUsd.toFixed(2)}`
  return `${how === 'reported' ? 'has reported' : how}${why ? ` (${why})` : ''}; ${changed}, ${seconds} s${cost}`
}

function forClauses(clauses: string[]): string {
  return clauses.length > 0 ? ` for ${clauses.join(', ')}` : ''
}

function plural(count: number): string {
  return count === 1 ? '' : 's'
}
