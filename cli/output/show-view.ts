import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { formatCount, formatNames, sanitize } from '#host/text.ts'
import type { Session } from '#session'
import { describeJudge, formatTestCounts, readCurrentVerdict } from '#session/evidence'
import type { LandingStatus } from '#session/landing'
import { formatLogAnchor, readLog } from '#session/log'
import { hasCommit } from '#session/repository'
import {
  describeCost,
  describeJudgeWait,
  explainJudgeRefusal,
  explainOtherHost,
  isAsleep,
  isOrchestratorGone,
  isSettled,
  type SessionStatus,
  type SessionView,
  type WorkerStatus,
} from '#session/status'
import { MAX_CONTRACT_BYTES } from './contract-view.ts'
import { explainInterruption, findNextStep } from './next-step.ts'
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

/** A whole session: state, contract clause by clause, workers, verdict. `changedPaths` changed in outputs/ since the verdict. */
export function printSession(view: SessionView, changedPaths: string[], integrityWarnings: string[]): void {
  const { session, status, unreadableLines } = view
  printHeader(view, integrityWarnings)
  printProject(view)
  printLimits(view)
  printNeeds(view)
  printClauses(view)
  if (status.workers.length > 0)
    print(`\n${paint('bold', 'Workers')}\n${formatTable(status.workers.map(formatWorker))}`)
  printVerdict(view, changedPaths)
  if (unreadableLines > 0)
    print(paint('yellow', `\n  ${formatCount(unreadableLines, 'line')} of events.jsonl could not be read`))
  const hasTerminal = view.runnerLiveness !== 'dead' && !status.closed && !isOrchestratorGone(status)
  print(
    `${hasTerminal ? `\n  attach   dispatch attach ${session.id.slice(-4)}` : ''}\n  folder   ${session.paths.folder}`,
  )
}

