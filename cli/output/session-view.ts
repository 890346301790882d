import { formatCount, sanitize } from '#host/text.ts'
import { isAwaitingApproval, type SessionView } from '#session/status'
import {
  formatElapsed,
  formatLocalTime,
  formatRelativeTime,
  formatTable,
  formatTitle,
  paint,
  paintState,
  paintVerdict,
  print,
} from './terminal.ts'
import { printVerdict } from './verdict-view.ts'

/** What `dispatch show` checks besides reading the log. */
export interface SessionChecks {
  /** What changed in outputs/ since the verdict. */
  changedPaths: string[]
  integrityWarnings: string[]
}

/** A whole session: state, contract clause by clause, workers, verdict. */
export function printSession(view: SessionView, { changedPaths, integrityWarnings }: SessionChecks): void {
  printHeader(view, integrityWarnings)
  printProject(view)
  printLimits(view)
  printNeeds(view)
  printClauses(view)
  printWorkers(view)
  printVerdict(view, changedPaths)
  const { session, unreadableLines } = view
  if (unreadableLines > 0)
    print(paint('yellow', `\n  ${formatCount(unreadableLines, 'line')} of events.jsonl could not be read`))
  print(`\n  attach   dispatch attach ${session.id.slice(-4)}\n  folder   ${session.paths.folder}`)
}

// --- internal ---

function printHeader(view: SessionView, integrityWarnings: string[]): void {
  const { session, status } = view
  const { manifest, newerFormat } = session
  const times = formatTimes(manifest.openedAt, status.phaseStartedAt)
  print(`${formatTitle(session.id)}  ${paintState(view)}  ${paint('dim', times)}`)
  print(`  ${sanitize(manifest.task.title)}`)
  const warn = (text: string) => print(paint('yellow', `  ${text}`))
  if (newerFormat !== undefined)
    warn(`written by a newer dispatch (format ${newerFormat}): read only, and some of it may be missing here`)
  if (manifest.repository)
    print(`  on a copy of ${manifest.repository.path} at ${manifest.repository.commit.slice(0, 10)}`)
  if (status.noSandboxReason !== '')
    warn(`no sandbox (${sanitize(status.noSandboxReason)}): agents and checks run with your rights`)
  for (const line of integrityWarnings) print(paint('red', `  DAMAGED  ${line}`))
}

/** When it started, and since when it is in this state, if that differs. */
function formatTimes(openedAt: string, phaseStartedAt: string): string {
  const [start, phase] = [formatRelativeTime(openedAt), formatRelativeTime(phaseStartedAt)]
  const started = start === 'just now' ? 'started just now' : `started ${start} ago`
  if (phase === start) return started
  return `${started}, in this state ${phase === 'just now' ? 'since just now' : `for ${phase}`}`
}

/** The dependencies, the files of the repository that agents get, and those that dispatch leaves out. */
function printProject({ session, status }: SessionView): void {
  const { project, instructions } = session.manifest
  const { files, nested, ignored } = instructions
  const printRow = (name: string, values: string[]) => {
    if (values.length > 0) print(`  ${name.padEnd(10)} ${values.map(sanitize).join(', ')}`)
  }
  if (project && project.setup.length > 0)
    printRow('setup', [`${project.setup.join('; ')}${describeDependencies(status.dependencies)}`])
  printRow('agents get', [...files, ...(project?.files ?? [])])
  printRow('mentioned', nested)
  printRow('ignored', ignored)
}

function describeDependencies(dependencies: SessionView['status']['dependencies']): string {
  if (!dependencies) return ''
  const { state, seconds, reason } = dependencies
  if (state === 'made') return ` (took ${seconds} s)`
  if (state === 'cached') return ' (from the cache)'
  return state === 'running' ? ' (running)' : ` (FAILED: ${reason})`
}

/** The deadline, a usage limit, a budget that is spent. */
function printLimits({ session, status }: SessionView): void {
  const { deadline } = session.manifest
  const { usageLimit, budget, isPastDeadline, verdict } = status
  const printRow = (name: string, text: string, colour: 'yellow' | 'dim') =>
    print(`  ${name.padEnd(10)} ${paint(colour, sanitize(text))}`)
  if (deadline !== null && !verdict?.isFinal) {
    const text = `${formatLocalTime(deadline)}${isPastDeadline ? ', has passed' : ''}`
    printRow('deadline', text, isPastDeadline ? 'yellow' : 'dim')
  }
  if (usageLimit) {
    const until = usageLimit.resetsAt === null ? '' : `until ${formatLocalTime(usageLimit.resetsAt)}: `
    printRow('parked', `${until}${usageLimit.reason}`, 'yellow')
  }
  if (budget) printRow('budget', `$${budget.spentUsd.toFixed(2)} of $${budget.budgetUsd.toFixed(2)} spent`, 'yellow')
}

/** What the session needs from a person. */
function printNeeds({ session, status }: SessionView): void {
  if (status.question && status.phase === 'asking') print(paint('red', `  asks you: ${sanitize(status.question)}`))
  if (isAwaitingApproval(status)) print(paint('bold', `  approve  dispatch approve ${session.id.slice(-4)}`))
  if (status.problem) print(paint('red', `  ${sanitize(status.problem)}`))
}

function printClauses({ status }: SessionView): void {
  const { clauses, contract } = status
  if (clauses.length === 0) return
  const version = contract && contract.version > 1 ? `, version ${contract.version}` : ''
  const seal = contract ? paint('dim', `  sealed, sha256 ${contract.sha256.slice(0, 12)}${version}`) : ''
  print(`\n${paint('bold', 'Contract')}${seal}`)
  for (const dilution of contract?.dilutions ?? [])
    print(paint('yellow', `  weakened, as a human approved: ${sanitize(dilution)}`))
  const rows = clauses.map(({ id, proof, baseOutcome, headOutcome, verdict, sentence }) => [
    `  ${id}`,
    proof,
    baseOutcome ? `${baseOutcome} before` : '',
    headOutcome ? `${headOutcome} now` : '',
    verdict ? paintVerdict(verdict) : '',
    sanitize(sentence),
  ])
  print(formatTable(rows))
  for (const sentence of contract?.uncoveredSentences ?? [])
    print(paint('yellow', `  not covered  ${sanitize(sentence)}`))
}

function printWorkers({ status }: SessionView): void {
  if (status.workers.length === 0) return
  print(`\n${paint('bold', 'Workers')}`)
  print(formatTable(status.workers.map(formatWorker)))
}

function formatWorker(worker: SessionView['status']['workers'][number]): string[] {
  const { name, kind, model, clauses, startedAt, endedAt, changedFiles, ending, blockedBy, reason } = worker
  const end = endedAt === undefined ? Date.now() : Date.parse(endedAt)
  const state = ending ?? (startedAt ? 'running' : `waits for ${blockedBy ?? 'its turn'}`)
  return [
    `  ${name}`,
    kind,
    model,
    clauses.join(','),
    startedAt ? formatElapsed(end - Date.parse(startedAt)) : '',
    changedFiles === undefined ? '' : formatCount(changedFiles, 'file'),
    `${state}${reason ? ` (${sanitize(reason)})` : ''}`,
  ]
}
