import { formatCount, formatNames, sanitize, toOneLine } from '#host/text.ts'
import { formatTestCounts } from '../evidence/test-counts.ts'
import type { Event, EventTable, EventType } from './event.ts'

/** An event as text for a terminal, a page or a log: who did what, and in which tone to show it. */
export interface EventDescription {
  actor: string
  text: string
  tone: 'plain' | 'good' | 'bad' | 'quiet'
  /** More lines, for a reader with room for them. */
  details: string[]
}

/** Describe an event for a person; undefined for one that only programs need. */
export function describeEvent<Type extends EventType>(event: Event<Type>): EventDescription | undefined {
  return descriptions[event.type](event)
}

/**
 * Describe the events of a session one after the other for a person who watches. A contract that is rejected again for the same
 * reasons is told once: the orchestrator may try several commands on it.
 */
export function createStory(): (event: Event) => EventDescription | undefined {
  let lastRejection = ''
  return event => {
    const description = describeEvent(event)
    if (event.type !== 'contract.rejected' || description === undefined) return description
    if (description.text === lastRejection) return undefined
    lastRejection = description.text
    return description
  }
}

const descriptions: EventTable<EventDescription | undefined> = {
  'session.opened': ({ task, repository, uncommittedFiles, sandbox }) => {
    const where = repository ? ` on ${repository}` : ''
    const without = uncommittedFiles > 0 ? `, without ${formatCount(uncommittedFiles, 'uncommitted file')}` : ''
    const details = sandbox?.kind === null ? [`no sandbox: ${sandbox.reason}`] : []
    return describe('dispatch', `"${task.title}"${where}${without}`, 'plain', details)
  },
  'session.closed': ({ actor, reason }) => describe('dispatch', `closed by ${actor}: ${reason}`),
  'session.reopened': ({ actor }) => describe('dispatch', `taken up again by ${actor}`),
  'landing.checked': ({ branch, commit, result, reason, isOnBranch, isDryRun }) =>
    isOnBranch
      ? describe(
          'dispatch',
          `on ${branch} as ${commit.slice(0, 10)}: ${reason}`,
          result === 'ready' ? undefined : 'bad',
        )
      : result === 'ready'
        ? describe('dispatch', `${dryRun(isDryRun)}commit ${commit.slice(0, 10)} may land on ${branch}: ${reason}`)
        : describe('dispatch', `${dryRun(isDryRun)}it does not land on ${branch}: ${reason}`, 'bad'),
  'landing.refused': ({ branch, cause, reason, files, isDryRun }) =>
    cause === 'present'
      ? describe('dispatch', `${dryRun(isDryRun)}nothing to land on ${branch}: ${reason}`)
      : describe(
          'dispatch',
          `${dryRun(isDryRun)}it does not land on ${branch}: ${reason}`,
          'bad',
          files.slice(0, MAX_PROBLEMS),
        ),
  'landing.overlapped': ({ session, branch, files }) =>
    describe('dispatch', `${session} has landed on ${branch} and changed the same files: ${formatNames(files)}`),
  'landing.pushed': ({ branch, commit }) =>
    describe('dispatch', `landed on ${branch} as ${commit.slice(0, 10)}`, 'good'),
  'pull-request.prepared': ({ branch, commit }) =>
    describe('dispatch', `pushes commit ${commit.slice(0, 10)} to branch ${branch}`, 'quiet'),
  'pull-request.opened': ({ number, url, isNew, isDraft }) =>
    describe(
      'dispatch',
      `${isDraft ? 'draft of pull' : 'pull'} request ${number} ${isNew ? 'opened' : 'updated'}: ${url}`,
      'good',
    ),
  'runner.started': ({ generation }) =>
    generation > 1 ? describe('runner', `took over as number ${generation}`) : undefined,
  'base.prepared': ({ commit }) => describe('runner', `outputs/ checked out at ${commit.slice(0, 10)}`, 'quiet'),
  'dependencies.started': ({ commands }) => describe('runner', `installs dependencies: ${commands.join('; ')}`),
  'dependencies.ended': ({ result, reason, seconds }) => {
    if (result === 'failed')
      return describe('runner', `installing the dependencies failed, so no check can run: ${reason}`, 'bad')
    const isCached = result === 'cached'
    const text = isCached ? 'dependencies are already installed' : `dependencies installed in ${seconds} s`
    return describe('runner', text, 'quiet')
  },
  'orchestrator.started': () => describe('orchestrator', 'started and is planning'),
  'start.failed': ({ reason }) => describe('orchestrator', `did not start: ${reason}`, 'bad'),

  'contract.rejected': ({ problems }) => {
    const more = problems.length > MAX_PROBLEMS ? ` and ${problems.length - MAX_PROBLEMS} more` : ''
    return describe('runner', `the contract is not ready: ${problems.slice(0, MAX_PROBLEMS).join('; ')}${more}`, 'bad')
  },
  'contract.sealed': ({ clauses, uncoveredSentences, excludedSentences = [] }) => {
    const count = uncoveredSentences.length
    const uncovered = count > 0 ? `, ${formatCount(count, 'sentence')} of the task not covered` : ''
    const leftOut = excludedSentences.length > 0 ? `, ${excludedSentences.length} left out` : ''
    const details = clauses.map(({ id, proof, sentence }) => `${id.padEnd(4)} ${proof.padEnd(6)} ${sentence}`)
    return describe(
      'contract',
      `sealed: ${formatCount(clauses.length, 'clause')}${uncovered}${leftOut}`,
      'good',
      details,
    )
  },
  'contract.amended': ({ version, changes }) =>
    describe('contract', `amended to version ${version}: ${changes.join('; ')}`),
  'approval.requested': ({ sha256, dilutions = [], reason }) => {
    const hash = `sha256 ${sha256.slice(0, 12)}`
    if (reason === undefined) return describe('contract', `needs your approval, ${hash}`, 'bad')
    const isWeaker = dilutions.length > 0
    const amendment = isWeaker
      ? `a weaker amendment needs your approval: ${dilutions.join('; ')}`
      : 'an amendment needs your approval'
    return describe('contract', `${amendment} (${reason}), ${hash}`, 'bad')
  },
  'contract.approved': ({ sha256 }) => describe('you', `approved the contract, sha256 ${sha256.slice(0, 12)}`, 'good'),
  'contract.declined': () => describe('you', 'declined the contract'),

  'worker.queued': ({ worker, kind, model, clauses, blockedBy }) => {
    const purpose = clauses.length > 0 ? ` for ${clauses.join(', ')}` : ''
    return describe(worker, `queued: ${kind} worker (${model})${purpose}${blockedBy ? `, waits for ${blockedBy}` : ''}`)
  },
  'lock.granted': ({ worker, fencingToken }) => describe(worker, `got the write lock (${fencingToken})`, 'quiet'),
  'lock.released': ({ worker }) => describe(worker, 'released the write lock', 'quiet'),
  'worker.started': ({ worker }) => describe(worker, 'started'),
  'worker.ended': ({ worker, ending, reason, changedFiles, costUsd, seconds }) => {
    const changed = changedFiles === 0 ? 'committed nothing' : `changed ${formatCount(changedFiles, 'file')}`
    const cost = costUsd === null ? '' : `, $${costUsd.toFixed(2)}`
    const text = `${ending}${reason ? ` (${reason})` : ''}; ${changed}, ${seconds} s${cost}`
    return describe(worker, text, ending === 'reported' ? 'plain' : 'bad')
  },
  'worker.hung': ({ worker, seconds }) =>
    describe(worker, `its claude had not ended ${seconds} s after its result, so dispatch ended it`, 'quiet'),
  'command.repeated': ({ agent, target, times, isOver }) =>
    isOver
      ? describe(agent, `does something else, after the same command ${times} times in a row`)
      : describe(agent, `has run the same command ${times} times in a row, with the same result: ${target}`, 'bad'),
  'worker.parked': ({ worker, reason }) => describe(worker, `parked until its model answers again: ${reason}`, 'bad'),
  'worker.interrupted': ({ worker, attempt, reason }) =>
    describe(worker, `was cut off in attempt ${attempt} (${reason}), and starts again with the same brief`, 'bad'),
  'changes.quarantined': ({ worker, files, attempt }) => {
    const listed = files.slice(0, 4).join(', ')
    return attempt === undefined
      ? describe(worker, `found changes that no worker made, and quarantined them: ${listed}`, 'bad')
      : describe(worker, `set aside what attempt ${attempt} had changed before it was cut off: ${listed}`)
  },

  'judging.started': ({ round, tree }) =>
    describe('runner', `round ${round}: runs every check on tree ${tree.slice(0, 10)}, then asks the judge`),
  'check.ran': ({ clauseId, side, outcome, reason, tests, milliseconds }) => {
    const before = outcome === 'red' ? 'before the work, as required' : 'before the work'
    const when = side === 'base' ? before : 'now'
    const why = [reason, formatTestCounts(tests)].filter(Boolean).join('; ')
    const text = `${outcome} ${when}${why ? ` (${why})` : ''}, ${(milliseconds / 1000).toFixed(1)} s`
    const isUndecided = outcome === 'could not run' || outcome === 'flaky'
    if (side === 'base') return describe(clauseId, text, isUndecided ? 'bad' : 'quiet')
    return describe(clauseId, text, outcome === 'green' ? 'good' : 'bad')
  },
  'judge.checked': ({ model, problem, remark }) =>
    problem === ''
      ? describe('judge', `${model} answers${remark === undefined ? '' : ` (${remark})`}`, 'quiet')
      : describe('judge', `cannot judge, so no verdict can be PASS: ${problem}`, 'bad'),
  'judge.asked': ({ round }) => describe('judge', `is asked about round ${round}`, 'quiet'),
  'judging.parked': ({ reason, attempts, nextAt }) => {
    const times = attempts === 1 ? '' : ` (asked ${attempts} times)`
    return describe(
      'judge',
      `waiting for the judge${times}: ${reason}; it is asked again at ${formatClock(nextAt)}`,
      'bad',
    )
  },
  'judging.requested': ({ actor, round }) => describe(actor, `had the judge asked again about round ${round}`),
  'verdict.given': ({ verdict, reason, isFinal, clauses }) => {
    const next = isFinal || verdict !== 'FAIL' ? '' : ', to be fixed'
    const details = isFinal ? [] : clauses.map(clause => `${clause.id.padEnd(4)} ${clause.verdict}`)
    return describe('verdict', `${verdict}${next}: ${reason}`, verdict === 'PASS' ? 'good' : 'bad', details)
  },
  'verdict.restored': () => describe('verdict', 'holds again: outputs/ is as it was judged', 'good'),
  'verdict.voided': ({ reason }) => describe('verdict', `void: ${reason}`, 'bad'),

  'question.asked': ({ question }) => describe('orchestrator', `asks you: ${toOneLine(question, 300)}`, 'bad'),
  'question.answered': ({ source }) => describe('orchestrator', `continues: a prompt arrived from ${source}`),
  'message.delivered': ({ bytes, delivery }) => describe('you', `sent a message (${bytes} bytes), which ${delivery}`),
  'message.rejected': ({ reason }) => describe('dispatch', `your message was not delivered: ${reason}`, 'bad'),
  'human.needed': ({ reason }) => describe('dispatch', `needs you: ${reason}`, 'bad'),

  'request.rejected': ({ tool, reason }) => describe('orchestrator', `${tool} was rejected: ${reason}`, 'quiet'),
  'write.blocked': ({ agent, file }) => describe(agent, `tried to write ${file}; blocked`, 'bad'),
  'turn.ended': ({ isBlocked }) =>
    isBlocked ? describe('orchestrator', 'tried to stop before the verdict; blocked', 'quiet') : undefined,
  'tool.failed': ({ agent, tool, reason }) => describe(agent, `${tool} failed: ${reason}`, 'quiet'),
  'subagent.ended': ({ agent, kind }) => describe(agent, `a subagent ended (${kind})`, 'quiet'),
  'orchestrator.stuck': ({ idleSeconds }) => describe('orchestrator', `no activity for ${idleSeconds} s`, 'bad'),

  'usage-limit.reached': ({ reason, worker }) =>
    worker === undefined
      ? describe('orchestrator', `parked until its model answers again: ${reason}`, 'bad')
      : undefined,
  'usage-limit.lifted': () => describe('orchestrator', 'continues: its model answers again'),
  'cost.reported': () => undefined,
  'cost.estimated': () => undefined,
  'budget.reached': ({ spentUsd, budgetUsd }) =>
    describe('runner', `the budget is spent: $${spentUsd.toFixed(2)} of $${budgetUsd.toFixed(2)}`, 'bad'),
  'orchestrator.resumed': ({ reason, isNewConversation = false }) => {
    const conversation = isNewConversation ? 'with a new conversation' : 'with the whole conversation'
    return describe('orchestrator', `its claude was started again, ${conversation}${reason ? `: ${reason}` : ''}`)
  },
  'session.slept': () =>
    describe(
      'runner',
      'sleeps until you answer: its processes have ended, its files and its conversation stay',
      'quiet',
    ),
  'machine.slept': ({ seconds }) =>
    describe('runner', `the machine slept for ${seconds} s, which counts towards no time limit`, 'quiet'),
  'disk.low': ({ freeBytes }) =>
    describe(
      'runner',
      `only ${Math.floor(freeBytes / 1e6)} MB are free on the disk; free some: dispatch rm --applied`,
      'bad',
    ),
  'time-limit.reached': ({ workedSeconds }) =>
    describe('runner', `has worked for ${formatHours(workedSeconds)}, and asks you whether to go on`, 'bad'),
  'deadline.passed': () => describe('runner', 'the deadline has passed without a verdict', 'bad'),
  'notification.queued': () => undefined,
}

const MAX_TEXT_CHARS = 700
const MAX_DETAIL_CHARS = 200
const MAX_PROBLEMS = 3

/** Before what an event says, where nothing was to be pushed. */
function dryRun(isDryRun = false): string {
  return isDryRun ? 'dry run: ' : ''
}

/** `12 h`, `1.5 h`; minutes below one hour. */
function formatHours(seconds: number): string {
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`
}

/** The time of day on this machine: `06:30`. */
function formatClock(time: string): string {
  return new Date(time).toTimeString().slice(0, 5)
}

function describe(
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
