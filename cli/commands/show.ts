import { exitCodes } from '#host/error.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { sanitize } from '#host/text.ts'
import { readCurrentVerdict, readEvidence } from '#session/evidence'
import { formatLogAnchor, readLog } from '#session/log'
import { listChangesSinceVerdict } from '#session/repository'
import { isAwaitingApproval, readView, type SessionView } from '#session/status'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { printChannelWarning } from '../notify/health.ts'
import { findIntegrityWarnings } from '../output/integrity-warnings.ts'
import {
  formatElapsed,
  formatLocalTime,
  formatRelativeTime,
  formatTable,
  formatTitle,
  paint,
  paintState,
  print,
} from '../output/terminal.ts'
export const command = defineCommand({
  about: `
One session whole: the contract clause by clause with what was seen before and after, the workers, the verdict and whether
it still holds for what lies in outputs/, and the line that fetches the judged work. Without an id: the newest session.
`,
  options: {
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values, words) {
    const config = readConfigOrDefaults()
    const session = pickSession(config, words[0])
    const view = await readView(session)
    const changed = await listChangesSinceVerdict(session.paths, view.status)
    const damage = await findIntegrityWarnings(session, view.status)
    if (values.json)
      print(
        JSON.stringify({
          id: session.id,
          state: view.state,
          status: view.status,
          runner: view.runnerLiveness,
          changedSinceVerdict: changed,
          damage,
          evidence: readEvidence(session.paths),
          verdict: readCurrentVerdict(session.paths, view.status) ?? null,
          folder: session.paths.folder,
        }),
      )
    else printView(view, { changed, damage, logAnchor: readLogAnchor(session) })
    if (!values.json) printChannelWarning(config)
    return damage.length > 0 ? exitCodes.integrity : exitCodes.ok
  },
})

/** When it began, and since when it is as it is, where that says something more. */
function formatTimes(openedAt: string, since: string | undefined): string {
  const [begun, so] = [formatRelativeTime(openedAt), since && formatRelativeTime(since)]
  const ago = begun === 'just now' ? '' : ' ago'
  return `begun ${begun}${ago}${so && so !== begun ? `, so ${so === 'just now' ? 'just now' : `for ${so}`}` : ''}`
}

/** The head of the log at the last verdict, as it was pushed. */
function readLogAnchor({ paths }: SessionView['session']): string | undefined {
  const { events, hashes, chainStart } = readLog(paths.events)
  const head = hashes[events.findLastIndex(({ type }) => type === 'verdict.given')]
  return head === undefined || chainStart === null ? undefined : formatLogAnchor(head)
}

/** What was looked at besides the log's own words. */
interface ShowDetails {
  changed: string[]
  damage: string[]
  logAnchor: string | undefined
}

function printView(view: SessionView, { changed, damage, logAnchor }: ShowDetails): void {
  const { session, status, unreadableLines } = view
  const { manifest, paths, id } = session
  print(
    `${formatTitle(id)}  ${paintState(view)}  ${paint('dim', `${formatTimes(manifest.openedAt, status.phaseStartedAt)}`)}`,
  )
  print(`  ${sanitize(manifest.task.title)}`)
  if (session.newerFormat !== undefined)
    print(
      paint(
        'yellow',
        `  written by a newer dispatch (format ${session.newerFormat}): read only, and not all of it is known here`,
      ),
    )
  if (manifest.repository)
    print(`  on a copy of ${manifest.repository.path} at ${manifest.repository.commit.slice(0, 10)}`)
  if (status.noSandboxReason !== '')
    print(paint('yellow', `  no sandbox: agents and checks run with your rights (${sanitize(status.noSandboxReason)})`))
  for (const line of damage) print(paint('red', `  DAMAGED  ${line}`))
  printProject(view)
  printLimits(view)
  if (status.question && status.phase === 'asking') print(paint('red', `  asks you: ${sanitize(status.question)}`))
  if (isAwaitingApproval(status)) print(paint('bold', `  approve  dispatch approve ${id.slice(-4)}`))
  if (status.problem) print(paint('red', `  ${sanitize(status.problem)}`))
  printContract(view)
  printWorkers(view)
  printVerdict(view, changed, logAnchor)
  if (unreadableLines > 0)
    print(
      paint(
        'yellow',
        `\n  ${unreadableLines} line${unreadableLines === 1 ? '' : 's'} of events.jsonl could not be read`,
      ),
    )
  print(`\n  attach   dispatch attach ${id.slice(-4)}\n  folder   ${paths.folder}`)
}

/** What the repository brought along, what of it agents were given, and what was left out on purpose. */
function printProject({ session, status }: SessionView): void {
  const { project, instructions } = session.manifest
  const { files, nested, ignored } = instructions
  const row = (name: string, values: string[]) => {
    if (values.length > 0) print(`  ${name.padEnd(10)} ${values.map(sanitize).join(', ')}`)
  }
  if (project && project.setup.length > 0)
    row('setup', [`${project.setup.join('; ')}${describeDependencies(status.dependencies)}`])
  row('handed on', [...files, ...(project?.files ?? [])])
  row('named', nested)
  row('ignored', ignored)
}

