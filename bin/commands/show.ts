import { exits, printable, shellWord } from '../../host/index.ts'
import {
  awaitsApproval,
  changedSinceVerdict,
  proofOf,
  readEvidence,
  readLog,
  recordOf,
  type View,
  viewOf,
} from '../../session/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { damageOf } from '../damage.ts'
import { lenientConfig } from '../lenient.ts'
import { printSilence } from '../notify/health.ts'
import { age, clock, moment, paint, paintState, print, table, title } from '../terminal.ts'

export const command = defineCommand({
  about: `
One session whole: the contract clause by clause with what was seen before and after, the workers, the verdict and whether
it still holds for what lies in outputs/, and the line that fetches the judged work. Without an id: the newest session.
`,
  options: {
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values, words) {
    const config = lenientConfig()
    const session = chosen(config, words[0])
    const view = await viewOf(session)
    const changed = await changedSinceVerdict(session.paths, view.status)
    const damage = await damageOf(session, view.status)
    if (values.json)
      print(
        JSON.stringify({
          id: session.id,
          state: view.state,
          status: view.status,
          runner: view.runner,
          changedSinceVerdict: changed,
          damage,
          evidence: readEvidence(session.paths),
          verdict: recordOf(session.paths, view.status) ?? null,
          folder: session.paths.folder,
        }),
      )
    else printView(view, { changed, damage, proof: proofAt(session) })
    if (!values.json) printSilence(config)
    return damage.length > 0 ? exits.integrity : exits.ok
  },
})

/** When it began, and since when it is as it is, where that says something more. */
function standing(openedAt: string, since: string | undefined): string {
  const [begun, so] = [age(openedAt), since && age(since)]
  const ago = begun === 'just now' ? '' : ' ago'
  return `begun ${begun}${ago}${so && so !== begun ? `, so ${so === 'just now' ? 'just now' : `for ${so}`}` : ''}`
}

/** The head of the log at the last verdict, as it was pushed. */
function proofAt({ paths }: View['session']): string | undefined {
  const { events, hashes, chainedFrom } = readLog(paths.events)
  const head = hashes[events.findLastIndex(({ is }) => is === 'verdict.given')]
  return head === undefined || chainedFrom === null ? undefined : proofOf(head)
}

/** What was looked at besides the log's own words. */
interface Looks {
  changed: string[]
  damage: string[]
  proof: string | undefined
}

function printView(view: View, { changed, damage, proof }: Looks): void {
  const { session, status, unread } = view
  const { opening, paths, id } = session
  print(`${title(id)}  ${paintState(view)}  ${paint('dim', `${standing(opening.openedAt, status.since)}`)}`)
  print(`  ${printable(opening.task.title)}`)
  if (session.format !== undefined)
    print(
      paint(
        'yellow',
        `  written by a newer dispatch (format ${session.format}): read only, and not all of it is known here`,
      ),
    )
  if (opening.repository)
    print(`  on a copy of ${opening.repository.path} at ${opening.repository.commit.slice(0, 10)}`)
  if (status.unprotected !== '')
    print(paint('yellow', `  no sandbox: agents and checks run with your rights (${printable(status.unprotected)})`))
  for (const line of damage) print(paint('red', `  DAMAGED  ${line}`))
  printProject(view)
  printLimits(view)
  if (status.question && status.phase === 'asking') print(paint('red', `  asks you: ${printable(status.question)}`))
  if (awaitsApproval(status)) print(paint('bold', `  approve  dispatch approve ${id.slice(-4)}`))
  if (status.trouble) print(paint('red', `  ${printable(status.trouble)}`))
  printContract(view)
  printWorkers(view)
  printVerdict(view, changed, proof)
  if (unread > 0)
    print(paint('yellow', `\n  ${unread} line${unread === 1 ? '' : 's'} of events.jsonl could not be read`))
  print(`\n  attach   dispatch attach ${id.slice(-4)}\n  folder   ${paths.folder}`)
}

/** What the repository brought along, what of it agents were given, and what was left out on purpose. */
function printProject({ session, status }: View): void {
  const { project, instructions } = session.opening
  const { files, deeper, ignored } = instructions
  const row = (name: string, values: string[]) => {
    if (values.length > 0) print(`  ${name.padEnd(10)} ${values.map(printable).join(', ')}`)
  }
  if (project && project.setup.length > 0) row('setup', [`${project.setup.join('; ')}${setupWords(status.setup)}`])
  row('handed on', [...files, ...(project?.files ?? [])])
  row('named', deeper)
  row('ignored', ignored)
}

