import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { sanitize } from '#host/text.ts'
import type { Session } from '#session'
import { parseContract } from '#session/contract'
import { formatTestCounts } from '#session/evidence'
import type { ClauseStatus, SessionStatus } from '#session/status'
import { formatTitle, paint, paintVerdict, print } from './terminal.ts'

/** More than a contract can have. */
export const MAX_CONTRACT_BYTES = 1024 * 1024

/** The text of a contract: the sealed one, or the draft before the seal. */
interface ContractFile {
  file: string
  content: Buffer
  /** Why it is not simply the sealed contract; empty when it is. */
  warning: string
  /** Does it differ from what was sealed? */
  isModified: boolean
}

/** Read the contract of a session. Exit 4 before there is one, 13 when the sealed one is missing. */
export function readContractFile({ id, paths }: Session, { contract }: SessionStatus): ContractFile {
  const file = contract ? paths.contract : paths.draftContract
  const content = readUntrusted(file, MAX_CONTRACT_BYTES)
  if (content === undefined)
    throw new DispatchError(`session ${id} has no contract: ${file} does not exist`, {
      exitCode: contract ? exitCodes.integrity : exitCodes.notFound,
      remedy: `\`dispatch show ${id.slice(-4)}\` shows its state.`,
    })
  if (!contract)
    return { file, content, warning: 'this is a draft: it is not sealed and may change', isModified: false }
  const isModified = sha256(content) !== contract.sha256
  const warning = isModified ? 'the file was modified after it was sealed' : ''
  return { file, content, warning, isModified }
}

/** The contract with the state of each clause below its heading. */
export function printContract({ id, manifest }: Session, status: SessionStatus, contractFile: ContractFile): void {
  const { file, content, warning } = contractFile
  const text = content.toString('utf8')
  const allowsJudgedOnly = manifest.allowsJudgedOnly || status.contract !== undefined
  const { contract, problems } = parseContract(text, { allowsJudgedOnly })
  print(`${formatTitle(id)}  ${paint('dim', file)}`)
  print(warning === '' ? paint('dim', `sealed, sha256 ${status.contract?.sha256}`) : paint('red', warning))
  if (!status.contract) {
    for (const { line, message } of problems)
      print(paint('yellow', `  ${line > 0 ? `line ${line}` : 'contract'}: ${sanitize(message)}`))
    if (problems.length === 0) print(paint('dim', '  valid; its checks run on the base when it is sealed'))
  }
  print()
  const states = new Map(contract.clauses.map(clause => [clause.line, formatClauseState(clause.id, status)]))
  for (const [index, line] of text.trimEnd().split('\n').entries()) {
    print(line.startsWith('#') ? paint('bold', sanitize(line)) : sanitize(line))
    const state = states.get(index + 1)
    if (state) print(state)
  }
  for (const sentence of status.contract?.uncoveredSentences ?? [])
    print(paint('yellow', `not covered  ${sanitize(sentence)}`))
  for (const sentence of status.contract?.excludedSentences ?? [])
    print(paint('yellow', `left out     ${sanitize(sentence)}`))
}

// --- internal ---

/** `    red before · green now · PASS`; empty for a clause of which nothing is known yet. */
function formatClauseState(id: string, { clauses, phase }: SessionStatus): string {
  const clause: Partial<ClauseStatus> = clauses.find(known => known.id === id) ?? {}
  const { baseOutcome, baseTests, headOutcome, headTests, verdict, proof } = clause
  const facts = [
    baseOutcome && [`${baseOutcome} before`, formatTestCounts(baseTests)].filter(Boolean).join(', '),
    headOutcome && [`${headOutcome} now`, formatTestCounts(headTests)].filter(Boolean).join(', '),
    verdict && paintVerdict(verdict),
  ].filter(fact => fact !== undefined)
  if (facts.length === 0) return proof === undefined ? '' : paint('dim', '    not judged yet')
  if (verdict === undefined && phase !== 'judging') facts.push('not judged yet')
  return `    ${facts.join(' · ')}`
}