/** What is missing from a session's record or was modified, and what that means. Empty for an intact record. */
export async function findIntegrityWarnings({ paths }: Session, status: SessionStatus): Promise<string[]> {
  const { contract, base, verdict, acceptedCommit } = status
  const warnings: string[] = []
  const content = readUntrusted(paths.contract, MAX_CONTRACT_BYTES)
  if (contract && (!content || sha256(content) !== contract.sha256)) {
    const problem = content ? 'was modified after it was sealed' : 'is missing'
    warnings.push(`contract.md ${problem}. The clauses below come from the log, as they were sealed`)
  }
  const commit = verdict?.commit ?? acceptedCommit ?? base?.commit
  if (commit !== undefined && !(await hasCommit(paths, commit))) {
    const consequence = verdict
      ? 'The judged work cannot be fetched or compared with outputs/'
      : 'The work cannot be judged'
    warnings.push(`evidence/repository.git is missing or damaged (commit ${commit.slice(0, 10)}). ${consequence}`)
  }
  return warnings
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
  if (view.otherHost !== undefined)
    warn(`belongs to ${sanitize(view.otherHost)}. ${sanitize(explainOtherHost(session, view.otherHost))}`)
  if (manifest.repository)
    print(`  on a copy of ${manifest.repository.path} at ${manifest.repository.commit.slice(0, 10)}`)
  if (manifest.retryOf) print(`  another attempt at the task of ${manifest.retryOf.session}`)
  if (manifest.queueItem) print(`  attempt ${manifest.queueItem.attempt} of ${manifest.queueItem.item} in the queue`)
  if (manifest.startedDespitePause) warn('started with --force although dispatch was paused')
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

function describeDependencies(dependencies: SessionStatus['dependencies']): string {
  if (!dependencies) return ''
  const { state, seconds, reason } = dependencies
  if (state === 'made') return ` (took ${seconds} s)`
  if (state === 'cached') return ' (from the cache)'
  return state === 'running' ? ' (running)' : ` (FAILED: ${reason})`
}

function printLimits({ session, status }: SessionView): void {
  const { deadline } = session.manifest
  const { usageLimit, budget, isPastDeadline, judgeProblem, verdict } = status
  const printRow = (name: string, text: string, color: 'yellow' | 'dim') =>
    print(`  ${name.padEnd(10)} ${paint(color, sanitize(text))}`)
  if (deadline !== null && !verdict?.isFinal) {
    const text = `${formatLocalTime(deadline)}${isPastDeadline ? ', has passed' : ''}`
    printRow('deadline', text, isPastDeadline ? 'yellow' : 'dim')
  }
  if (usageLimit) {
    const until = usageLimit.resetsAt === null ? '' : `until ${formatLocalTime(usageLimit.resetsAt)}: `
    printRow(
      'parked',
      `${until}${usageLimit.reason.replace(/\.$/, '')}${status.closed ? '' : '. It goes on by itself'}`,
      'yellow',
    )
  }
  const waiting = describeJudgeWait(status, formatLocalTime)
  if (waiting !== undefined) printRow(status.closed ? 'stopped' : 'parked', waiting, 'yellow')
  else if (judgeProblem) printRow('judge', `cannot judge, so no verdict can be PASS: ${judgeProblem}`, 'yellow')
  if (explainJudgeRefusal(status) === undefined)
    printRow('judge', `to ask it again now: dispatch judge ${session.id.slice(-4)}`, 'dim')
  if (!isSettled(status)) for (const { text } of status.remarks) printRow('remark', text, 'yellow')
  const cost = describeCost(status)
  if (cost !== undefined) printRow('cost', `${cost.total}: ${cost.parts}`, 'dim')
  if (budget) printRow('budget', `$${budget.spentUsd.toFixed(2)} of $${budget.budgetUsd.toFixed(2)} spent`, 'yellow')
}

function printNeeds({ session, status, state, runnerLiveness }: SessionView): void {
  if (status.question && status.phase === 'asking') print(paint('red', `  asks you: ${sanitize(status.question)}`))
  if (status.problem) print(paint('red', `  ${sanitize(status.problem)}`))
  if (status.landed.length === 0)
    for (const { session: other, branch, files } of status.overlaps)
      print(
        `  overlaps ${sanitize(`${other} has landed on ${branch}, and changed the same files: ${formatNames(files)}`)}`,
      )
  const isSleeping = isAsleep({ status, runnerLiveness })
  const letters = session.id.slice(-4)
  const nextStep = state === 'interrupted' ? explainInterruption(letters) : findNextStep(status, letters, isSleeping)
  if (nextStep) print(paint('bold', `  ${nextStep.label.padEnd(8)} ${nextStep.text}`))
}

function printClauses({ status }: SessionView): void {
  const { clauses, contract } = status
  if (clauses.length === 0) return
  const version = contract && contract.version > 1 ? `, version ${contract.version}` : ''
  const seal = contract ? paint('dim', `  sealed, sha256 ${contract.sha256.slice(0, 12)}${version}`) : ''
  print(`\n${paint('bold', 'Contract')}${seal}`)
  for (const dilution of contract?.dilutions ?? [])
    print(paint('yellow', `  weakened, as you approved: ${sanitize(dilution)}`))
  const rows = clauses.map(({ id, proof, baseOutcome, headOutcome, headTests, verdict, sentence }) => [
    `  ${id}`,
    proof,
    baseOutcome ? `${baseOutcome} before` : '',
    headOutcome ? [`${headOutcome} now`, formatTestCounts(headTests)].filter(Boolean).join(', ') : '',
    verdict ? paintVerdict(verdict) : '',
    sanitize(sentence),
  ])
  print(formatTable(rows))
  for (const sentence of contract?.uncoveredSentences ?? [])
    print(paint('yellow', `  not covered  ${sanitize(sentence)}`))
  for (const sentence of contract?.excludedSentences ?? [])
    print(paint('yellow', `  left out     ${sanitize(sentence)}`))
}

function formatWorker(worker: WorkerStatus): string[] {
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

function describeLanding({ state, branch, reason }: LandingStatus): string {
  if (state === 'present') return `nothing to land on ${branch}: ${reason}`
  return state === 'ready' ? `may land on ${branch}: ${reason}` : `not on ${branch} (${state}): ${reason}`
}

/** The last verdict, whether it is still valid for outputs/, and how to fetch the work. Nothing before the first verdict. */
function printVerdict({ session, status }: SessionView, changedPaths: string[]): void {
  const { verdict } = status
  if (!verdict) return
  const { paths } = session
  print(
    `\n${paint('bold', 'Verdict')}  ${paintVerdict(verdict.verdict)}  round ${verdict.round} of ${status.maxRounds}`,
  )
  print(`  ${sanitize(verdict.reason)}`)
  print(`  commit   ${verdict.commit}`)
  print(`  tree     ${verdict.tree}`)
  const record = readCurrentVerdict(paths, status)
  const judge = record ? `${sanitize(describeJudge(record))}; ` : ''
  print(`  judge    ${judge}independence: ${sanitize(verdict.independence)}`)
  if (record) print(`  packet   ${record.packetSha256 === null ? 'not sent' : `sha256 ${record.packetSha256}`}`)
  const { events, hashes, chainStart } = readLog(paths.events)
  const head = hashes[events.findLastIndex(({ type }) => type === 'verdict.given')]
  if (head !== undefined && chainStart !== null)
    print(`  anchor   ${formatLogAnchor(head)}  ${paint('dim', 'as in the notification; for dispatch audit --head')}`)
  if (changedPaths.length > 0)
    print(paint('red', `  VOID     for outputs/ as it is now: ${formatNames(changedPaths)} changed since the verdict`))
  const { landing } = status
  for (const { branch, commit } of status.landed) print(`  landed   on ${sanitize(branch)} as ${commit}`)
  const { pullRequest: pull } = status
  if (pull) print(`  ${pull.isDraft ? 'draft  ' : 'request'}  #${pull.number}: ${sanitize(pull.url)}`)
  if (landing && landing.state !== 'landed') print(`  landing  ${sanitize(describeLanding(landing))}`)
  if (!changedPaths.includes('evidence/repository.git'))
    print(`  fetch    git fetch ${quoteForShell(paths.bareRepository)} judged`)
  print(paint('dim', `           ${paths.verdictText}`))
}
