import { createHash } from 'node:crypto'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted } from '#host/fs'
import { sanitize } from '#host/text.ts'
import type { Session } from '#session'
import { type ContractProblem, parseContract } from '#session/contract'
import { readLog } from '#session/log'
import { type ClauseStatus, computeStatus, type SessionStatus } from '#session/status'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
The sealed contract, with the state of each clause beside it: what its check showed before the work and on the last tree
that was judged, and the verdict on it. Before the seal: the draft on the orchestrator's desk, and what is wrong with it.
Without an id: the newest session.
`,
  options: { raw: { type: 'boolean', about: 'the bytes of the file and nothing else' } },
  async run(values, words) {
    const session = pickSession(readConfigOrDefaults(), words[0])
    const status = computeStatus(readLog(session.paths.events).events)
    const found = readContract(session, status)
    if (values.raw) {
      process.stdout.write(found.bytes)
      if (found.note !== '') process.stderr.write(`dispatch: ${found.note}\n`)
    } else printContract(session, status, found)
    return found.isDamaged ? exitCodes.integrity : exitCodes.ok
  },
})

interface ContractText {
  file: string
  bytes: Buffer
  /** What is to be said of it first; empty when it is simply the sealed contract. */
  note: string
  /** Is it not what was sealed? */
  isDamaged: boolean
}

function readContract({ id, paths }: Session, { contract }: SessionStatus): ContractText {
  const file = contract ? paths.contract : path.join(paths.orchestratorFolder, 'contract.md')
  const bytes = readUntrusted(file, 1024 * 1024)
  if (bytes === undefined)
    throw new DispatchError(`session ${id} has no contract: ${file} is not there`, {
      exitCode: contract ? exitCodes.integrity : exitCodes.notFound,
      remedy: `\`dispatch show ${id.slice(-4)}\` tells where it stands.`,
    })
  if (!contract)
    return { file, bytes, note: 'this is a draft: it is not sealed, and may still change', isDamaged: false }
  const isDamaged = createHash('sha256').update(bytes).digest('hex') !== contract.sha256
  return { file, bytes, note: isDamaged ? 'this is NOT what was sealed: somebody has changed the file' : '', isDamaged }
}

function printContract({ id, manifest }: Session, status: SessionStatus, { file, bytes, note }: ContractText): void {
  const text = bytes.toString('utf8')
  const { contract, problems } = parseContract(text, {
    allowsJudgedOnly: manifest.allowsJudgedOnly || status.contract !== undefined,
  })
  print(`${formatTitle(id)}  ${paint('dim', file)}`)
  print(note === '' ? paint('dim', `sealed, sha256 ${status.contract?.sha256}`) : paint('red', note))
  if (!status.contract) printProblems(problems)
  print()
  const states = new Map(contract.clauses.map(({ id, line }) => [line, formatClauseState(id, status)]))
  for (const [at, line] of text.trimEnd().split('\n').entries()) {
    print(line.startsWith('#') ? paint('bold', sanitize(line)) : sanitize(line))
    const state = states.get(at + 1)
    if (state) print(state)
  }
  for (const sentence of status.contract?.uncoveredSentences ?? [])
    print(paint('yellow', `not covered  ${sanitize(sentence)}`))
}

function printProblems(problems: ContractProblem[]): void {
  for (const { line, message } of problems)
    print(paint('yellow', `  ${line > 0 ? `line ${line}` : 'the whole'}: ${sanitize(message)}`))
  if (problems.length === 0) print(paint('dim', '  it reads; its checks are run on the base when it is sealed'))
}

/** `    red before · green now · PASS`, or nothing where nothing is known yet. */
function formatClauseState(id: string, { clauses, phase }: SessionStatus): string {
  const clause: Partial<ClauseStatus> = clauses.find(known => known.id === id) ?? {}
  const { baseOutcome, headOutcome, verdict, proof } = clause
  const known = [
    baseOutcome && `${baseOutcome} before`,
    headOutcome && `${headOutcome} now`,
    verdict && paintVerdict(verdict),
  ].filter(Boolean)
  if (known.length === 0) return proof === undefined ? '' : paint('dim', '    not judged yet')
  if (verdict === undefined && phase !== 'judging') known.push('not judged yet')
  return `    ${known.join(' · ')}`
}

function paintVerdict(verdict: NonNullable<ClauseStatus['verdict']>): string {
  return paint(verdict === 'PASS' ? 'green' : verdict === 'FAIL' ? 'red' : 'yellow', verdict)
}