/** What time and money have to say: the deadline, a usage limit, a budget that is spent. */
function printLimits({ session, status }: View): void {
  const { deadline } = session.opening
  const { limit, budget, late, verdict } = status
  const row = (name: string, text: string, colour: 'yellow' | 'dim') =>
    print(`  ${name.padEnd(10)} ${paint(colour, printable(text))}`)
  if (deadline !== null && !verdict?.final)
    row('deadline', `${moment(deadline)}${late ? ', which has passed' : ''}`, late ? 'yellow' : 'dim')
  if (limit) row('parked', `${limit.until === null ? '' : `until ${moment(limit.until)}: `}${limit.why}`, 'yellow')
  if (budget) row('budget', `$${budget.spentUsd.toFixed(2)} of $${budget.budgetUsd.toFixed(2)} is spent`, 'yellow')
}

function setupWords(setup: View['status']['setup']): string {
  if (!setup) return ''
  if (setup.how === 'made') return ` (made in ${setup.seconds} s)`
  return setup.how === 'cached' ? ' (made before)' : setup.how === 'running' ? ' (running)' : ` (FAILED: ${setup.why})`
}

function printContract({ status }: View): void {
  if (status.clauses.length === 0) return
  const { contract } = status
  const version = contract && contract.version > 1 ? `, version ${contract.version}` : ''
  print(
    `\n${paint('bold', 'Contract')}${contract ? paint('dim', `  sealed, sha256 ${contract.sha256.slice(0, 12)}${version}`) : ''}`,
  )
  for (const dilution of contract?.dilutions ?? [])
    print(paint('yellow', `  weaker than at first, as a human approved: ${printable(dilution)}`))
  print(
    table(
      status.clauses.map(({ id, proof, base, head, verdict, sentence }) => [
        `  ${id}`,
        proof,
        base ? `${base} before` : '',
        head ? `${head} now` : '',
        coloured(verdict),
        printable(sentence),
      ]),
    ),
  )
  for (const sentence of status.contract?.uncovered ?? [])
    print(paint('yellow', `  not covered  ${printable(sentence)}`))
}

function printWorkers({ status }: View): void {
  if (status.workers.length === 0) return
  print(`\n${paint('bold', 'Workers')}`)
  const rows = status.workers.map(worker => {
    const time = worker.startedAt
      ? clock(Date.parse(worker.endedAt ?? new Date().toISOString()) - Date.parse(worker.startedAt))
      : ''
    const state = worker.how ?? (worker.startedAt ? 'works' : `waits for ${worker.waitsFor ?? 'its turn'}`)
    return [
      `  ${worker.name}`,
      worker.kind,
      worker.model,
      worker.clauses.join(','),
      time,
      worker.changedFiles === undefined ? '' : `${worker.changedFiles} file${worker.changedFiles === 1 ? '' : 's'}`,
      `${state}${worker.why ? ` (${printable(worker.why)})` : ''}`,
    ]
  })
  print(table(rows))
}

function printVerdict({ session, status }: View, changed: string[], proof: string | undefined): void {
  const { verdict } = status
  if (!verdict) return
  print(`\n${paint('bold', 'Verdict')}  ${coloured(verdict.verdict)}  round ${verdict.round} of ${status.rounds}`)
  print(`  ${printable(verdict.reason)}`)
  print(`  judged commit ${verdict.commit}, tree ${verdict.tree}; independence: ${verdict.independence}`)
  const record = recordOf(session.paths, status)
  if (record) print(`  judge ${printable(record.judge)}; packet ${packetWords(record.packetSha256)}`)
  if (proof !== undefined) print(`  proof    ${proof}  ${paint('dim', 'as it was pushed; dispatch audit goes by it')}`)
  if (changed.length > 0)
    print(
      paint(
        'red',
        `  VOID for what lies in outputs/ now: ${changed.slice(0, 5).map(printable).join(', ')}${changed.length > 5 ? ` and ${changed.length - 5} more` : ''} changed since`,
      ),
    )
  if (!changed.includes('evidence/trees.git')) print(`  fetch    git fetch ${shellWord(session.paths.trees)} judged`)
  print(paint('dim', `           ${session.paths.verdict}`))
}

/** What the judge was given, by its hash; the packet itself lies in `evidence/`. */
function packetWords(sha256: string | null): string {
  return sha256 === null ? 'none sent' : `sha256 ${sha256}`
}

function coloured(verdict: string | undefined): string {
  if (verdict === undefined) return ''
  return paint(verdict === 'PASS' ? 'green' : verdict === 'FAIL' ? 'red' : 'yellow', verdict)
}