/** What time and money have to say: the deadline, a usage limit, a budget that is spent. */
function printLimits({ session, status }: SessionView): void {
  const { deadline } = session.manifest
  const { usageLimit, budget, isPastDeadline, verdict } = status
  const row = (name: string, text: string, colour: 'yellow' | 'dim') =>
    print(`  ${name.padEnd(10)} ${paint(colour, sanitize(text))}`)
  if (deadline !== null && !verdict?.isFinal)
    row(
      'deadline',
      `${formatLocalTime(deadline)}${isPastDeadline ? ', which has passed' : ''}`,
      isPastDeadline ? 'yellow' : 'dim',
    )
  if (usageLimit)
    row(
      'parked',
      `${usageLimit.resetsAt === null ? '' : `until ${formatLocalTime(usageLimit.resetsAt)}: `}${usageLimit.reason}`,
      'yellow',
    )
  if (budget) row('budget', `$${budget.spentUsd.toFixed(2)} of $${budget.budgetUsd.toFixed(2)} is spent`, 'yellow')
}

function describeDependencies(setup: SessionView['status']['dependencies']): string {
  if (!setup) return ''
  if (setup.state === 'made') return ` (made in ${setup.seconds} s)`
  return setup.state === 'cached'
    ? ' (made before)'
    : setup.state === 'running'
      ? ' (running)'
      : ` (FAILED: ${setup.reason})`
}

function printContract({ status }: SessionView): void {
  if (status.clauses.length === 0) return
  const { contract } = status
  const version = contract && contract.version > 1 ? `, version ${contract.version}` : ''
  print(
    `\n${paint('bold', 'Contract')}${contract ? paint('dim', `  sealed, sha256 ${contract.sha256.slice(0, 12)}${version}`) : ''}`,
  )
  for (const dilution of contract?.dilutions ?? [])
    print(paint('yellow', `  weaker than at first, as a human approved: ${sanitize(dilution)}`))
  print(
    formatTable(
      status.clauses.map(({ id, proof, baseOutcome, headOutcome, verdict, sentence }) => [
        `  ${id}`,
        proof,
        baseOutcome ? `${baseOutcome} before` : '',
        headOutcome ? `${headOutcome} now` : '',
        paintVerdict(verdict),
        sanitize(sentence),
      ]),
    ),
  )
  for (const sentence of status.contract?.uncoveredSentences ?? [])
    print(paint('yellow', `  not covered  ${sanitize(sentence)}`))
}

function printWorkers({ status }: SessionView): void {
  if (status.workers.length === 0) return
  print(`\n${paint('bold', 'Workers')}`)
  const rows = status.workers.map(worker => {
    const time = worker.startedAt
      ? formatElapsed(Date.parse(worker.endedAt ?? new Date().toISOString()) - Date.parse(worker.startedAt))
      : ''
    const state = worker.ending ?? (worker.startedAt ? 'works' : `waits for ${worker.blockedBy ?? 'its turn'}`)
    return [
      `  ${worker.name}`,
      worker.kind,
      worker.model,
      worker.clauses.join(','),
      time,
      worker.changedFiles === undefined ? '' : `${worker.changedFiles} file${worker.changedFiles === 1 ? '' : 's'}`,
      `${state}${worker.reason ? ` (${sanitize(worker.reason)})` : ''}`,
    ]
  })
  print(formatTable(rows))
}

function printVerdict({ session, status }: SessionView, changed: string[], logAnchor: string | undefined): void {
  const { verdict } = status
  if (!verdict) return
  print(
    `\n${paint('bold', 'Verdict')}  ${paintVerdict(verdict.verdict)}  round ${verdict.round} of ${status.maxRounds}`,
  )
  print(`  ${sanitize(verdict.reason)}`)
  print(`  judged commit ${verdict.commit}, tree ${verdict.tree}; independence: ${verdict.independence}`)
  const record = readCurrentVerdict(session.paths, status)
  if (record) print(`  judge ${sanitize(record.judge)}; packet ${describePacket(record.packetSha256)}`)
  if (logAnchor !== undefined)
    print(`  proof    ${logAnchor}  ${paint('dim', 'as it was pushed; dispatch audit goes by it')}`)
  if (changed.length > 0)
    print(
      paint(
        'red',
        `  VOID for what lies in outputs/ now: ${changed.slice(0, 5).map(sanitize).join(', ')}${changed.length > 5 ? ` and ${changed.length - 5} more` : ''} changed since`,
      ),
    )
  if (!changed.includes('evidence/repository.git'))
    print(`  fetch    git fetch ${quoteForShell(session.paths.bareRepository)} judged`)
  print(paint('dim', `           ${session.paths.verdictText}`))
}

/** What the judge was given, by its hash; the packet itself lies in `evidence/`. */
function describePacket(sha256: string | null): string {
  return sha256 === null ? 'none sent' : `sha256 ${sha256}`
}

function paintVerdict(verdict: string | undefined): string {
  if (verdict === undefined) return ''
  return paint(verdict === 'PASS' ? 'green' : verdict === 'FAIL' ? 'red' : 'yellow', verdict)
}
