import { createHash } from 'node:crypto'
import path from 'node:path'
import { DispatchError, exits, printable, readUntrusted } from '../../host/index.ts'
import {
  type Clause,
  type Problem,
  parseContract,
  readLog,
  type Session,
  type Status,
  statusOf,
} from '../../session/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { lenientConfig } from '../lenient.ts'
import { paint, print, title } from '../terminal.ts'

export const command = defineCommand({
  about: `
The sealed contract, with the state of each clause beside it: what its check showed before the work and on the last tree
that was judged, and the verdict on it. Before the seal: the draft on the orchestrator's desk, and what is wrong with it.
Without an id: the newest session.
`,
  options: { raw: { type: 'boolean', about: 'the bytes of the file and nothing else' } },
  async run(values, words) {
    const session = chosen(lenientConfig(), words[0])
    const status = statusOf(readLog(session.paths.events).events)
    const found = read(session, status)
    if (values.raw) {
      process.stdout.write(found.bytes)
      if (found.note !== '') process.stderr.write(`dispatch: ${found.note}\n`)
    } else printContract(session, status, found)
    return found.broken ? exits.integrity : exits.ok
  },
})

interface Found {
  file: string
  bytes: Buffer
  /** What is to be said of it first; empty when it is simply the sealed contract. */
  note: string
  /** Is it not what was sealed? */
  broken: boolean
}

function read({ id, paths }: Session, { contract }: Status): Found {
  const file = contract ? paths.contract : path.join(paths.desk, 'contract.md')
  const bytes = readUntrusted(file, 1024 * 1024)
  if (bytes === undefined)
    throw new DispatchError(`session ${id} has no contract: ${file} is not there`, {
      exit: contract ? exits.integrity : exits.notFound,
      remedy: `\`dispatch show ${id.slice(-4)}\` tells where it stands.`,
    })
  if (!contract) return { file, bytes, note: 'this is a draft: it is not sealed, and may still change', broken: false }
  const broken = createHash('sha256').update(bytes).digest('hex') !== contract.sha256
  return { file, bytes, note: broken ? 'this is NOT what was sealed: somebody has changed the file' : '', broken }
}

function printContract({ id, opening }: Session, status: Status, { file, bytes, note }: Found): void {
  const text = bytes.toString('utf8')
  const { contract, problems } = parseContract(text, {
    judgedOnly: opening.judgedOnly || status.contract !== undefined,
  })
  print(`${title(id)}  ${paint('dim', file)}`)
  print(note === '' ? paint('dim', `sealed, sha256 ${status.contract?.sha256}`) : paint('red', note))
  if (!status.contract) printProblems(problems)
  print()
  const states = new Map(contract.clauses.map(({ id, line }) => [line, stateOf(id, status)]))
  for (const [at, line] of text.trimEnd().split('\n').entries()) {
    print(line.startsWith('#') ? paint('bold', printable(line)) : printable(line))
    const state = states.get(at + 1)
    if (state) print(state)
  }
  for (const sentence of status.contract?.uncovered ?? []) print(paint('yellow', `not covered  ${printable(sentence)}`))
}

function printProblems(problems: Problem[]): void {
  for (const { line, what } of problems)
    print(paint('yellow', `  ${line > 0 ? `line ${line}` : 'the whole'}: ${printable(what)}`))
  if (problems.length === 0) print(paint('dim', '  it reads; its checks are run on the base when it is sealed'))
}

/** `    red before · green now · PASS`, or nothing where nothing is known yet. */
function stateOf(id: string, { clauses, phase }: Status): string {
  const clause: Partial<Clause> = clauses.find(known => known.id === id) ?? {}
  const { base, head, verdict, proof } = clause
  const known = [base && `${base} before`, head && `${head} now`, verdict && painted(verdict)].filter(Boolean)
  if (known.length === 0) return proof === undefined ? '' : paint('dim', '    not judged yet')
  if (verdict === undefined && phase !== 'judging') known.push('not judged yet')
  return `    ${known.join(' · ')}`
}

function painted(verdict: NonNullable<Clause['verdict']>): string {
  return paint(verdict === 'PASS' ? 'green' : verdict === 'FAIL' ? 'red' : 'yellow', verdict)
}
