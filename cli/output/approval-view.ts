import fs from 'node:fs'
import { DispatchError, exitCodes, unreachable } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { sanitize } from '#host/text.ts'
import { getApprovalFile, readContractForApproval } from '#runner'
import type { Session } from '#session'
import {
  type ClauseProof,
  type ContractClause,
  listExpectations,
  listUncoveredSentences,
  parseContract,
  splitSentences,
} from '#session/contract'
import { type EvidenceRecord, readEvidence } from '#session/evidence'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { paintHunks } from './diff.ts'
import { formatTitle, paint, print } from './terminal.ts'

/** Print a contract that awaits approval: its clauses, what has changed, and last what an amendment would weaken. */
export function printPendingContract(session: Session, sha256: string): void {
  const { paths, manifest } = session
  const text = readContractForApproval(paths, sha256)
  const file = getApprovalFile(paths, sha256)
  if (text === undefined)
    throw new DispatchError(`${file} is not the contract that awaits approval`, {
      exitCode: exitCodes.integrity,
      remedy: 'It was changed or removed. Decline it with --no "REASON"; the orchestrator then asks again.',
    })
  const { contract } = parseContract(text, { allowsJudgedOnly: true })
  print(`${formatTitle(session.id)}  ${sanitize(manifest.task.title)}`)
  print(`\n${paint('bold', sanitize(contract.title))}  ${paint('dim', `sha256 ${sha256.slice(0, 12)}`)}`)
  const evidence = readEvidence(paths)
  for (const clause of contract.clauses) printClause(clause, evidence)
  const uncovered = listUncoveredSentences(contract, splitSentences(fs.readFileSync(paths.task, 'utf8')))
  for (const { sentenceId, reason } of contract.exclusions)
    print(paint('yellow', `\n  left out     ${sanitize(`${sentenceId}: ${reason}`)}`))
  for (const sentence of uncovered) print(paint('yellow', `\n  not covered  ${sanitize(sentence)}`))
  const { events } = readLog(paths.events)
  const { contract: sealed, approval } = computeStatus(events)
  const requested = events.flatMap(event => (event.type === 'approval.requested' ? [event.sha256] : []))
  const earlier = requested.findLast(other => other !== sha256)
  const before = sealed ? (readIfPresent(paths.contract) ?? '') : earlier && readContractForApproval(paths, earlier)
  if (before !== undefined) {
    print(`\n${paint('bold', sealed ? 'Changes from the sealed contract' : 'Changes since you were last asked')}`)
    for (const line of paintHunks(before, text)) print(`  ${line}`)
  }
  print(paint('dim', `\n  ${file}`))
  if (!approval?.reason) return
  print(`\n${paint('bold', 'Reason for the amendment:')} ${sanitize(approval.reason)}`)
  if (approval.dilutions.length > 0) print(paint('red', 'It weakens the sealed contract:'))
  for (const dilution of approval.dilutions) print(paint('red', `  - ${sanitize(dilution)}`))
}

// --- internal ---

function printClause({ id, sentence, covers, proof }: ContractClause, evidence: EvidenceRecord[]): void {
  const sentenceIds = covers.length > 0 ? paint('dim', `  (${covers.join(', ')})`) : ''
  print(`\n  ${paint('bold', id)}  ${sanitize(sentence)}${sentenceIds}`)
  for (const line of formatProof(proof)) print(`      ${sanitize(line)}`)
  const before = evidence.findLast(
    record =>
      record.side === 'base' &&
      record.clauseId === id &&
      proof.kind === 'check' &&
      record.command === proof.command &&
      record.expected === listExpectations(proof.expectation).join(', '),
  )
  if (before === undefined) return
  const reason = before.reason ? ` (${sanitize(before.reason)})` : ''
  print(paint('dim', `      before the work: ${before.outcome}${reason}`))
}

function formatProof(proof: ClauseProof): string[] {
  switch (proof.kind) {
    case 'check': {
      const { exitCode, outputContains, outputMatches, outputEquals, allowsSkips } = proof.expectation
      return [
        `${proof.isGuard ? 'guard' : 'check'}  ${proof.command}`,
        `expect exit ${exitCode}`,
        ...outputContains.map(text => `expect output contains ${JSON.stringify(text)}`),
        ...outputMatches.map(pattern => `expect output matches /${pattern}/`),
        ...(outputEquals === undefined ? [] : [`expect output equals ${JSON.stringify(outputEquals)}`]),
        ...(allowsSkips ? ['allow  all of its tests to be skipped'] : []),
        ...(proof.timeoutSeconds === undefined ? [] : [`limit ${proof.timeoutSeconds} s`]),
        ...(proof.pins === undefined ? [] : [`pins   ${proof.pins.join(' ')}`]),
      ]
    }
    case 'judged':
      return ['judged: no command checks it']
    case 'scope':
      return [`scope  ${proof.globs.join(' ')}`]
    default:
      return unreachable(proof)
  }
}
